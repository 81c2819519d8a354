"""When a zone is armed: shift tables, holidays, and suppression windows with reason and author.  Pure.

A zone's ``schedule`` (all keys optional; an empty one is always armed)::

    {"timezone": "Asia/Shanghai",
     "shifts": [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "20:00", "min_staff": 2}, …],
     "holidays": ["2026-10-01"],        # on these days ``holiday_shifts`` hold instead
     "holiday_shifts": [{"from": "20:00", "to": "08:00"}],
     "suppress": [{"from": "2026-05-01T08:00+08:00", "to": "…", "reason": "welding", "author": "u-17"}]}

Days are 1 Monday … 7 Sunday (default: all).  A shift that ends before it begins runs over midnight and belongs to the
day on which it began.  ``24:00`` is the end of the day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from core.errors import InputInvalid

_KEYS = {"timezone", "shifts", "holidays", "holiday_shifts", "suppress"}


class _Shift(msgspec.Struct, rename={"from_": "from"}, forbid_unknown_fields=True):
    days: list[Annotated[int, msgspec.Meta(ge=1, le=7)]] = []
    from_: str = "00:00"
    to: str = "24:00"
    min_staff: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class _Window(msgspec.Struct, rename={"from_": "from"}, forbid_unknown_fields=True):
    from_: str
    to: str
    reason: str = ""
    author: str = ""


class _Schedule(msgspec.Struct, forbid_unknown_fields=True):
    timezone: str = "Asia/Shanghai"
    shifts: list[_Shift] = []
    holidays: list[date] = []
    holiday_shifts: list[_Shift] = []
    suppress: list[_Window] = []


@dataclass(frozen=True)
class Armed:
    """Whether a zone is watched at a moment, why (not), and the shift that holds."""

    armed: bool
    reason: str = ""
    shift: dict[str, Any] = field(default_factory=dict)


def armed_at(schedule: dict[str, Any], moment: datetime) -> Armed:
    """The state of ``schedule`` at ``moment`` (aware).  :class:`InputInvalid` when the schedule is malformed."""
    if not schedule:
        return Armed(True)
    unknown = set(schedule) - _KEYS
    if unknown:
        raise _invalid(f"unknown key {sorted(unknown)[0]!r}")
    for window in schedule.get("suppress", []):
        if _instant(window, "from") <= moment < _instant(window, "to"):
            who = f" ({window['author']})" if window.get("author") else ""
            return Armed(False, f"suppressed: {window.get('reason', 'no reason given')}{who}")
    if "shifts" not in schedule:
        return Armed(True)
    local = moment.astimezone(_zone(schedule.get("timezone", "Asia/Shanghai")))
    for back in (0, 1):  # today's shifts, and yesterday's that run over midnight
        day = local - timedelta(days=back)
        holiday = day.date().isoformat() in schedule.get("holidays", [])
        for shift in schedule.get("holiday_shifts", []) if holiday else schedule["shifts"]:
            if day.isoweekday() in shift.get("days", range(1, 8)) and _covers(shift, local, back):
                return Armed(True, "on shift", shift)
    return Armed(False, "outside the shift table")


def check_schedule(schedule: dict[str, Any]) -> None:
    """Raise :class:`InputInvalid` when any part of ``schedule`` is malformed."""
    try:
        msgspec.convert(schedule, _Schedule)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    armed_at({**schedule, "suppress": []}, datetime.now(ZoneInfo("UTC")))
    for window in schedule.get("suppress", []):
        if _instant(window, "to") <= _instant(window, "from"):
            raise _invalid("a suppression window ends before it begins")
    for shift in [*schedule.get("shifts", []), *schedule.get("holiday_shifts", [])]:
        _minutes(shift.get("from", "00:00"))
        _minutes(shift.get("to", "24:00"))


def _covers(shift: dict[str, Any], local: datetime, days_back: int) -> bool:
    start, end = _minutes(shift.get("from", "00:00")), _minutes(shift.get("to", "24:00"))
    if end <= start:
        end += 1440
    now = local.hour * 60 + local.minute + local.second / 60 + 1440 * days_back
    return start <= now < end


def _minutes(text: str) -> int:
    try:
        hour, minute = (int(part) for part in text.split(":"))
    except (ValueError, AttributeError) as error:
        raise _invalid(f"{text!r} is not a time of day") from error
    if not (0 <= hour <= 24 and 0 <= minute < 60 and hour * 60 + minute <= 1440):
        raise _invalid(f"{text!r} is not a time of day")
    return hour * 60 + minute


def _instant(window: dict[str, Any], key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(window[key]))
    except (KeyError, ValueError) as error:
        raise _invalid(f"a suppression window needs {key!r} as an ISO time") from error
    if moment.tzinfo is None:
        raise _invalid(f"{window[key]!r} names no time zone")
    return moment


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _invalid(f"unknown time zone {name!r}") from error


def _invalid(detail: str) -> InputInvalid:
    return InputInvalid(field="schedule", detail=detail, how="see vision/judging/arm_schedule.py for its keys")
