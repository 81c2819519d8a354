"""A period's filing as a workbook to fill in, and the superior's own layout by named cells.

Two head rows (groups merged), one row a unit, head and unit cells protected; ``sheet_reading`` reads it again.  Nothing
is inserted into a template: its named cells ``yw_<question>`` change.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.forms.xlsform.exporting import write_text
from core.late import Late
from records.filing.dataset import Dataset
from records.filing.sheet_opening import open_book

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

UNIT, NAME, SHEET, ABOUT = "单位代码", "单位名称", "填报", "说明"
HEAD_ROWS = 2
PREFIX = "yw_"
_HEAD = "E8EEF7"


def write_sheet(
    dataset: Dataset, period: str, units: Sequence[tuple[str, str]], values: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """The workbook of ``units`` (id, name) with their ``values``."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    columns = sheet_columns(dataset)
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
    about = book.create_sheet(ABOUT)
    about.append(["dataset", dataset.id])
    about.append(["period", period])
    about.append(["version", dataset.version])
    about.protection.sheet = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_columns(dataset: Dataset) -> list[tuple[str, str, str]]:
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


def fill_template(content: bytes, values: Mapping[str, Any]) -> bytes:
    """The superior's workbook with its named cells ``yw_<question>`` set; everything else is left as it is.

    :class:`InputInvalid` names the named cells for which there is no value and names that point at no single cell.
    """
    book = open_book(content)
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
