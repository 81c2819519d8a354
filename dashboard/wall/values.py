"""What a case's source says now: value, trend, sparkline, alarm levels, escalations, and whether the signal cleared.

Pure functions over points and moves; the reads are in :mod:`dashboard.wall.readings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.records import Record

TREND_WINDOW = timedelta(minutes=10)
MAX_POINTS = 60


class AlarmLevel(Record, frozen=True, omit_defaults=False):
    """An alarm level: from ``at`` on (in the value's unit) the case has ``severity``."""

    at: float
    severity: int | None
    name: str


class SeverityStep(Record, frozen=True, omit_defaults=False):
    """An escalation: from, to, and the value and limit that made it (None: not by a measured value)."""

    seq: int
    at: datetime
    before: int
    after: int
    value: float | None
    unit: str
    limit: float | None


class Repeat(Record, frozen=True, omit_defaults=False):
    """A run of the signal clearing and coming again, folded into one line."""

    times: int
    first_at: datetime
    last_at: datetime


class LiveValue(Record, frozen=True, omit_defaults=False):
    """``value`` in ``unit`` at ``at``; ``trend`` is the change over 10 minutes, in ``unit``; ``points`` are
    [unix seconds, value], oldest first.  ``cleared_at``: since when no condition of the case stands."""

    case_id: str
    quantity: str
    value: float | None
    unit: str
    at: datetime | None
    trend: float | None
    direction: str
    points: list[tuple[float, float]]
    levels: list[AlarmLevel]
    escalations: list[SeverityStep]
    cleared_at: datetime | None
    repeats: Repeat | None


def trend(points: Sequence[tuple[float, float]], window: timedelta = TREND_WINDOW) -> float | None:
    """The change over ``window`` (least squares through its points, per window); None with fewer than two of them."""
    if not points:
        return None
    since = points[-1][0] - window.total_seconds()
    part = [p for p in points if p[0] >= since]
    if len(part) < 2 or part[-1][0] <= part[0][0]:
        return None
    middle = sum(t for t, _ in part) / len(part)
    mean = sum(v for _, v in part) / len(part)
    spread = sum((t - middle) ** 2 for t, _ in part)
    slope = sum((t - middle) * (v - mean) for t, v in part) / spread
    return slope * window.total_seconds()


def thinned(points: Sequence[tuple[float, float]], limit: int = MAX_POINTS) -> list[tuple[float, float]]:
    """At most ``limit`` points that keep first, last, and every extreme of the buckets between."""
    if len(points) <= limit:
        return list(points)
    buckets, inner = (limit - 2) // 2, len(points) - 2
    found = [points[0]]
    for n in range(buckets):
        bucket = points[1 + n * inner // buckets : 1 + (n + 1) * inner // buckets]
        if bucket:
            pair = {min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])}
            found += sorted(pair)
    return [*found, points[-1]]


def levels_of(params: Mapping[str, Any]) -> tuple[list[AlarmLevel], str]:
    """The alarm levels of a rule's parameters, and the direction of danger (``above`` or ``below``)."""
    rows = params.get("levels") or []
    found = [
        AlarmLevel(at=float(r["at"]), severity=r.get("severity"), name=str(r.get("name") or ""))
        for r in rows
        if isinstance(r, Mapping) and isinstance(r.get("at"), int | float)
    ]
    return sorted(found, key=lambda level: level.at), str(params.get("direction") or "above")


def escalations(moves: Iterable[tuple[int, datetime, str, Mapping[str, Any]]]) -> list[SeverityStep]:
    """The escalations among ``moves`` (seq, at, command, data)."""
    found = []
    for seq, at, command, data in moves:
        if command != "escalate" or not isinstance(data.get("to"), int):
            continue
        steps = [s for s in (data.get("why") or {}).get("steps") or [] if isinstance(s, Mapping)]
        step: Mapping[str, Any] = next((s for s in steps if s.get("step") == "threshold" or "limit" in s), {})
        values = step.get("values") or []
        value = values[-1] if values else step.get("value")
        found.append(
            SeverityStep(
                seq=seq,
                at=at,
                before=int(data.get("from") or 0),
                after=int(data["to"]),
                value=float(value) if isinstance(value, int | float) else None,
                unit=str(step.get("unit") or ""),
                limit=float(step["limit"]) if isinstance(step.get("limit"), int | float) else None,
            )
        )
    return found


def cleared_since(standing: Mapping[str, Any], moves: Iterable[tuple[int, datetime, str, Any]]) -> datetime | None:
    """Since when none of ``standing`` holds; None while one does, or when it never cleared."""
    if any(standing.values()):
        return None
    return max((at for _, at, command, _ in moves if command == "clear"), default=None)


def repeats(moves: Iterable[tuple[int, datetime, str, Any]]) -> Repeat | None:
    """How often the signal cleared; None when not more than once."""
    times = [at for _, at, command, _ in moves if command == "clear"]
    return Repeat(times=len(times), first_at=min(times), last_at=max(times)) if len(times) > 1 else None
