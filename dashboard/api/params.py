"""Query parameters and bodies as typed values; what does not fit is a typed error that names the field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from fastapi import Request

from core.errors import InputInvalid

T = TypeVar("T")
_NUL = re.compile(rb"\x00|(?<!\\)(?:\\\\)*\\u0000")


def text(query: Mapping[str, str], name: str, longest: int = 200) -> str | None:
    """The parameter, None when it is missing or empty."""
    value = query.get(name, "").strip()
    if "\x00" in value:
        raise InputInvalid(field=name, detail="holds U+0000", how="leave that character out")
    if len(value) > longest:
        raise InputInvalid(field=name, detail=f"longer than {longest} characters", how="send less")
    return value or None


def whole(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``."""
    given = query.get(name, "").strip()
    if not given:
        return default
    try:
        value = int(given)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise InputInvalid(field=name, detail=f"{given!r} is no whole number from {low} to {high}", how="correct it")
    return value


def yesno(query: Mapping[str, str], name: str) -> bool | None:
    """True, False, or None when it is missing."""
    given = query.get(name, "").strip().lower()
    if not given:
        return None
    if given in {"1", "true", "yes"}:
        return True
    if given in {"0", "false", "no"}:
        return False
    raise InputInvalid(field=name, detail=f"{given!r} is neither true nor false", how="send true or false")


def moment(query: Mapping[str, str], name: str) -> datetime | None:
    """An ISO 8601 time with zone."""
    given = query.get(name, "").strip()
    if not given:
        return None
    try:
        value = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise InputInvalid(field=name, detail=str(error), how="send ISO 8601, e.g. 2026-06-05T07:00:00Z") from error
    if value.tzinfo is None:
        raise InputInvalid(field=name, detail="has no time zone", how="add Z or +08:00")
    return value.astimezone(UTC)


def bbox(query: Mapping[str, str], name: str = "bbox") -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees."""
    given = query.get(name, "").strip()
    if not given:
        return None
    try:
        west, south, east, north = (float(v) for v in given.split(","))
    except ValueError:
        west, south, east, north = 1.0, 0.0, 0.0, 0.0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputInvalid(field=name, detail=f"{given!r} is no box", how="send west,south,east,north in degrees")
    return west, south, east, north


def decode(kind: type[T], data: bytes) -> T:
    """A JSON body as ``kind``; U+0000 is refused everywhere, because PostgreSQL keeps none."""
    if _NUL.search(data):
        raise InputInvalid(field="body", detail="holds U+0000", how="leave that character out")
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(field="body", detail=str(error), how="see docs/api.md") from error


async def body(request: Request, kind: type[T]) -> T:
    """The request's JSON body as ``kind``."""
    return decode(kind, await request.body())


def fields(value: Any) -> dict[str, Any]:
    """The fields of a struct that were sent (``UNSET`` ones are left out)."""
    return {k: v for k, v in msgspec.structs.asdict(value).items() if v is not msgspec.UNSET}
