"""What a cell of a table can hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

Value = str | float | int | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True)
class CellError:
    """A cell that holds no value: ``text`` is ``#REF!`` and the like, or empty for a formula without a result."""

    text: str


Cell = Value | CellError
Area = tuple[int, int, int, int]
