"""The legal clock: when does a limit end?  Pure; integer microseconds inside, aware datetimes outside.

Four kinds of counting (GB/T 30428, CJJ/T 106): 紧急工作时 ``urgent_hour`` and 紧急工作日/自然日 ``urgent_day``
count natural time; 工作时 ``work_hour`` and 工作日 ``work_day`` count the calendar's working time only.
Suspended time never counts.
Extensions are counted after the limit, in their order, each in its own unit.  The deadline is the instant at
which the last counted second ends, so a limit that is used up at 12:00 ends at 12:00, not at 14:00.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import InputInvalid
from core.legal_time.calendar import DAY_S, WorkCalendar
from core.legal_time.limits import Limit

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_END = (date(9990, 1, 1).toordinal() - _EPOCH_ORDINAL) * DAY_S * SECOND  # nothing is counted beyond
_NEVER = 1 << 62
_MOST_DAYS = 366 * 300
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
UNITS = ("urgent_hour", "work_hour", "work_day", "urgent_day")
UNIT_ZH = {"urgent_hour": "紧急工作时", "work_hour": "工作时", "work_day": "工作日", "urgent_day": "紧急工作日"}

Suspension = tuple[datetime, datetime | None]


class LimitInvalid(InputInvalid):
    code = "limit_invalid"


class SuspensionInvalid(InputInvalid):
    code = "suspension_invalid"


class DeadlineUnreachable(InputInvalid):
    code = "deadline_unreachable"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation; instants in µs since 1970, ``what``: limit, count, pause, closed, end, open."""

    what: str
    begin: int
    end: int
    counted: int  # µs
    left: int  # µs
    note: str = ""
    value: float = 0.0  # of a limit or extension, in ``unit``
    unit: str = ""


@dataclass(frozen=True)
class Deadline:
    """When a limit ends.  ``at`` None: the clock stands in a suspension without end."""

    at: datetime | None
    steps: tuple[Step, ...]
    unpublished: tuple[int, ...]  # years that were counted though their holiday table is not final
    zone: ZoneInfo

    @property
    def suspended(self) -> bool:
        return self.at is None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever relies on the deadline should know."""
        return tuple(
            f"the holiday notice of {year} is not in the calendar: only what it lists was left out"
            for year in self.unpublished
        )

    def codes(self) -> list[dict[str, Any]]:
        """The derivation as codes with values, for pages in any language: times ISO 8601 in local time, spans in s."""
        found = [_code(step, self.zone) for step in self.steps]
        return found + [{"code": "no_notice", "year": year} for year in self.unpublished]

    def lines(self) -> list[str]:
        """The derivation, one text a line, in the calendar's local time."""
        return [_text(step, self.zone) for step in self.steps] + [f"! {w}" for w in self.warnings]


def deadline(
    start: datetime,
    limit: Limit,
    calendar: WorkCalendar,
    suspensions: Iterable[Suspension] = (),
    extensions: Sequence[Limit] = (),
) -> Deadline:
    """Count ``limit`` and then each of ``extensions`` from ``start`` (aware, as are the suspensions).

    :class:`LimitInvalid`, :class:`SuspensionInvalid` or :class:`DeadlineUnreachable` for what cannot be counted.
    """
    pauses = _merge(suspensions)
    position, steps = _micros(start, "start"), list[Step]()
    for index, part in enumerate((limit, *extensions)):
        need = amount(part, calendar)
        name = f"{part.value:g} {part.unit} {UNIT_ZH[part.unit]}"
        what = "limit" if index == 0 else "extend"
        steps.append(Step(what, position, position, 0, need, name, part.value, part.unit))
        count = _count_work if part.unit.startswith("work") else _count_natural
        end = count(position, need, pauses, calendar, steps)
        if end is None:
            return Deadline(None, tuple(steps), _unpublished(steps, calendar), calendar.zone)
        position = end
    steps.append(Step("end", position, position, 0, 0))
    at = _moment(position).astimezone(calendar.zone)
    return Deadline(at, tuple(steps), _unpublished(steps, calendar), calendar.zone)


def amount(limit: Limit, calendar: WorkCalendar) -> int:
    """``limit`` in microseconds of its own kind of time, rounded up to a whole second."""
    if limit.unit not in UNITS:
        raise LimitInvalid(field="unit", detail=f"{limit.unit!r} is not a unit", how=f"use one of {', '.join(UNITS)}")
    value = limit.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise LimitInvalid(field="value", detail=f"{value!r} is not a number ≥ 0", how="give e.g. 4 or 0.5")
    if value > 1e9:
        raise DeadlineUnreachable(field="limit", detail=f"{value:g} is beyond any calendar", how="give a shorter limit")
    seconds = {"urgent_hour": 3600, "work_hour": 3600, "work_day": calendar.day_seconds, "urgent_day": DAY_S}
    return _whole_seconds(value, seconds[limit.unit])


@lru_cache(maxsize=4096)
def _whole_seconds(value: float, unit_s: int) -> int:
    micros = round(Fraction(str(value)) * unit_s * SECOND)  # 1/3600 h is one second, whatever floats say
    return -(-micros // SECOND) * SECOND


def _micros(moment: datetime, field: str) -> int:
    if moment.tzinfo is None:
        raise InputInvalid(field=field, detail=f"{moment} has no time zone", how="give an aware datetime")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _merge(suspensions: Iterable[Suspension]) -> list[tuple[int, int]]:
    """Sorted, disjoint pauses; an open end is :data:`_NEVER`."""
    pauses = []
    for begin, end in suspensions:
        first, last = _micros(begin, "suspensions"), _NEVER if end is None else _micros(end, "suspensions")
        if last < first:
            raise SuspensionInvalid(
                field="suspensions", detail=f"ends at {end} before it begins at {begin}", how="swap or mend the times"
            )
        if last > first:
            pauses.append((first, last))
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pauses):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _count_natural(
    position: int, need: int, pauses: list[tuple[int, int]], calendar: WorkCalendar, steps: list[Step]
) -> int | None:
    """Count natural time; None when an open pause swallows the rest."""
    return _count_window(position, _END, need, pauses, steps)[0] if need else position


def _count_window(
    position: int, end: int, need: int, pauses: list[tuple[int, int]], steps: list[Step]
) -> tuple[int | None, int]:
    """Count within ``[position, end)`` outside the pauses: ``(where it ended or stands, need left)``."""
    for first, last in pauses:
        if last <= position:
            continue
        if first >= end:
            break
        if first > position:
            taken = min(need, first - position)
            need -= taken
            steps.append(Step("count", position, position + taken, taken, need))
            position += taken
            if not need:
                return position, 0
        if last == _NEVER:
            steps.append(Step("open", first, first, 0, need))
            return None, need
        steps.append(Step("pause", position, min(last, end), 0, need))
        position = min(last, end)
        if position >= end:
            return position, need
    taken = min(need, end - position)
    if taken > 0:
        need -= taken
        steps.append(Step("count", position, position + taken, taken, need))
        position += taken
    if need and end == _END:
        raise DeadlineUnreachable(field="limit", detail="lies beyond the year 9990", how="give a shorter limit")
    return position, need


def _count_work(
    position: int, need: int, pauses: list[tuple[int, int]], calendar: WorkCalendar, steps: list[Step]
) -> int | None:
    """Count working time day by day."""
    if not need:
        return position
    ordinal = _local_ordinal(position, calendar)
    last_day = min(ordinal + _MOST_DAYS, date.max.toordinal() - 366 * 9)
    while ordinal < last_day:
        if not calendar.works(ordinal):
            if calendar.never_after(ordinal):
                break
            ordinal = _closed(ordinal, calendar, last_day, need, steps)
            continue
        if _stands_open(position, ordinal, pauses, calendar):
            steps.append(Step("open", pauses[-1][0], pauses[-1][0], 0, need))
            return None
        for begin, end in windows_of(calendar, ordinal):
            if end > position:
                at, need = _count_window(max(begin, position), end, need, pauses, steps)
                if at is None or not need:
                    return at
                position = end
        ordinal += 1
    raise DeadlineUnreachable(
        field="calendar", detail="has too few working days for the limit", how="mend weekend and workdays, or the limit"
    )


def _stands_open(position: int, ordinal: int, pauses: list[tuple[int, int]], calendar: WorkCalendar) -> bool:
    """True when an open pause covers everything from now on."""
    if not pauses or pauses[-1][1] != _NEVER:
        return False
    return pauses[-1][0] <= max(position, _day(calendar.timezone, ordinal)[0])


def _closed(ordinal: int, calendar: WorkCalendar, last_day: int, need: int, steps: list[Step]) -> int:
    """Note a run of days without work as one line; returns the next day to look at."""
    first, why = ordinal, calendar.why_closed(ordinal)
    while ordinal < last_day and not calendar.works(ordinal) and calendar.why_closed(ordinal) == why:
        if calendar.never_after(ordinal):
            break
        ordinal += 1
    if ordinal == first:
        return ordinal + 1
    begin, end = _day(calendar.timezone, first)[0], _day(calendar.timezone, ordinal)[0]
    steps.append(Step("closed", begin, end, 0, need, why))
    return ordinal


@lru_cache(maxsize=65_536)
def _day(timezone: str, ordinal: int) -> tuple[int, int, int | None]:
    """First and last instant (µs) of a local day, and its offset in seconds, None when that changes in the day."""
    zone = ZoneInfo(timezone)
    bounds = [datetime.combine(date.fromordinal(o), datetime.min.time(), zone) for o in (ordinal, ordinal + 1)]
    begin, end = (_micros(b.astimezone(UTC), "day") for b in bounds)
    first, last = _offset(zone, begin), _offset(zone, end - SECOND)
    return begin, end, first if first == last else None


def _offset(zone: ZoneInfo, micros: int) -> int:
    offset = _moment(micros).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def windows_of(calendar: WorkCalendar, ordinal: int) -> list[tuple[int, int]]:
    """The working periods of a day as instants; right on days when the clocks change, too."""
    begin, end, offset = _day(calendar.timezone, ordinal)
    midnight = (ordinal - _EPOCH_ORDINAL) * DAY_S
    if offset is not None:
        base = midnight - offset
        return [((base + a) * SECOND, (base + b) * SECOND) for a, b in calendar.periods]
    zone = calendar.zone
    change = _change(zone, begin, end)
    windows = []
    for low, high in ((begin, change), (change, end)):
        base = midnight - _offset(zone, low)
        for a, b in calendar.periods:
            first, last = max(low, (base + a) * SECOND), min(high, (base + b) * SECOND)
            if first < last:
                windows.append((first, last))
    return windows


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The instant within ``[low, high)`` at which the offset changes, by halving."""
    before, low, high = _offset(zone, low), low // SECOND, high // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle * SECOND) == before:
            low = middle
        else:
            high = middle
    return high * SECOND


def _local_ordinal(micros: int, calendar: WorkCalendar) -> int:
    return _moment(micros).astimezone(calendar.zone).date().toordinal()


def _unpublished(steps: list[Step], calendar: WorkCalendar) -> tuple[int, ...]:
    """The years that were counted though their holiday table is not final."""
    if not calendar.published or not steps:
        return ()
    first, last = _moment(steps[0].begin).year, _moment(steps[-1].end).year
    return tuple(y for y in range(first, last + 1) if y not in calendar.published)


def _code(step: Step, zone: ZoneInfo) -> dict[str, Any]:
    """A step as its code (limit, extend, count, pause, closed, open, end) with its values."""
    begin, end = _local(step.begin, zone), _local(step.end, zone)
    match step.what:
        case "count":
            spans = {"counted_s": step.counted // SECOND, "left_s": step.left // SECOND}
            return {"code": "count", "from": begin.isoformat(), "to": end.isoformat()} | spans
        case "pause":
            return {"code": "pause", "from": begin.isoformat(), "to": end.isoformat()}
        case "limit" | "extend":
            limit = {"value": step.value, "unit": step.unit, "left_s": step.left // SECOND}
            return {"code": step.what, "at": begin.isoformat()} | limit
        case "closed":
            last = _local(step.end - SECOND, zone).date()
            return {"code": "closed", "from": begin.date().isoformat(), "to": last.isoformat(), "note": step.note}
        case "open":
            return {"code": "open", "at": begin.isoformat(), "left_s": step.left // SECOND}
        case _:
            return {"code": "end", "at": begin.isoformat()}


def _text(step: Step, zone: ZoneInfo) -> str:
    first = _local(step.begin, zone)
    match step.what:
        case "count" | "pause":
            last = _local(step.end, zone)
            span = f"{_stamp(first)} – {last.time() if first.date() == last.date() else _stamp(last)}"
            if step.what == "pause":
                return f"{span}: suspended, not counted"
            return f"{span}: counted {_hms(step.counted)}, {_hms(step.left)} left"
        case "limit":
            return f"from {_stamp(first)}: {step.note} = {_hms(step.left)} to count"
        case "extend":
            return f"extension at {_stamp(first)}: {step.note} = {_hms(step.left)} more to count"
        case "closed":
            return f"{first.date()} – {_local(step.end - SECOND, zone).date()}: {step.note}, not counted"
        case "open":
            return f"{_stamp(first)}: suspended without end, {_hms(step.left)} left"
        case _:
            return f"deadline {_stamp(first)} {first:%z}"


def _local(micros: int, zone: ZoneInfo) -> datetime:
    """The local time of an instant, cut to whole seconds."""
    return _moment(micros - micros % SECOND).astimezone(zone)


def _stamp(local: datetime) -> str:
    return f"{local.date()} {_WEEKDAYS[local.weekday()]} {local.time()}"


def _hms(micros: int) -> str:
    seconds = micros // SECOND
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
