"""What a measure, a board and its tiles are; read from YAML, every problem named with its file and field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from core.errors import InputInvalid
from core.records import Record

T = TypeVar("T")
Value = Literal["count", "sum", "mean", "share"]
TileKind = Literal["number", "bars", "lines", "map", "heat", "table", "text"]


class BoardInvalid(InputInvalid):
    code = "board_invalid"


class History(Record, frozen=True, forbid_unknown_fields=True):
    """How a stock of today was on an earlier day: rows with ``begins`` ≤ the day and ``ends`` after it or empty."""

    begins: str
    ends: str


class Measure(Record, frozen=True, forbid_unknown_fields=True):
    """One figure over one source.

    ``where``: conditions by field (see :mod:`measures.conditions`); ``value``: how many rows, the sum or mean of
    ``field`` times ``scale``, or the share (0…1, shown in percent) of rows that also fulfil ``share``.  ``period``: the
    time field by which rows belong to the board's period; empty: the stock of now, whose past ``history`` tells.
    ``note``: where the figure comes from, in words.  ``stale_hours``: older data get a yellow light.
    """

    id: str
    zh: str
    en: str
    source: str
    where: dict[str, Any] = {}
    value: Value = "count"
    field: str = ""
    share: dict[str, Any] = {}
    period: str = ""
    history: History | None = None
    unit_zh: str = ""
    unit_en: str = ""
    digits: int = 0
    scale: float = 1.0
    better: Literal["", "high", "low"] = ""
    target: float | None = None
    stale_hours: float = 24.0
    note_zh: str = ""
    note_en: str = ""

    def name(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def unit(self, language: str) -> str:
        return "%" if self.value == "share" else self.unit_zh if language == "zh" else self.unit_en

    def note(self, language: str) -> str:
        return self.note_zh if language == "zh" else self.note_en or self.note_zh


class Tile(Record, frozen=True, forbid_unknown_fields=True):
    """A place on a board: one measure (``number``, ``bars``, ``map``, ``heat``) or several (``lines``, ``table``).

    ``by``: the field that groups; ``width``: columns of twelve; a ``text`` tile says what is missing and who brings it.
    """

    kind: TileKind
    measure: str = ""
    measures: tuple[str, ...] = ()
    by: str = ""
    width: int = 2
    rows: int = 12
    zh: str = ""
    en: str = ""
    text_zh: str = ""
    text_en: str = ""

    @property
    def shown(self) -> tuple[str, ...]:
        """The measures of the tile."""
        return (self.measure, *self.measures) if self.measure else self.measures


class Board(Record, frozen=True, forbid_unknown_fields=True):
    """A board: tiles in their order over the last ``days`` days; ``roles``: who may open it, empty: all readers."""

    id: str
    zh: str
    en: str
    tiles: tuple[Tile, ...]
    days: int = 30
    order: int = 100
    roles: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def parse_measure(body: Mapping[str, Any], where: str = "") -> Measure:
    """A measure from its YAML form.

    Raises:
        BoardInvalid: a field is missing, unknown or of the wrong type; the message names ``where``.
    """
    measure = converted(body, Measure, where)
    if measure.value in ("sum", "mean") and not measure.field:
        raise BoardInvalid(field=f"{where} {measure.id}.field", detail="is missing", how="name the field to add up")
    if measure.value == "share" and not measure.share:
        raise BoardInvalid(
            field=f"{where} {measure.id}.share", detail="is missing", how="name the conditions of the share"
        )
    return measure


def parse_board(body: Mapping[str, Any], measures: Mapping[str, Measure], where: str = "") -> Board:
    """A board from its YAML form, its measures known.

    Raises:
        BoardInvalid: as for measures, and a tile that shows an unknown measure.
    """
    board = converted(body, Board, where)
    if not 1 <= board.days <= 400:
        raise BoardInvalid(field=f"{where} days", detail=f"{board.days} days", how="take 1 to 400")
    for number, tile in enumerate(board.tiles, 1):
        at = f"{where} tile {number}"
        if not tile.shown and tile.kind != "text":
            raise BoardInvalid(field=at, detail="shows no measure", how="name a measure")
        for wanted in tile.shown:
            if wanted not in measures:
                raise BoardInvalid(field=at, detail=f"measure {wanted!r} is unknown", how=_nearest(wanted, measures))
        if tile.kind in ("bars", "table") and not tile.by:
            raise BoardInvalid(field=at, detail="by is missing", how="name the field that groups the rows")
        if not 1 <= tile.width <= 12:
            raise BoardInvalid(field=at, detail=f"width {tile.width}", how="take 1 to 12 columns")
    return board


def _nearest(wanted: str, measures: Mapping[str, Measure]) -> str:
    import difflib

    near = difflib.get_close_matches(wanted, measures, n=3)
    return f"did you mean {', '.join(near)}?" if near else "see the list of measures beside the editor"


def converted(body: Mapping[str, Any], kind: type[T], where: str) -> T:
    if not isinstance(body, Mapping):
        raise BoardInvalid(field=where or "file", detail="is not a mapping", how="write `name: value` lines")
    try:
        return msgspec.convert(dict(body), kind, strict=True)
    except msgspec.ValidationError as error:
        label = f"{where} {body.get('id', '')}".strip()
        raise BoardInvalid(field=label, detail=str(error), how="docs/boards.md lists the fields") from error
