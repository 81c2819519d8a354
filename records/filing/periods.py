"""Periods of filing: day, week, month, quarter, year, once; labels that sort by time within their kind."""

from __future__ import annotations

import re
from datetime import date, timedelta

from core.errors import InputInvalid

KINDS = ("day", "week", "month", "quarter", "year", "once")
_FORMS = {
    "day": re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"),
    "week": re.compile(r"([0-9]{4})-W([0-9]{2})"),
    "month": re.compile(r"([0-9]{4})-([0-9]{2})"),
    "quarter": re.compile(r"([0-9]{4})-Q([1-4])"),
    "year": re.compile(r"([0-9]{4})"),
    "once": re.compile(r"once"),
}
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


class PeriodInvalid(InputInvalid):
    code = "period_invalid"


def bounds(kind: str, label: str) -> tuple[date, date]:
    """First and last day of the period called ``label``; :class:`PeriodInvalid` when it is none of ``kind``."""
    match = _FORMS[kind].fullmatch(label) if kind in _FORMS else None
    try:
        if match is None:
            raise ValueError("has another form")
        return _bounds(kind, [int(part) for part in match.groups()])
    except ValueError as error:
        raise PeriodInvalid(
            field="period",
            detail=f"{label!r} is no {kind} ({error})",
            how="give 2026-11-28, 2026-W48, 2026-11, 2026-Q4 or 2026",
        ) from error


def _bounds(kind: str, parts: list[int]) -> tuple[date, date]:
    match kind:
        case "day":
            return date(*parts), date(*parts)
        case "week":
            first = date.fromisocalendar(parts[0], parts[1], 1)
            return first, first + timedelta(days=6)
        case "month":
            return date(parts[0], parts[1], 1), _month_end(parts[0], parts[1])
        case "quarter":
            return date(parts[0], parts[1] * 3 - 2, 1), _month_end(parts[0], parts[1] * 3)
        case "year":
            return date(parts[0], 1, 1), date(parts[0], 12, 31)
        case _:
            return _FIRST, _LAST


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def period_of(kind: str, day: date) -> str:
    """The label of the period in which ``day`` lies."""
    match kind:
        case "day":
            return day.isoformat()
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case "year":
            return f"{day.year}"
        case "once":
            return "once"
        case _:
            raise PeriodInvalid(field="period", detail=f"{kind!r} is no kind", how=f"use one of {', '.join(KINDS)}")


def before(kind: str, label: str, count: int = 1) -> list[str]:
    """The ``count`` periods before ``label``, the nearest first; none before ``once``."""
    found: list[str] = []
    while len(found) < count and kind != "once":
        first, _ = bounds(kind, found[-1] if found else label)
        found.append(period_of(kind, first - timedelta(days=1)))
    return found
