"""A table's columns: name, other spellings, type and limits; a row's raw cells become typed values by them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, NamedTuple

from core.tables import values
from core.tables.problem import CellInvalid, Problems

Parse = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """One column.

    ``kind``: text, lon, lat, number, whole, yesno, date, moment, object (JSON), list or geometry; ``parse`` replaces
    what the kind does (it raises :class:`CellInvalid`).  ``also``: other headings that mean this column.
    """

    name: str
    kind: str = "text"
    required: bool = False
    default: Any = None
    pattern: str = ""
    length: int = 200
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    also: tuple[str, ...] = ()
    parse_with: Parse | None = None

    def fallback(self) -> Any:
        """The value of an empty field."""
        if self.kind == "object":
            return dict(self.default or {})
        if self.kind == "list":
            return list(self.default or [])
        if self.kind == "text" and self.default is None:
            return ""
        return self.default

    def parse(self, value: Any) -> Any:
        """The typed value; :class:`CellInvalid` (a ``ValueError``) says what is wrong."""
        if self.parse_with is not None:
            return self.parse_with(value)
        return _KINDS[self.kind](self, value)

    def keeps_digits(self, value: Any) -> bool:
        """Whether a number cell certainly lost no leading zero: its digits fit a pattern of fixed lengths."""
        digits = values.as_text(value)
        return bool(self.pattern.startswith(r"\d{") and re.fullmatch(self.pattern, digits))


def _text(column: Column, value: Any) -> str:
    return values.text(value, column.length, column.pattern, column.choices)


def _list(column: Column, value: Any) -> list[str]:
    return values.choices(value, column.choices) if column.choices else values.items(value)


_KINDS: dict[str, Callable[[Column, Any], Any]] = {
    "text": _text,
    "lon": lambda column, value: values.degrees(value, 180),
    "lat": lambda column, value: values.degrees(value, 90),
    "number": lambda column, value: values.number(value, column.low, column.high),
    "whole": lambda column, value: values.whole(value, column.low, column.high),
    "yesno": lambda column, value: values.yes_no(value),
    "date": lambda column, value: values.day(value),
    "moment": lambda column, value: values.moment(value),
    "object": lambda column, value: values.from_json(value),
    "list": _list,
    "geometry": lambda column, value: value,
}


class Place(NamedTuple):
    """Where a row stands: ``row`` as the file counts."""

    file: str
    sheet: str
    row: int


def parse_row(
    raw: Mapping[str, Any], columns: Iterable[Column], place: Place, problems: Problems
) -> dict[str, Any] | None:
    """The typed values of ``raw``; None when a field is wrong, each of which is then one problem.

    A column that the file does not have is left out of the answer unless it has a default.
    """
    row: dict[str, Any] = {}
    good = True
    for column in columns:
        try:
            value = values.clean(raw.get(column.name))
            if isinstance(value, str) and value == "":
                if column.required:
                    raise CellInvalid("missing")
                if column.name in raw or column.default is not None:
                    row[column.name] = column.fallback()
            else:
                row[column.name] = column.parse(value)
                _look_at_type(column, value, place, problems)
        except CellInvalid as error:
            problems.tell(place.file, error.code, sheet=place.sheet, row=place.row, field=column.name, **error.values)
            good = False
    return row if good else None


def _look_at_type(column: Column, value: Any, place: Place, problems: Problems) -> None:
    """Warn of a number or a date where a text was meant: Excel drops zeros and turns 1-2 into the second of January."""
    if column.kind != "text" or column.parse_with is not None or isinstance(value, (str, bool)):
        return
    code = "date_in_text" if isinstance(value, (date, time)) else "number_in_text"
    if code == "date_in_text" or not column.keeps_digits(value):
        shown = values.as_text(value)
        problems.tell(place.file, code, sheet=place.sheet, row=place.row, field=column.name, value=shown)
