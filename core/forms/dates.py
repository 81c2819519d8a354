"""Dates in expressions: ISO text in and out, days and work days.  Pure; the same rules as ``dates.mjs``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_HERE_S = 8 * 3600  # Asia/Shanghai, which has had no summer time since 1991
MOST_DAYS = 36_600  # work days are counted over a hundred years at most


class WorkDays(Protocol):
    """What an expression must know of a calendar; ``core`` calendars have it."""

    def works(self, ordinal: int) -> bool:
        """Is work done on the day ``ordinal`` (``date.toordinal``)?"""


@dataclass(frozen=True)
class PlainWorkDays:
    """Weekends, holidays and shifted work days (调休), as in the calendars' JSON; a work day beats a holiday."""

    weekend: frozenset[int] = frozenset((6, 7))
    holidays: frozenset[int] = frozenset()
    workdays: frozenset[int] = frozenset()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> PlainWorkDays:
        """From ``{"weekend": [6, 7], "holidays": ["2026-10-01"], "workdays": [...]}``."""

        def days(name: str) -> frozenset[int]:
            return frozenset(date.fromisoformat(text).toordinal() for text in body.get(name) or ())

        return cls(frozenset(body.get("weekend", (6, 7))), days("holidays"), days("workdays"))

    def works(self, ordinal: int) -> bool:
        """Is work done that day?"""
        if ordinal in self.workdays:
            return True
        return ordinal not in self.holidays and (ordinal - 1) % 7 + 1 not in self.weekend


def day_of(value: Any) -> int | None:
    """The ordinal of the date that ``value`` (ISO date or date and time) shows, or None."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal()
    except ValueError:
        return None


def instant_of(value: Any) -> int | None:
    """Seconds since year 1 in local time of an ISO date (its midnight) or date and time, or None."""
    day = day_of(value)
    if day is None:
        return None
    match = _MOMENT.fullmatch(value)
    assert match
    hour, minute, second = (int(match[i] or 0) for i in (4, 5, 6))
    if hour > 23 or minute > 59 or second > 59:
        return None
    seconds = day * 86_400 + hour * 3600 + minute * 60 + second
    zone = match[7]
    if zone is None:
        return seconds
    offset = 0 if zone == "Z" else (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60) * (-1 if zone[0] == "-" else 1)
    return seconds - offset + _HERE_S


def iso(day: int) -> str | None:
    """The ISO date of an ordinal; None outside the years 1 to 9999."""
    return date.fromordinal(day).isoformat() if 1 <= day <= date.max.toordinal() else None


def workdays_between(first: int, last: int, calendar: WorkDays) -> int | None:
    """Work days after ``first`` up to and with ``last``; negative the other way round; None beyond a century."""
    if abs(last - first) > MOST_DAYS:
        return None
    low, high = min(first, last), max(first, last)
    count = sum(calendar.works(day) for day in range(low + 1, high + 1))
    return count if last >= first else -count


def add_workdays(day: int, count: int, calendar: WorkDays) -> int | None:
    """The ``count``-th work day after ``day`` (before it when negative); 0 gives ``day``; None beyond a century."""
    step, left = (1, count) if count >= 0 else (-1, -count)
    for _ in range(MOST_DAYS):
        if not left:
            return day
        day += step
        if not 1 <= day <= date.max.toordinal():
            return None
        left -= calendar.works(day)
    return None if left else day


def age_on(birth: int, day: int) -> int | None:
    """Whole years of age on ``day``; somebody born on 29 February is a year older on 1 March; None before birth."""
    if day < birth:
        return None
    born, on = date.fromordinal(birth), date.fromordinal(day)
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
