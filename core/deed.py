"""When and where something was done, as a phone says it, and how much of that is believed.  Pure.

A phone that was offline sends later.  Its clock may be wrong: with every item it sends what its clock shows at that
moment, so that a constant error cancels out.  What then lies in the future, before the move it answers, or too long
ago is not believed: the time of arrival counts, and what was told is kept beside it.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Literal

from core.records import JSON, GeoPoint, Record

JITTER = timedelta(minutes=2)  # clocks that drift while an item is on its way
LONGEST = timedelta(hours=72)
Clock = Literal["", "as_told", "corrected", "future", "before_move", "too_old", "changed"]


class Deed(Record, frozen=True):
    """``recorded_at``: when it was done, as believed; ``told_at``: what the phone's clock showed; ``clock`` says what
    was made of it: as told, ``corrected`` by the phone's error, or not believed (``future``, ``before_move``,
    ``too_old``, ``changed``: the phone's clock was set in between).  ``distance_m`` from the case's place."""

    recorded_at: datetime
    told_at: datetime | None = None
    clock: Clock = ""
    place: GeoPoint | None = None
    accuracy_m: float | None = None
    distance_m: float | None = None

    @property
    def believed(self) -> bool:
        """Does the recorded time count?"""
        return self.clock in ("as_told", "corrected")


    def facts(self) -> dict[str, JSON]:
        """What a transition keeps of it, as JSON."""
        place = {"lon": self.place.lon, "lat": self.place.lat} if self.place else {}
        found = {
            "at": self.recorded_at.isoformat(timespec="seconds"),
            "told_at": self.told_at.isoformat(timespec="seconds") if self.told_at else None,
            "clock": self.clock,
            **place,
            "accuracy_m": self.accuracy_m,
            "distance_m": self.distance_m,
        }
        return {k: v for k, v in found.items() if v not in (None, "")}


class Told(Record, frozen=True):
    """What a phone says.  ``phone_now``: its clock when sending; ``skew_s``: how far it was ahead of the server's when
    the deed was done, None when it did not know; ``seen_version``: the version of the case that the person saw."""

    at: datetime | None = None
    phone_now: datetime | None = None
    skew_s: float | None = None
    place: GeoPoint | None = None
    accuracy_m: float | None = None
    seen_version: int | None = None


def judged(
    told: Told, arrived: datetime, not_before: datetime, where: GeoPoint | None = None, longest: timedelta = LONGEST
) -> Deed:
    """The deed as it is believed: not after ``arrived``, not before ``not_before`` (the move it answers)."""
    recorded, clock = _time(told, arrived, not_before, longest)
    distance = metres(told.place, where) if told.place and where else None
    return Deed(
        recorded_at=recorded, told_at=told.at, clock=clock, place=told.place, accuracy_m=told.accuracy_m,
        distance_m=round(distance, 1) if distance is not None else None,
    )  # fmt: skip


def _time(told: Told, arrived: datetime, not_before: datetime, longest: timedelta) -> tuple[datetime, Clock]:
    if told.at is None:
        return arrived, ""
    error = told.phone_now - arrived if told.phone_now is not None else timedelta(0)
    if told.skew_s is not None and abs(error.total_seconds() - told.skew_s) > JITTER.total_seconds():
        return arrived, "changed"
    at = told.at - error
    if at > arrived + JITTER:
        return arrived, "future"
    if at < arrived - longest:
        return arrived, "too_old"
    if at < not_before - JITTER:
        return arrived, "before_move"
    at = min(max(at, not_before), arrived)
    return at, "corrected" if abs(error) > JITTER else "as_told"


def metres(a: GeoPoint, b: GeoPoint) -> float:
    """Distance on the ground in metres (a sphere of 6,371,008.8 m; within 0.5 % at a city's size)."""
    k = math.pi / 180
    x = (b.lon - a.lon) * k * math.cos((a.lat + b.lat) / 2 * k)
    return math.hypot(x, (b.lat - a.lat) * k) * 6_371_008.8
