"""Filters of lists as declared groups: ``Annotated[SomeFilters, Query()]`` reads, checks and describes them.

A filter that is sent empty counts as not sent.  A value that does not fit is refused by the filter's name
(``input_invalid``, 422; 400 under OGC's interfaces).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

BoxOfDegrees = tuple[float, float, float, float]


def _plain(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds U+0000: leave that character out")
    return value


def _moment(value: Any) -> Any:
    """An ISO 8601 time with zone, in UTC; a plus sign that became a space on its way is put back."""
    if not isinstance(value, str):
        return value
    try:
        read = datetime.fromisoformat(value.strip().replace(" ", "+"))
        if read.tzinfo is None:
            raise ValueError("it has no time zone, add Z or +08:00")
        return read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{error}; send ISO 8601, e.g. 2026-06-05T07:00:00Z") from error


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value.strip())
    except ValueError as error:
        raise ValueError(f"{error}; send a day, e.g. 2026-11-28") from error


def _box(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # FastAPI gives what is read as a tuple as a list of what was sent
    if not isinstance(value, str):
        return value
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        west, south, east, north = 1.0, 0.0, 0.0, 0.0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError(f"{value[:80]!r} is no box: send west,south,east,north in degrees")
    return west, south, east, north


def _several(value: Any) -> Any:
    """``a,b,c`` (also sent as several parameters) as a tuple."""
    given = [value] if isinstance(value, str) else value
    if not all(isinstance(text, str) for text in given):
        return value
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


_LIST: dict[str, Any] = {"type": "string", "description": "several with commas"}
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_plain)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80), AfterValidator(_plain)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_plain)]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Box = Annotated[
    BoxOfDegrees,
    BeforeValidator(_box),
    WithJsonSchema({"type": "string", "description": "west,south,east,north in degrees (WGS-84)"}),
]
Several = Annotated[tuple[Text, ...], BeforeValidator(_several), WithJsonSchema(_LIST)]
DivisionCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^(?:[0-9]{6}|[0-9]{9}|[0-9]{12}|[0-9]{15})$"),
    Field(description="GB/T 2260 and its street and community codes: 6, 9, 12 or 15 digits"),
]


def _empty(value: Any) -> bool:
    if isinstance(value, list):
        return all(_empty(part) for part in value)
    return isinstance(value, str) and not value.strip()


class Filters(BaseModel):
    """A group of filters; one that is sent empty is left out unless it stands in ``meaningful_when_empty``."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)
    meaningful_when_empty: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _sent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        kept = cls.meaningful_when_empty
        return {k: v for k, v in given.items() if k in kept or not _empty(v)}


class Paged(Filters):
    """A page by number of the first row."""

    limit: int = Field(100, ge=1, le=2000, description="rows at most")
    offset: int = Field(0, ge=0, le=10_000_000, description="rows left out before")


class PeriodFilter(Filters):
    """A span of time; what is left out is the route's to fill in."""

    start: Moment | None = Field(None, alias="from")
    end: Moment | None = Field(None, alias="to")
