"""Answers about boards and their measures."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from measures.definition import Measure


class BoardRow(TypedDict):
    """A board that the person may open; `days`: its usual period."""

    id: str
    zh: str
    en: str
    days: int
    tiles: int


class BoardList(TypedDict):
    """The boards that the person may open, every measure, and what is wrong with files of the city."""

    items: list[BoardRow]
    measures: list[Measure]
    problems: Any


class FigureRow(TypedDict):
    """A measure of a board: value, the period before, when its data were written, whether they are old."""

    measure: str
    name: str
    unit: str
    value: float | None
    rows: int
    before: float | None
    as_of: datetime | None
    stale: bool
    target: float | None


BoardFigures = TypedDict("BoardFigures", {"board": str, "from": datetime, "to": datetime, "items": list[FigureRow]})
BoardFigures.__doc__ = "Each measure of a board over a period."


class TileRows(TypedDict):
    """The very rows that a tile's figure counts."""

    title: str
    columns: list[dict[str, str]]
    items: list[Any]
