"""Merged cells: every row of an area gets its value, and the areas are told by their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.tables.cells import Area, Cell
from core.tables.heading import letters
from core.tables.workbook import Sheet
from core.tables.xlsx_stream import StreamedSheet

_MOST_ROWS_MERGED = 10_000  # rows of merged areas that are told one by one


def areas_of(merged: Sequence[Area]) -> dict[int, list[Any]]:
    """Row → [(area as a sheet writes it, first row)], of areas of several rows."""
    areas: dict[int, list[Any]] = {}
    for top, left, bottom, right in merged:
        if bottom > top:
            area = f"{letters(left)}{top + 1}:{letters(right)}{bottom + 1}"
            for row in range(top, min(bottom, top + _MOST_ROWS_MERGED) + 1):
                areas.setdefault(row + 1, []).append((area, top + 1))
    return areas


def unmerged_lines(sheet: StreamedSheet) -> Iterator[tuple[int, list[Cell]]]:
    """The lines with the value of a merged area in each of its rows."""
    waiting = sorted((area for area in sheet.merged if area[2] > area[0]), reverse=True)
    open_areas: list[tuple[int, int, Cell]] = []  # last row from 1, column, value
    for number, cells in sheet.lines():
        open_areas = [area for area in open_areas if area[0] >= number]
        for _, column, value in open_areas:
            cells.extend([""] * (column + 1 - len(cells)))
            if cells[column] in ("", None):
                cells[column] = value
        while waiting and waiting[-1][0] < number:
            top, left, bottom, _ = waiting.pop()
            if top + 1 == number and left < len(cells):
                open_areas.append((bottom + 1, left, cells[left]))
        yield number, cells


def unmerge(sheet: Sheet) -> dict[int, list[Any]]:
    """Give every row of a merged area its value; returns row → [(area as a sheet writes it, first row)]."""
    areas: dict[int, list[Any]] = {}
    for top, left, bottom, right in sheet.merged:
        if bottom == top or top >= len(sheet.rows) or left >= len(sheet.rows[top]):
            continue
        area = f"{letters(left)}{top + 1}:{letters(right)}{bottom + 1}"
        for row in range(top, min(bottom, len(sheet.rows) - 1) + 1):
            cells = sheet.rows[row]
            if left < len(cells) and row > top and cells[left] in ("", None):
                cells[left] = sheet.rows[top][left]
            areas.setdefault(row + 1, []).append((area, top + 1))
    return areas
