"""Answers about drills."""

from __future__ import annotations

from typing import Any, TypedDict


class DrillRow(TypedDict):
    """A drill: running, done, failed or stopped; seconds that it lasts and that have gone; what it came to."""

    drill_id: str
    title: str
    since: str
    until: str
    speed: float
    state: str
    started_at: str
    ended_at: str | None
    told: str
    lasts_s: float
    gone_s: float
    report: dict[str, Any]


class DrillList(TypedDict):
    """The drills, the newest first."""

    items: list[DrillRow]
    next: None


class DrillWhole(DrillRow):
    """A drill with its number of cases, the marks by person and one's own decisions."""

    cases: int
    people: list[dict[str, Any]]
    own: list[dict[str, Any]]


class DrillStarted(TypedDict):
    """The drill's name."""

    drill_id: str


class DrillNext(TypedDict):
    """The case to decide; null while there is none."""

    case: dict[str, Any] | None


class DrillAnswered(TypedDict):
    """A decision: seconds, points, and what would have been right."""

    case_id: str
    severity: int
    seconds: float
    department_id: str
    false_alarm: bool
    right_department: str
    right_false_alarm: bool
    points: float
