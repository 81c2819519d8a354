"""Rows of a workbook's sheets: XLSX, XLSB and ODS by calamine, XLS by xlrd, with what both pass over in silence.

calamine gives an empty cell for ``#REF!`` and for a formula that was never computed; :mod:`core.tables.ooxml` looks
for those in the file itself.  Dates are dates in every format, also the Chinese ones, in the 1900 and 1904 systems.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, BinaryIO

from core.tables.cells import Area, Cell, CellError
from core.tables.damage import DAMAGED
from core.tables.ooxml import Flaws, flaws_of, is_large
from core.tables.problem import FileUnreadable
from core.tables.xlsx_stream import StreamedSheet, streamed

MAX_UNPACKED = 1 << 30


@dataclass
class Sheet:
    """One sheet: its rows from the first line on; ``merged`` are (first row, first column, last row, last column)."""

    name: str
    hidden: bool = False
    rows: list[list[Cell]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)

    def lines(self) -> Iterator[tuple[int, list[Cell]]]:
        """``(row from 1, cells)`` of every row that is not empty."""
        return ((n, cells) for n, cells in enumerate(self.rows, 1) if any(c not in ("", None) for c in cells))


def read_workbook(file: BinaryIO) -> Iterator[Sheet | StreamedSheet]:
    """The sheets of the workbook ``file``, one after another; :class:`FileUnreadable` says why it is none."""
    file.seek(0)
    magic = file.read(8)
    file.seek(0)
    if magic.startswith(b"PK"):
        yield from _zipped(file)
    elif magic.startswith(b"\xd0\xcf\x11\xe0") or magic[:2] == b"\x09\x08" or magic[:1] == b"\x09":
        yield from _xls(file)
    else:
        raise FileUnreadable("not_a_workbook", detail="it begins like none")


def has_macros(file: BinaryIO) -> bool:
    """Whether the workbook carries a program of its own (whatever its suffix says)."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return any(name.rsplit("/", 1)[-1].lower().startswith("vbaproject") for name in archive.namelist())
    except DAMAGED:
        return False
    finally:
        file.seek(0)


def _zipped(file: BinaryIO) -> Iterator[Sheet | StreamedSheet]:
    import python_calamine

    unreadable: tuple[type[Exception], ...] = (python_calamine.CalamineError, *DAMAGED)
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(i.file_size for i in archive.infolist())
            if unpacked > MAX_UNPACKED:
                raise FileUnreadable("too_large", size=unpacked, limit=MAX_UNPACKED)
            if is_large(archive):
                yield from streamed(archive)
                return
            flaws = flaws_of(archive)
    except DAMAGED as error:
        if isinstance(error, FileUnreadable):
            raise
        raise FileUnreadable("not_a_workbook", detail=str(error)) from error
    file.seek(0)
    try:
        book = python_calamine.load_workbook(io.BytesIO(file.read()))
        listed = book.sheets_metadata
    except unreadable as error:
        raise FileUnreadable("not_a_workbook", detail=str(error)) from error
    for number, known in enumerate(listed):
        if known.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        hidden = known.visible != python_calamine.SheetVisibleEnum.Visible
        try:
            found = book.get_sheet_by_index(number)
            rows: list[list[Any]] = found.to_python(skip_empty_area=False)
            merged = [(a, b, c, d) for (a, b), (c, d) in found.merged_cell_ranges or []]
        except unreadable as error:
            raise FileUnreadable("not_a_workbook", detail=f"sheet {known.name}: {error}") from error
        yield Sheet(known.name, hidden, _with_flaws(rows, flaws.get(known.name)), merged)


def _with_flaws(rows: list[list[Any]], flaws: Flaws | None) -> list[list[Cell]]:
    """The rows with errors, empty formulas and shown zeros put where calamine left them out."""
    for (row, column), text in (flaws.errors if flaws else {}).items():
        while row >= len(rows):
            rows.append([])
        cells = rows[row]
        cells.extend([""] * (column + 1 - len(cells)))
        if cells[column] in ("", None):
            cells[column] = CellError(text)
    for (row, column), width in (flaws.padded if flaws else {}).items():
        if row < len(rows) and column < len(rows[row]):
            value = rows[row][column]
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value) >= 0:
                rows[row][column] = str(int(value)).zfill(width)
    return rows


def _xls(file: BinaryIO) -> Iterator[Sheet]:
    import xlrd

    data = file.read()
    if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in data[: 1 << 20]:
        raise FileUnreadable("encrypted")
    quiet = io.StringIO()
    try:
        book = xlrd.open_workbook(file_contents=data, logfile=quiet, formatting_info=True)
    except NotImplementedError:
        book = _plain_xls(data, quiet)
    except Exception as error:  # noqa: BLE001 - the reader raises whatever a broken file makes it stumble over
        code = "encrypted" if "encrypt" in str(error).lower() else "not_a_workbook"
        raise FileUnreadable(code, detail=str(error) or type(error).__name__) from error
    for sheet in book.sheets():
        try:
            rows = [[_xls_cell(book, sheet, r, c) for c in range(sheet.row_len(r))] for r in range(sheet.nrows)]
            merged = [(a, c, b - 1, d - 1) for a, b, c, d in sheet.merged_cells]
        except DAMAGED as error:
            raise FileUnreadable("not_a_workbook", detail=f"sheet {sheet.name}: {error}") from error
        yield Sheet(sheet.name, bool(sheet.visibility), rows, merged)


def _plain_xls(data: bytes, quiet: io.StringIO) -> Any:
    """Without the cells' formats, which not every version of the form can give."""
    import xlrd

    try:
        return xlrd.open_workbook(file_contents=data, logfile=quiet)
    except Exception as error:  # noqa: BLE001 - as above
        raise FileUnreadable("not_a_workbook", detail=str(error) or type(error).__name__) from error


def _xls_cell(book: Any, sheet: Any, row: int, column: int) -> Cell:
    import xlrd

    kind, value = sheet.cell_type(row, column), sheet.cell_value(row, column)
    if kind == xlrd.XL_CELL_ERROR:
        return CellError(str(xlrd.error_text_from_code.get(value, "#ERROR!")))
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_DATE:
        return _xls_date(value, book.datemode)
    if kind == xlrd.XL_CELL_NUMBER:
        return _shown(book, sheet, row, column, float(value))
    return str(value) if kind == xlrd.XL_CELL_TEXT else ""


def _xls_date(value: float, mode: int) -> Cell:
    import xlrd

    try:
        if 0 <= value < 1:
            return time(*xlrd.xldate_as_tuple(value, mode)[3:])
        found: datetime = xlrd.xldate_as_datetime(value, mode)
    except (ValueError, OverflowError):
        return value
    return found.date() if found.time() == time(0) else found


def _shown(book: Any, sheet: Any, row: int, column: int, value: float) -> Cell:
    """A number with the leading zeros that its format shows (``000000``)."""
    try:
        form = book.format_map[book.xf_list[sheet.cell_xf_index(row, column)].format_key].format_str
    except (AttributeError, IndexError, KeyError, TypeError):
        return value
    if form and set(form) == {"0"} and len(form) > 1 and value == int(value) >= 0:
        return str(int(value)).zfill(len(form))
    return value
