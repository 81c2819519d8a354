"""What a client of the OGC interfaces asks: parameters, the box, the interval of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import ConfigDict, Field

from core.errors import InputInvalid
from dashboard.api.filters import Filters, Text
from dashboard.ogc.sources import Box


class OgcFilters(Filters):
    """What every resource takes; anything else is refused (17-069, /req/core/query-param-unknown)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    f: Literal["json", "geojson"] = "json"
    api_key: Text | None = None


class ItemFilters(OgcFilters):
    """Which features of a collection."""

    limit: int = Field(100, ge=1, le=10_000_000, description="at most 10,000 are given")
    offset: int = Field(0, ge=0, le=100_000_000)
    bbox: Text = Field("", description="west,south,east,north in degrees (or six numbers, with heights)")
    datetime: Text = Field("", description="a moment or an interval of RFC 3339; .. is open")


Asked = Annotated[OgcFilters, Query()]


def box(text: str) -> Box | None:
    """``west,south,east,north`` (or with heights) in degrees."""
    if not text.strip():
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    good = len(numbers) == 4 and all(abs(n) <= 360 for n in numbers) and numbers[1] <= numbers[3]
    if not good or numbers[0] > numbers[2]:
        raise InputInvalid(
            field="bbox", detail=f"{text[:60]!r} is no box", how="write west,south,east,north in degrees"
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def interval(text: str) -> tuple[datetime | None, datetime | None]:
    """A moment or an interval (``..`` or nothing: open) of RFC 3339."""
    if not text.strip():
        return None, None
    first, slash, last = text.strip().partition("/")
    since = _moment(first)
    until = _moment(last) if slash else since
    if (slash and since is None and until is None and text.strip() not in {"../..", "/", "../", "/.."}) or (
        since and until and since > until
    ):
        raise InputInvalid(field="datetime", detail=f"{text[:60]!r}", how="write 2026-11-01T00:00:00Z/..")
    return since, until


def _moment(text: str) -> datetime | None:
    if text in {"", ".."}:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputInvalid(field="datetime", detail=f"{text[:60]!r}", how="write 2026-11-01T00:00:00Z/..") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
