"""An independent legal clock: marks every counted second of a span in a NumPy array and adds up.

Shares no code with core.legal_time.workclock.  Calendars have whole-second periods; zones may change their clocks.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

_1970 = date(1970, 1, 1).toordinal()


def oracle(question: dict[str, Any], days: int = 60, step: int = 1) -> datetime | str | None:
    """The deadline of a batch question: a datetime (UTC), None when suspended without end, "beyond" past ``days``.

    ``step``: seconds a cell stands for; every time in the question must be a multiple of it.
    """
    start = datetime.fromisoformat(question["start"]).astimezone(UTC)
    n = days * 86400 // step
    work = _working(question["calendar"], start, n, step)
    free = np.ones(n, dtype=bool)
    open_end = False
    for begin, end in question["suspensions"]:
        a = _cell(begin, start, step)
        b = n if end is None else _cell(end, start, step)
        open_end |= end is None
        free[max(a, 0) : max(b, 0)] = False
    day = sum(_seconds(b) - _seconds(a) for a, b in question["calendar"]["periods"])
    size = {"urgent_hour": 3600, "urgent_day": 86400, "work_hour": 3600, "work_day": day}
    at = 0
    for part in [question["limit"], *question["extensions"]]:
        need = round(part["value"] * size[part["unit"]]) // step
        if need == 0:
            continue
        cells = np.flatnonzero(free[at:] & work[at:] if part["unit"].startswith("work") else free[at:])
        if len(cells) < need:
            return None if open_end else "beyond"
        at += int(cells[need - 1]) + 1
    return start + timedelta(seconds=at * step)


def _cell(text: str, start: datetime, step: int) -> int:
    return round((datetime.fromisoformat(text).astimezone(UTC) - start).total_seconds()) // step


def _working(calendar: dict[str, Any], start: datetime, n: int, step: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    zone = ZoneInfo(calendar["timezone"])
    cells = np.zeros(86400 // step, dtype=bool)  # of one local day
    for begin, end in calendar["periods"]:
        cells[_seconds(begin) // step : _seconds(end) // step] = True
    whole_days = range(0, n * step + 86400, 86400)
    offsets = {_offset(zone, start + timedelta(seconds=s)) for s in whole_days}
    if len(offsets) == 1:  # the same every midnight: the clocks do not change, so the days lie side by side
        first = int(start.timestamp()) + offsets.pop()
        days, skipped = range(first // 86400, (first + n * step) // 86400 + 1), first % 86400 // step
        marked = np.logical_and.outer(_works(calendar, days), cells).ravel()
        return np.asarray(marked[skipped : skipped + n], dtype=np.bool_)
    local = _local_seconds(zone, start, n, step)
    ordinals = local // 86400
    first = int(ordinals.min())
    works = _works(calendar, range(first, int(ordinals.max()) + 1))
    return np.asarray(cells[local % 86400 // step] & works[ordinals - first], dtype=np.bool_)


def _works(calendar: dict[str, Any], days: range) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Is work done on each of these days (counted from 1970)?  Workdays beat holidays beat weekends."""
    works = np.array([(day + 3) % 7 + 1 not in calendar["weekend"] for day in days])  # 1 January 1970 was a Thursday
    for name, is_working in (("holidays", False), ("workdays", True)):
        for text in calendar[name]:
            day = date.fromisoformat(text).toordinal() - _1970
            if day in days:
                works[day - days[0]] = is_working
    return works


def _local_seconds(zone: ZoneInfo, start: datetime, n: int, step: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Local time of every cell, as seconds since 1970 read off the local clock."""
    base = int(start.timestamp()) + np.arange(n, dtype=np.int64) * step
    hour = 3600 // step
    for first in range(0, n, hour):
        moment = start + timedelta(seconds=first * step)
        cells = slice(first, min(first + hour, n))
        before, after = _offset(zone, moment), _offset(zone, moment + timedelta(hours=1))
        if before == after:
            base[cells] += before
        else:  # the clocks change in this hour: ask for every cell
            base[cells] += [_offset(zone, datetime.fromtimestamp(int(s), UTC)) for s in base[cells]]
    return base


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    found = moment.astimezone(zone).utcoffset()
    assert found is not None
    return int(found.total_seconds())


def _seconds(text: str) -> int:
    parts = [int(p) for p in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


def random_question(
    rng: np.random.Generator, zones: tuple[str, ...] = ("Asia/Shanghai",), grain: int = 60
) -> dict[str, Any]:
    """A random history; every time is a multiple of ``grain`` seconds."""
    zone = ZoneInfo(str(rng.choice(zones)))
    origin = datetime(2026, int(rng.integers(1, 12)), int(rng.integers(1, 28)), tzinfo=UTC)
    start = origin + timedelta(seconds=int(rng.integers(0, 14 * 86400 // grain)) * grain)
    cuts = sorted(rng.choice(86400 // grain + 1, size=2 * int(rng.integers(1, 4)), replace=False).tolist())
    times = [f"{c * grain // 3600:02}:{c * grain // 60 % 60:02}:{c * grain % 60:02}" for c in cuts]
    if grain % 60 == 0:
        times = [t[:5] for t in times]
    periods = [[times[i], times[i + 1]] for i in range(0, len(times), 2)]
    if len(periods) > 1 and rng.random() < 0.3:
        periods[1][0] = periods[0][1]  # touching
    rng.shuffle(periods)
    days = [(start + timedelta(days=int(d))).date().isoformat() for d in rng.integers(-2, 25, size=8)]
    weekend = [[6, 7], [7], [], [5, 6], [1, 3, 6, 7]][int(rng.integers(0, 5))]
    suspensions: list[list[str | None]] = []
    for _ in range(int(rng.integers(0, 4))):
        begin = start + timedelta(seconds=int(rng.integers(-3 * 86400 // grain, 9 * 86400 // grain)) * grain)
        end = begin + timedelta(seconds=int(rng.integers(0, 3 * 86400 // grain)) * grain)
        open_end = rng.random() < 0.08
        suspensions.append([begin.astimezone(zone).isoformat(), None if open_end else end.isoformat()])

    def limit() -> dict[str, Any]:
        unit = ("urgent_hour", "work_hour", "work_day", "urgent_day")[int(rng.integers(0, 4))]
        most = 40 if unit.endswith("hour") else 5
        return {"value": int(rng.integers(0, most)) / (2 if unit.endswith("hour") else 1), "unit": unit}

    return {
        "start": start.astimezone(zone).isoformat(),
        "limit": limit(),
        "calendar": {
            "timezone": str(zone),
            "periods": periods,
            "weekend": weekend,
            "holidays": days[:5],
            "workdays": days[4:7],  # day 4 is in both: it is a workday
        },
        "suspensions": suspensions,
        "extensions": [limit() for _ in range(int(rng.integers(0, 3)))],
    }
