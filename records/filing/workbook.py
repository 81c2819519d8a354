"""A period's filing as a workbook, down and up again; and the superior's own layout by named cells.

Down: two head rows (groups merged), one row a unit, head and unit cells protected.  Up: cells are read by what they
mean; problems name row and column.  Nothing is inserted into a template: its named cells ``yw_<question>`` change.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.forms.excel_cells import read_cell
from core.forms.xlsform.exporting import write_text
from core.forms.xlsform.workbook import container_problem
from core.late import Late
from records.filing.dataset import Dataset

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

UNIT, NAME = "单位代码", "单位名称"
HEAD_ROWS = 2
PREFIX = "yw_"
_HEAD = "E8EEF7"


@dataclass(frozen=True)
class SheetProblem:
    """Something wrong in a cell of an uploaded sheet."""

    row: int
    column: str
    code: str
    severity: str = "error"

    def as_dict(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "code": self.code, "severity": self.severity}


@dataclass
class ReadSheet:
    """Cells by unit and question, and what is wrong; a unit with an error in a cell keeps its other cells."""

    period: str = ""
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[SheetProblem] = field(default_factory=list)


def write_sheet(
    dataset: Dataset, period: str, units: Sequence[tuple[str, str]], values: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """The workbook of ``units`` (id, name) with their ``values``."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "填报"
    columns = _columns(dataset)
    _write_head(sheet, dataset, columns)
    for number, (unit, name) in enumerate(units, HEAD_ROWS + 1):
        write_text(sheet.cell(number, 1), unit)
        write_text(sheet.cell(number, 2), name)
        for at, (question, _, _) in enumerate(columns, 3):
            cell = sheet.cell(number, at)
            value = values.get(unit, {}).get(question)
            if isinstance(value, str):
                write_text(cell, value)
            elif value is not None:
                cell.value = value if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
            cell.protection = openpyxl.styles.Protection(locked=False)
    sheet.protection.sheet = True
    sheet.freeze_panes = sheet.cell(HEAD_ROWS + 1, 3)
    about = book.create_sheet("说明")
    about.append(["dataset", dataset.id])
    about.append(["period", period])
    about.append(["version", dataset.version])
    about.protection.sheet = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _columns(dataset: Dataset) -> list[tuple[str, str, str]]:
    """``(question, group title, title)`` in the form's order."""
    groups: dict[str, str] = {}

    def walk(rows: Sequence[Mapping[str, Any]], group: str) -> None:
        for row in rows:
            if row.get("type") == "group":
                label = row.get("label") or row.get("name")
                walk(row.get("children") or (), str(label.get("zh") if isinstance(label, Mapping) else label))
            else:
                groups[str(row.get("name"))] = group

    walk(dataset.form.get("questions") or (), "")
    return [(question, groups.get(question, ""), dataset.title(question)) for question in dataset.questions]


def _write_head(sheet: Any, dataset: Dataset, columns: Sequence[tuple[str, str, str]]) -> None:
    for at, title in ((1, UNIT), (2, NAME)):
        write_text(sheet.cell(1, at), title)
        sheet.merge_cells(start_row=1, end_row=2, start_column=at, end_column=at)
    at = 3
    while at < len(columns) + 3:
        _, group, title = columns[at - 3]
        last = at
        while group and last + 1 < len(columns) + 3 and columns[last - 2][1] == group:
            last += 1
        write_text(sheet.cell(1, at), group or title)
        if group:
            for place in range(at, last + 1):
                write_text(sheet.cell(2, place), columns[place - 3][2])
            if last > at:
                sheet.merge_cells(start_row=1, end_row=1, start_column=at, end_column=last)
        else:
            sheet.merge_cells(start_row=1, end_row=2, start_column=at, end_column=at)
        at = last + 1
    styles = openpyxl.styles
    for row in sheet.iter_rows(min_row=1, max_row=HEAD_ROWS, max_col=len(columns) + 2):
        for cell in row:
            cell.font, cell.fill = styles.Font(bold=True), styles.PatternFill("solid", fgColor=_HEAD)
            cell.alignment = styles.Alignment(horizontal="center", vertical="center", wrap_text=True)
    for place in range(1, len(columns) + 3):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(place)].width = 16


def read_sheet(dataset: Dataset, content: bytes, units: Mapping[str, str]) -> ReadSheet:
    """The cells of an uploaded workbook; ``units``: id → name.  :class:`InputInvalid` when it is none of ours."""
    book = _open(content)
    found = ReadSheet()
    about = {str(row[0].value): row[1].value for row in book["说明"].iter_rows(max_col=2)} if "说明" in book else {}
    if about.get("dataset") not in (None, dataset.id):
        raise InputInvalid(field="file", detail=f"is of {about['dataset']}", how=f"upload the sheet of {dataset.id}")
    found.period = str(about.get("period") or "")
    sheet = book.worksheets[0]
    titles = _read_head(sheet, dataset, found)
    by_name = {name: unit for unit, name in units.items()}
    types = {item.key: item.type for item in dataset.compiled.structure.items}
    for row in sheet.iter_rows(min_row=HEAD_ROWS + 1):
        if all(cell.value in (None, "") for cell in row):
            continue
        unit = _text(row[0].value) or by_name.get(_text(row[1].value), "")
        if unit not in units:
            found.problems.append(SheetProblem(row[0].row, UNIT, "unit-unknown"))
            continue
        if unit in found.cells:
            found.problems.append(SheetProblem(row[0].row, UNIT, "unit-twice"))
            continue
        found.cells[unit] = {}
        for at, question in titles.items():
            _read_value(row[at], question, types.get(question, "text"), dataset, unit, found)
    return found


def _open(content: bytes) -> Any:
    unsafe = container_problem(content)
    if unsafe is not None:
        how = "save it as .xlsx without macros"
        raise InputInvalid(field="file", detail=unsafe.code, how=how)
    try:
        return openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever a broken file makes it stumble over
        raise InputInvalid(
            field="file", detail="is no workbook that can be read", how="save it as .xlsx again"
        ) from error


def _read_head(sheet: Any, dataset: Dataset, found: ReadSheet) -> dict[int, str]:
    """0-based column → question, by the titles of the two head rows."""
    by_title = {(group, title): question for question, group, title in _columns(dataset)}
    titles: dict[int, str] = {}
    group = ""
    for at in range(2, sheet.max_column):
        upper, lower = _text(sheet.cell(1, at + 1).value), _text(sheet.cell(2, at + 1).value)
        group = upper or group
        question = by_title.get((group, lower)) if lower else by_title.get(("", upper))
        if question is None and (upper or lower):
            found.problems.append(SheetProblem(1, upper or lower, "column-unknown", "warning"))
        elif question in titles.values():
            found.problems.append(SheetProblem(1, lower or upper, "column-twice"))
        elif question is not None:
            titles[at] = question
    for question in dataset.questions:
        if question not in titles.values():
            found.problems.append(SheetProblem(1, dataset.title(question), "column-missing", "warning"))
    return titles


def _read_value(cell: Any, question: str, kind: str, dataset: Dataset, unit: str, found: ReadSheet) -> None:
    value = cell.value
    if value in (None, "") or kind == "calculate":
        return
    formula = cell.data_type == "f"
    if cell.data_type == "e":
        found.problems.append(SheetProblem(cell.row, dataset.title(question), "cell-error"))
        return
    choices = {c.name: "" for c in dataset.compiled.structure.form.choices.get(_list(dataset, question), ())}
    read = read_cell(None if formula else value, kind, choices, formula=formula)
    if read.error:
        found.problems.append(SheetProblem(cell.row, dataset.title(question), read.error))
        return
    if read.warn:
        found.problems.append(SheetProblem(cell.row, dataset.title(question), read.warn, "warning"))
    found.cells[unit][question] = read.value


def _list(dataset: Dataset, question: str) -> str:
    for item in dataset.compiled.structure.items:
        if item.key == question:
            return str(getattr(item.question, "list", "") or "")
    return ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "".join(str(value).split())


def fill_template(content: bytes, values: Mapping[str, Any]) -> bytes:
    """The superior's workbook with its named cells ``yw_<question>`` set; everything else is left as it is.

    :class:`InputInvalid` names the named cells for which there is no value and names that point at no single cell.
    """
    book = _open(content)
    unknown, wrong = [], []
    for name, defined in book.defined_names.items():
        if not name.startswith(PREFIX):
            continue
        question = name.removeprefix(PREFIX)
        places = list(defined.destinations)
        if len(places) != 1 or ":" in places[0][1].replace("$", ""):
            wrong.append(name)
        elif question not in values:
            unknown.append(name)
        else:
            _set(book[places[0][0]][places[0][1].replace("$", "")], values[question])
    if wrong or unknown:
        detail = f"points at no single cell: {wrong}" if wrong else f"has names without a value: {unknown}"
        raise InputInvalid(field="template", detail=detail, how="name single cells yw_<question> of the data set")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _set(cell: Any, value: Any) -> None:
    if isinstance(value, str):
        write_text(cell, value)
    elif isinstance(value, int | float | date | datetime) or value is None:
        cell.value = value
    else:
        write_text(cell, json.dumps(value, ensure_ascii=False))
