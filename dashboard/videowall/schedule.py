"""When tours are due: days of the week and times of day in China's time; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.clock import BEIJING

EARLY = timedelta(minutes=10)  # a tour begun so long before its time counts for it
LATE = timedelta(minutes=60)  # … and so long after; then it was missed

Weekday = Annotated[int, Field(ge=1, le=7)]
Moment = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Schedule(BaseModel):
    """``days``: 1 Monday … 7 Sunday, empty for every day; ``times``: HH:MM in China's time."""

    model_config = ConfigDict(extra="forbid")
    days: list[Weekday] = Field(default_factory=list, max_length=7)
    times: list[Moment] = Field(default_factory=list, max_length=24)


def planned(schedule: Schedule, begin: datetime, end: datetime) -> list[datetime]:
    """The moments planned from ``begin`` (with it) to ``end`` (without it), in order."""
    day, last = begin.astimezone(BEIJING).date(), end.astimezone(BEIJING).date()
    found = []
    while day <= last:
        if not schedule.days or day.isoweekday() in schedule.days:
            moments = (datetime.combine(day, time.fromisoformat(t), BEIJING) for t in sorted(set(schedule.times)))
            found += [moment.astimezone(UTC) for moment in moments if begin <= moment < end]
        day += timedelta(days=1)
    return found


def served(moment: datetime, starts: Sequence[datetime]) -> bool:
    """Whether a tour that began at one of ``starts`` counts for the planned ``moment``."""
    return any(moment - EARLY <= start <= moment + LATE for start in starts)


def due(schedule: Schedule, starts: Sequence[datetime], now: datetime) -> datetime | None:
    """The planned moment that waits for a tour now, the latest one; None when none does."""
    waiting = [m for m in planned(schedule, now - LATE, now + timedelta(microseconds=1)) if not served(m, starts)]
    return waiting[-1] if waiting else None


def missed(schedule: Schedule, starts: Sequence[datetime], begin: datetime, now: datetime) -> list[datetime]:
    """The planned moments since ``begin`` that passed without a tour."""
    return [m for m in planned(schedule, begin, now - LATE) if not served(m, starts)]
