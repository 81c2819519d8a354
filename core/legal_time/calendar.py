"""Working calendars: time zone, working periods, weekends, holidays and shifted workdays (调休)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InputInvalid

DAY_S = 86_400
STATUTORY = Path(__file__).parent / "calendar_cn.json"
KNOWN_FIELDS = frozenset(
    {"timezone", "periods", "weekend", "holidays", "workdays", "published_years", "name", "source"}
)
DEFAULTS: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "periods": [["08:00", "12:00"], ["14:00", "18:00"]],
    "weekend": [6, 7],
    "holidays": [],
    "workdays": [],
}


class CalendarInvalid(InputInvalid):
    code = "calendar_invalid"


@dataclass(frozen=True)
class WorkCalendar:
    """When work is done.

    ``periods`` are seconds of the local day, sorted, disjoint, never empty.  ``weekend`` are ISO weekdays (1 Monday).
    ``holidays`` and ``workdays`` are proleptic ordinals (``date.toordinal``); a workday beats a holiday beats
    the weekend.  ``published`` are the years whose holiday table is final (empty: do not warn).
    """

    timezone: str
    periods: tuple[tuple[int, int], ...]
    weekend: frozenset[int]
    holidays: frozenset[int]
    workdays: frozenset[int]
    published: frozenset[int] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def day_seconds(self) -> int:
        """Working seconds of one day: what a work day counts."""
        return sum(end - begin for begin, end in self.periods)

    def works(self, ordinal: int) -> bool:
        """Is work done on the day ``ordinal``?"""
        if ordinal in self.workdays:
            return True
        return ordinal not in self.holidays and (ordinal - 1) % 7 + 1 not in self.weekend

    def why_closed(self, ordinal: int) -> str:
        """Why no work is done that day: ``holiday`` or ``weekend``."""
        return "holiday" if ordinal in self.holidays else "weekend"

    def never_after(self, ordinal: int) -> bool:
        """True when no working day exists from ``ordinal`` on."""
        return len(self.weekend) == 7 and (not self.workdays or max(self.workdays) < ordinal)


def parse_calendar(body: Any) -> WorkCalendar:
    """A calendar from its JSON form; :class:`CalendarInvalid` names the field.

    Missing fields take :data:`DEFAULTS`.
    """
    if not isinstance(body, dict):
        raise CalendarInvalid(field="calendar", detail="is not an object", how="give timezone, periods, weekend …")
    return _parse(json.dumps(body, sort_keys=True))


@lru_cache(maxsize=4096)
def _parse(text: str) -> WorkCalendar:
    body = {**DEFAULTS, **{k: v for k, v in json.loads(text).items() if v is not None}}
    timezone = body["timezone"]
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise CalendarInvalid(
            field="calendar.timezone", detail=f"{timezone!r} is not a time zone", how="give an IANA name: Asia/Shanghai"
        ) from error
    return WorkCalendar(
        timezone=timezone,
        periods=_periods(body["periods"]),
        weekend=_weekend(body["weekend"]),
        holidays=_dates("holidays", body["holidays"]),
        workdays=_dates("workdays", body["workdays"]),
        published=_years(body.get("published_years", [])),
    )


def _periods(raw: Any) -> tuple[tuple[int, int], ...]:
    field, how = (
        "calendar.periods",
        'give [["08:00", "12:00"], ["14:00", "18:00"]]; a night shift is two periods: to 24:00, from 00:00',
    )
    if not isinstance(raw, list) or not raw:
        raise CalendarInvalid(field=field, detail="there is no working period", how=how)
    periods = []
    for item in raw:
        if not isinstance(item, list) or len(item) != 2:
            raise CalendarInvalid(field=field, detail=f"{item!r} is not a pair of times", how=how)
        begin, end = _time_of_day(item[0], how), _time_of_day(item[1], how)
        if begin >= end:
            raise CalendarInvalid(field=field, detail=f"period {item[0]}–{item[1]} is empty", how=how)
        periods.append((begin, end))
    periods.sort()
    for (_, end), (begin, _end) in zip(periods, periods[1:], strict=False):
        if begin < end:
            raise CalendarInvalid(
                field=field, detail=f"periods overlap from {_clock(begin)} to {_clock(end)}", how="join or part them"
            )
    return tuple(periods)


def _time_of_day(text: Any, how: str) -> int:
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) in (2, 3) and all(p.isascii() and p.isdigit() and len(p) <= 2 for p in parts):
        hour, minute, second = (*map(int, parts), 0)[:3]
        total = hour * 3600 + minute * 60 + second
        if minute < 60 and second < 60 and total <= DAY_S:
            return total
    raise CalendarInvalid(field="calendar.periods", detail=f"{text!r} is not a time of day HH:MM", how=how)


def _weekend(raw: Any) -> frozenset[int]:
    if not isinstance(raw, list) or not all(type(d) is int and 1 <= d <= 7 for d in raw):
        raise CalendarInvalid(
            field="calendar.weekend", detail=f"{raw!r} are not weekdays", how="give ISO weekdays, 1 Monday … 7 Sunday"
        )
    return frozenset(raw)


def _dates(name: str, raw: Any) -> frozenset[int]:
    how = "give ISO dates: 2026-10-01"
    if not isinstance(raw, list):
        raise CalendarInvalid(field=f"calendar.{name}", detail="is not a list", how=how)
    try:
        return frozenset(date.fromisoformat(item).toordinal() for item in raw)
    except (TypeError, ValueError) as error:
        raise CalendarInvalid(field=f"calendar.{name}", detail=str(error), how=how) from error


def _years(raw: Any) -> frozenset[int]:
    if not isinstance(raw, list) or not all(type(y) is int for y in raw):
        raise CalendarInvalid(
            field="calendar.published_years", detail="is not a list of years", how="give [2025, 2026]"
        )
    return frozenset(raw)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def load_calendar(path: Path) -> WorkCalendar:
    """The calendar in a JSON file; typed errors when it cannot be read."""
    try:
        body = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CalendarInvalid(field=str(path), detail=str(error), how="give a readable JSON file") from error
    return parse_calendar(body)


@lru_cache(maxsize=1)
def statutory_calendar() -> WorkCalendar:
    """China's statutory calendar, Monday–Friday 08:00–12:00 and 14:00–18:00 (core/legal_time/calendar_cn.json)."""
    return load_calendar(STATUTORY)


def statutory_and(own: Mapping[str, WorkCalendar]) -> Mapping[str, WorkCalendar]:
    """``own`` and, as ``default``, the statutory calendar unless it holds one."""
    return {"default": statutory_calendar(), **own}
