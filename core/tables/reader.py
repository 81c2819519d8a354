"""Reads one table file into rows: whatever its form, with every problem named by file, sheet, row and field.

    problems = Problems()
    with open("staff.xlsx", "rb") as file:
        rows = list(read_table(file, "staff.xlsx", COLUMNS, problems))
    # rows[0].place.row, rows[0].values["name"]; for p in problems: p.as_dict("zh")

The form is told by content, not by suffix.  Rows that are wrong are left out and named; the others come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple, cast

from core.tables.cells import Cell, CellError
from core.tables.columns import Column, Place, parse_row
from core.tables.csvfile import read_csv
from core.tables.heading import SEARCHED, Heading, Names, find_heading, letters, tell_heading
from core.tables.merged import areas_of, unmerge, unmerged_lines
from core.tables.problem import CellInvalid, FileUnreadable, Problems
from core.tables.values import as_text, clean
from core.tables.workbook import Sheet, has_macros, read_workbook
from core.tables.xlsx_stream import StreamedSheet

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".et")
MAX_ROWS = 1_000_000
_GAPS = re.compile("[\x1a\0\\s\u3000\u00a0\ufeff\u200b]")
Lines = Iterator[tuple[int, Sequence[Cell]]]


class TableRow(NamedTuple):
    """A row with its place; ``values`` are typed by the columns (or the raw cells, of :func:`raw_rows`).

    ``cells``: how many the row has in a text file, where those are fewer than the heading's ``expected``.
    """

    place: Place
    values: dict[str, Any]
    cells: int = 0
    expected: int = 0


def read_table(
    file: BinaryIO,
    name: str,
    columns: Sequence[Column],
    problems: Problems,
    *,
    mapped: Mapping[str, str] | None = None,
    max_rows: int = MAX_ROWS,
    strict: bool = False,
) -> Iterator[TableRow]:
    """The good rows of ``file`` (seekable, binary; called ``name`` in problems), typed by ``columns``.

    ``mapped``: the file's headings → column names, as the user mapped them.  Never raises for what is in the file: a
    file that cannot be read at all is one problem of severity *error* with row 0 (``strict``: :class:`FileUnreadable`
    is raised instead, for a caller who names unread files).
    """
    read = _read_all(file, name, columns, problems, mapped, max_rows)
    for row in read if strict else _told(read, name, problems):
        values = parse_row(row.values, columns, row.place, problems)
        if values is None:
            continue
        if row.cells:
            _tell(problems, row.place, "row_short", "", count=row.cells, expected=row.expected)
        yield TableRow(row.place, values)
    problems.fold(name, "number_in_text", "numbers_in_text")


def raw_rows(
    file: BinaryIO,
    name: str,
    columns: Sequence[Column],
    problems: Problems,
    *,
    mapped: Mapping[str, str] | None = None,
    max_rows: int = MAX_ROWS,
) -> Iterator[TableRow]:
    """As :func:`read_table` with the cells as they stand; without ``columns`` every heading is a column."""
    yield from _told(_read_all(file, name, columns, problems, mapped, max_rows), name, problems)


def _told(rows: Iterator[TableRow], name: str, problems: Problems) -> Iterator[TableRow]:
    try:
        yield from rows
    except FileUnreadable as error:
        values = dict(error.values)
        problems.tell(name, error.code, field=str(values.pop("field", "")), **values)


def _read_all(
    file: BinaryIO,
    name: str,
    columns: Sequence[Column],
    problems: Problems,
    mapped: Mapping[str, str] | None,
    max_rows: int,
) -> Iterator[TableRow]:
    names = Names({c.name: c.also for c in columns if c.kind != "geometry"}, mapped)
    required = [c.name for c in columns if c.required]
    count = headings = 0
    lacking: FileUnreadable | None = None
    for sheet, lines, merged in _sheets(file, name, problems):
        try:
            for row in _sheet_rows(sheet, lines, merged, name, names, required, problems):
                count += 1
                if count > max_rows:
                    raise FileUnreadable("too_many_rows", limit=max_rows)
                yield row
            headings += 1
        except _Blank:
            continue
        except _Lacking as error:
            lacking = lacking or FileUnreadable(error.code, **error.values)
            if sheet is not None:
                problems.tell(name, "sheet_unread", sheet=sheet.name)
    if lacking is not None and not headings:
        raise lacking
    if not headings:
        raise FileUnreadable("empty")
    if not count and not any(problem.file == name for problem in problems):
        problems.tell(name, "heading_alone")


class _Lacking(FileUnreadable):
    """A sheet without a heading, or one without the columns that a row must have."""


class _Blank(FileUnreadable):
    """A sheet, or a text file, in which nothing stands."""


def is_workbook(file: BinaryIO) -> bool:
    """Whether the content is that of a workbook (whatever the file's name says)."""
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    return magic.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x09\x08", b"\x09\x04", b"\x09\x02"))


def _sheets(
    file: BinaryIO, name: str, problems: Problems
) -> Iterator[tuple[Sheet | StreamedSheet | None, Lines, dict[int, list[Any]]]]:
    """Lines of every visible sheet (None: a text file) and the merged areas by their rows."""
    file.seek(0)
    head = file.read(2048).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not is_workbook(file):
        if head.startswith((b"<html", b"<!doctype", b"<table", b"<meta", b"<head")):
            raise FileUnreadable("web_page")
        if head.startswith((b"<?xml", b"<workbook")):
            raise FileUnreadable("xml_sheet")
        if not head:
            raise FileUnreadable("empty")
        yield None, iter(read_csv(file, name, problems)), {}
        return
    if has_macros(file):
        problems.tell(name, "macros_unread")
    for sheet in read_workbook(file):
        if sheet.hidden:
            if next(sheet.lines(), None):
                problems.tell(name, "sheet_hidden", sheet=sheet.name)
            continue
        if isinstance(sheet, StreamedSheet):
            areas = areas_of(sheet.merged)
            yield sheet, unmerged_lines(sheet), areas
            continue
        merged = unmerge(sheet)
        yield sheet, sheet.lines(), merged


def _sheet_rows(
    sheet: Sheet | StreamedSheet | None,
    lines: Lines,
    merged: dict[int, list[Any]],
    name: str,
    names: Names,
    required: list[str],
    problems: Problems,
) -> Iterator[TableRow]:
    title = sheet.name if sheet else ""
    first = list(islice(lines, SEARCHED))
    heading = find_heading(first, names)
    if heading is None:
        if first:
            raise _Lacking("no_heading", known=", ".join(names.known))
        raise _Blank("empty")
    missing = [column for column in required if column not in heading.columns]
    if missing:
        shown = ", ".join([*heading.columns, *heading.unknown.values()])
        raise _Lacking("column_missing", field=missing[0], found=shown)
    tell_heading(heading, names, problems, name, title)
    below = [line for line in first if line[0] > heading.row]
    told: set[Any] = set()
    named = {p for places in heading.columns.values() for p in places} | set(heading.unknown)
    for number, cells in chain(below, lines):
        if all(map(_blank, cells)):
            continue
        place = Place(name, title, number)
        for area, top in merged.get(number, ()):
            if top > heading.row and area not in told:
                told.add(area)
                problems.tell(name, "merged", sheet=title, row=top, area=area)
        raw = _row(cells, heading, place, sheet is None, problems, told, named)
        if raw is not None:
            short = sheet is None and len(cells) < heading.width
            yield TableRow(place, raw, len(cells) if short else 0, heading.width)


def _row(
    cells: Sequence[Cell], heading: Heading, place: Place, ragged: bool, problems: Problems, told: set[Any],
    named: set[int],
) -> dict[str, Any] | None:  # fmt: skip
    """The row's cells by column; None for a row that cannot be told apart (too wide, contradicting itself)."""
    count = len(cells)
    beyond = []
    if count > heading.width:
        beyond = [(k, c) for k, c in enumerate(cells[heading.width :], heading.width) if not _blank(c)]
    if beyond and ragged:
        surplus = ", ".join(_shown(c) for _, c in beyond)
        _tell(problems, place, "row_wide", "", count=beyond[-1][0] + 1, expected=heading.width, surplus=surplus)
        return None
    if count > len(named) or len(named) < heading.width:
        _tell_unnamed(cells, named, place, problems, told)
    whole = ragged and count == heading.width  # a text file's row, whose cells are texts
    if whole and heading.plain is not None and not _GAPS.search("".join(cast(Sequence[str], cells))):
        return {column: cells[at] for column, at in heading.plain}  # no cell with blanks, nor a column twice
    raw: dict[str, Any] = {}
    for column, places in heading.columns.items():
        if len(places) == 1:
            cell = cells[places[0]] if places[0] < count else ""
            raw[column] = "" if _blank(cell) else cell
            continue
        found = [cells[p] for p in places if p < len(cells) and not _blank(cells[p])]
        if len(found) > 1 and len({_shown(c) for c in found}) > 1:
            _tell(problems, place, "differs", column, found=", ".join(_shown(c) for c in found))
            return None
        raw[column] = found[0] if found else ""
    return raw


def _tell_unnamed(cells: Sequence[Cell], named: set[int], place: Place, problems: Problems, told: set[Any]) -> None:
    for k, cell in enumerate(cells):
        if k not in named and k not in told and not _blank(cell):
            told.add(k)
            _tell(problems, place, "column_unnamed", letters(k), column=letters(k))


def _tell(problems: Problems, place: Place, code: str, field: str, **values: Any) -> None:
    problems.tell(place.file, code, sheet=place.sheet, row=place.row, field=field, **values)


def _blank(cell: Cell) -> bool:
    if type(cell) is str and cell and ("!" <= cell[0] <= "~" or "\u3001" <= cell[0] <= "\u9fff"):
        return False  # what nearly every cell is
    return cell is None or (isinstance(cell, str) and not cell.strip("\x1a\0 \t\r\n\u3000\u00a0\ufeff\u200b"))


def _shown(cell: Cell) -> str:
    if isinstance(cell, CellError):
        return cell.text
    try:
        return as_text(clean(cell))
    except CellInvalid:
        return str(cell)
