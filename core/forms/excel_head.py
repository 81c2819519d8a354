"""The head of a table as people make it in Excel: title rows above, merged groups, blanks and line breaks in names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import YiwangError

MOST_HEAD_ROWS = 20


class HeadInvalid(YiwangError):
    code = "head_invalid"
    message = "the table's head is not clear: {reason} {columns}"
    remedy = "give every column one name of its own"
    zh = "表头不清楚：{reason} {columns}"
    zh_remedy = "每一列要有自己唯一的名称"


class BodyMerged(YiwangError):
    code = "merged_body"
    message = "cells are merged in the table: {cells}"
    remedy = "undo the merge, or mark the column as having one value for all rows of a merge"
    zh = "表格内容里有合并单元格：{cells}"
    zh_remedy = "取消合并，或把该列标为“合并区内各行同值”"


@dataclass(frozen=True)
class Area:
    """A merged range, 0-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int
    text: str  # as Excel writes it: A1:B2

    @classmethod
    def of(cls, text: str) -> Area:
        """From ``A1:B2``."""
        first, _, last = text.partition(":")
        (top, left), (bottom, right) = _cell(first), _cell(last or first)
        return cls(top, left, bottom, right, text)


@dataclass(frozen=True)
class Head:
    """``row`` is the last row of the head as Excel counts; ``columns`` are ``(0-based column, name)``; parts of a
    name are joined with ``/``."""

    row: int
    columns: tuple[tuple[int, str], ...]

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.columns]


def find_head(rows: Sequence[Sequence[Any]], merged: Sequence[str] = ()) -> Head:
    """The head ends in the first row in which every used column has a name of its own.

    A merge that reaches down into that row pulls the rows above it in; title rows stay outside.
    :class:`HeadInvalid` with ``reason`` ``duplicate-column`` or ``no-head``.
    """
    areas = [Area.of(text) for text in merged]
    width = max((len(row) for row in rows), default=0)
    used = [c for c in range(width) if any(c < len(row) and row[c] not in (None, "") for row in rows)]
    grid = [_filled(rows, areas, r, width) for r in range(min(len(rows), MOST_HEAD_ROWS))]
    for last in range(len(grid)):
        for first in range(last, -1, -1):
            names = _joined(grid, first, last, used)
            if all(names) and len(set(names)) == len(names):
                first = _pulled_up(areas, first, last)
                return Head(last + 1, tuple(zip(used, _joined(grid, first, last, used), strict=True)))
        own = _joined(grid, last, last, used)
        if all(own) and not any(area.top <= last <= area.bottom for area in areas):
            doubles = [name for name in dict.fromkeys(own) if own.count(name) > 1]
            raise HeadInvalid(reason="duplicate-column", columns=doubles)
    raise HeadInvalid(reason="no-head", columns=[])


def check_body(head: Head, merged: Sequence[str], same_value: Sequence[str] = ()) -> None:
    """:class:`BodyMerged` for merges below the head, except in columns of which ``same_value`` says that a merge means
    one value for every row."""
    names = dict(head.columns)
    wrong = [
        area.text for area in map(Area.of, merged)
        if area.bottom >= head.row
        and not (area.left == area.right and area.top >= head.row and names.get(area.left) in same_value)
    ]  # fmt: skip
    if wrong:
        raise BodyMerged(cells=wrong)


def _filled(rows: Sequence[Sequence[Any]], areas: Sequence[Area], r: int, width: int) -> list[str]:
    row = [_name(rows[r][c]) if c < len(rows[r]) else "" for c in range(width)]
    for area in areas:
        if area.top <= r <= area.bottom and area.left < len(rows[area.top]):
            text = _name(rows[area.top][area.left])
            row[area.left : area.right + 1] = [text] * (min(area.right, width - 1) - area.left + 1)
    return row


def _name(value: Any) -> str:
    """A name without blanks and line breaks; numbers are no names."""
    return "".join(value.split()) if isinstance(value, str) else ""


def _joined(grid: Sequence[Sequence[str]], first: int, last: int, used: Sequence[int]) -> list[str]:
    names = []
    for column in used:
        parts = dict.fromkeys(grid[r][column] for r in range(first, last + 1))
        names.append("/".join(part for part in parts if part) if grid[last][column] else "")
    return names


def _pulled_up(areas: Sequence[Area], first: int, last: int) -> int:
    tops = [area.top for area in areas if area.top < first <= area.bottom and area.bottom <= last]
    return _pulled_up(areas, min(tops), last) if tops else first


def _cell(text: str) -> tuple[int, int]:
    letters = text.rstrip("0123456789")
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return int(text[len(letters) :]) - 1, column - 1
