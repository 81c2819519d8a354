"""A filled-in sheet read again: cells by what they mean, every problem by file, sheet, row and column.

Rows are read one after another, so that a million empty ones cost no memory; the head is looked for below titles that
somebody put above it, on the sheet named 填报, else on the first one that is not hidden.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputInvalid
from core.forms.excel_cells import read_cell
from core.tables.damage import DAMAGED
from records.filing.dataset import Dataset
from records.filing.sheet_opening import open_book
from records.filing.sheet_words import SHEET_WORDS
from records.filing.workbook import ABOUT, NAME, SHEET, UNIT, sheet_columns

HEAD_WITHIN = 30  # rows above which the head must begin
MOST_UNITS = 20_000
MOST_EMPTY = 1_100_000  # Excel has 1,048,576 rows
_EXACT = 1e15
_SHIFT_1904 = 1462  # days between the two calendars of Excel


@dataclass(frozen=True)
class SheetProblem:
    """Something wrong in a cell of an uploaded sheet."""

    row: int
    column: str
    code: str
    severity: str = "error"
    sheet: str = ""

    def as_dict(self, file: str = "", language: str = "zh") -> dict[str, Any]:
        """``{file, sheet, row, column, code, severity, what, remedy}``."""
        words = SHEET_WORDS.get(self.code)
        what, remedy = (words.en if language == "en" else words.zh) if words else (self.code, "")
        place = {"file": file, "sheet": self.sheet, "row": self.row, "column": self.column}
        return {**place, "code": self.code, "severity": self.severity, "what": what, "remedy": remedy}


@dataclass
class ReadSheet:
    """Cells by unit and question, and what is wrong; a unit with an error in a cell keeps its other cells."""

    period: str = ""
    sheet: str = ""
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[SheetProblem] = field(default_factory=list)

    def note(self, row: int, column: str, code: str, severity: str = "error") -> None:
        """A problem of this sheet."""
        self.problems.append(SheetProblem(row, column, code, severity, self.sheet))

    @property
    def wrong(self) -> int:
        """How many problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)


Cell = tuple[Any, str]  # value and openpyxl's data type
Row = tuple[int, list[Cell]]


def read_sheet(dataset: Dataset, content: bytes, units: Mapping[str, str]) -> ReadSheet:
    """The cells of an uploaded workbook; ``units``: id → name.  :class:`InputInvalid` when it is none of ours."""
    book = open_book(content, rows_only=True)
    try:
        found = ReadSheet()
        _read_about(book, dataset, found)
        sheet = _chosen(book)
        found.sheet = str(sheet.title)
        rows = _rows(sheet)
        head = _head(rows)
        if head is None:
            found.note(1, UNIT, "head-missing")
            return found
        first, upper, lower = head
        titles = _titles(first, upper, lower, dataset, found)
        _read_units(rows, titles, dataset, units, found, 0 if _is_1900(book) else _SHIFT_1904)
        return found
    except DAMAGED as error:  # a part is cut off: what came before it may be half a row
        raise InputInvalid(field="file", detail="is damaged", how="save it as .xlsx again") from error
    finally:
        book.close()


def _read_about(book: Any, dataset: Dataset, found: ReadSheet) -> None:
    if ABOUT not in book.sheetnames:
        return
    about = {str(row[0][0]): row[1][0] for _, row in _rows(book[ABOUT], 50) if len(row) > 1}
    if about.get("dataset") not in (None, dataset.id):
        raise InputInvalid(field="file", detail=f"is of {about['dataset']}", how=f"upload the sheet of {dataset.id}")
    found.period = str(about.get("period") or "")


def _chosen(book: Any) -> Any:
    if SHEET in book.sheetnames:
        return book[SHEET]
    seen = [sheet for sheet in book.worksheets if getattr(sheet, "sheet_state", "visible") == "visible"]
    seen = [sheet for sheet in seen if sheet.title != ABOUT]
    if not seen:
        raise InputInvalid(field="file", detail="has no visible sheet", how="download the sheet again")
    return seen[0]


def _is_1900(book: Any) -> bool:
    return bool(book.epoch.year == 1899)


def _rows(sheet: Any, most: int = MOST_EMPTY) -> Iterator[Row]:
    """Number and cells of the rows that hold something."""
    sheet.reset_dimensions()  # what the file says of its own size is often wrong
    for number, row in enumerate(sheet.iter_rows(max_row=most), 1):
        cells = [(cell.value, getattr(cell, "data_type", "n")) for cell in row]
        while cells and cells[-1][0] in (None, ""):
            cells.pop()
        if cells and any(value not in (None, "") for value, _ in cells):
            yield number, cells


def _head(rows: Iterator[Row]) -> tuple[int, list[Cell], list[Cell]] | None:
    """The two rows of the head and where it begins; titles above it are passed over."""
    for number, cells in rows:
        if number > HEAD_WITHIN:
            return None
        if _text(cells[0][0]) == UNIT or (len(cells) > 1 and _text(cells[1][0]) == NAME):
            below = next(rows, (number, []))
            return number, cells, below[1] if below[0] == number + 1 else []
    return None


def _titles(
    number: int, upper_row: Sequence[Cell], lower_row: Sequence[Cell], dataset: Dataset, found: ReadSheet
) -> dict[int, str]:
    """0-based column → question, by the titles of the two head rows."""
    by_title = {(_text(group), _text(title)): question for question, group, title in sheet_columns(dataset)}
    titles: dict[int, str] = {}
    group = ""
    for at in range(2, max(len(upper_row), len(lower_row))):
        upper = _text(upper_row[at][0]) if at < len(upper_row) else ""
        lower = _text(lower_row[at][0]) if at < len(lower_row) else ""
        group = upper or group
        question = by_title.get((group, lower)) if lower else by_title.get(("", upper))
        if question is None and (upper or lower):
            found.note(number, upper or lower, "column-unknown", "warning")
        elif question in titles.values():
            found.note(number, lower or upper, "column-twice")
        elif question is not None:
            titles[at] = question
    for question in dataset.questions:
        if question not in titles.values():
            found.note(number, dataset.title(question), "column-missing", "warning")
    return titles


def _read_units(
    rows: Iterator[Row], titles: Mapping[int, str], dataset: Dataset, units: Mapping[str, str], found: ReadSheet,
    shift: int,
) -> None:  # fmt: skip
    by_name = {_text(name): unit for unit, name in units.items()}
    types = {item.key: item.type for item in dataset.compiled.structure.items}
    for read, (number, cells) in enumerate(rows):
        if read >= MOST_UNITS:
            found.note(number, UNIT, "rows-unread")
            return
        code, name = _text(cells[0][0]), _text(cells[1][0]) if len(cells) > 1 else ""
        unit = code if code in units else by_name.get(name, "")
        if unit not in units:
            found.note(number, UNIT, "unit-unknown")
            continue
        if cells[0][0] not in (None, "") and unit != code:
            found.note(number, UNIT, "unit-by-name", "warning")
        if unit in found.cells:
            found.note(number, UNIT, "unit-twice")
            continue
        found.cells[unit] = {}
        for at, question in titles.items():
            if at < len(cells):
                _read_value(number, cells[at], question, types.get(question, "text"), dataset, unit, found, shift)


def _read_value(
    number: int, cell: Cell, question: str, kind: str, dataset: Dataset, unit: str, found: ReadSheet, shift: int
) -> None:
    value, data_type = cell
    if value in (None, "") or kind == "calculate":
        return
    if data_type == "e":
        found.note(number, dataset.title(question), "cell-error")
        return
    formula = data_type == "f"
    if shift and kind in ("date", "dateTime") and isinstance(value, int | float) and not isinstance(value, bool):
        value += shift
    choices = {c.name: "" for c in dataset.compiled.structure.form.choices.get(_list(dataset, question), ())}
    read = read_cell(None if formula else value, kind, choices, formula=formula)
    if read.error:
        found.note(number, dataset.title(question), read.error)
        return
    if read.warn:
        found.note(number, dataset.title(question), read.warn, "warning")
    found.cells[unit][question] = read.value


def _list(dataset: Dataset, question: str) -> str:
    for item in dataset.compiled.structure.items:
        if item.key == question:
            return str(getattr(item.question, "list", "") or "")
    return ""


def _text(value: Any) -> str:
    """Text without blanks and full-width forms; of a number its digits, nothing where Excel has lost some of them."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return "" if abs(value) >= _EXACT or value != int(value) else str(int(value))
    return "".join(unicodedata.normalize("NFKC", str(value)).split())
