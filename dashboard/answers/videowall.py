"""Answers of the video wall."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict


class LayoutRow(TypedDict):
    """A person's tiles under a name."""

    name: str
    tiles: int
    cameras: list[str]


class LayoutList(TypedDict):
    """The person's own layouts."""

    items: list[LayoutRow]


class TourSchedule(TypedDict):
    """Days of the week (1 Monday; none: every day) and times of day in China's time."""

    days: list[int]
    times: list[str]


class TourRow(TypedDict):
    """A tour of cameras; ``due_at``: the planned moment that waits for somebody to begin."""

    tour_id: str
    name: str
    cameras: list[str]
    road: str
    within_m: float
    schedule: TourSchedule
    due_at: datetime | None
    category: str
    dwell_s: float
    stop_at_findings: bool


class TourList(TypedDict):
    """All tours by name."""

    items: list[TourRow]


class TourId(TypedDict):
    """The tour."""

    tour_id: str


class Stop(TypedDict):
    """A camera of a tour with the open cases it is the source of."""

    camera_id: str
    name: str
    category: str
    lon: float | None
    lat: float | None
    has_video: bool
    findings: list[dict[str, Any]]


class StopList(TypedDict):
    """A tour's cameras in order, as far as the person may see them."""

    items: list[Stop]
    dwell_s: float
    stop_at_findings: bool


class ViewRow(TypedDict):
    """Who looked at which camera, when, for how long (live only)."""

    user_id: str
    camera_id: str
    kind: str
    tour_id: str
    at: datetime
    seconds: float | None


class ViewLog(TypedDict):
    """Views, the newest first."""

    items: list[ViewRow]


class RunId(TypedDict):
    """The line of the log; ``planned_at``: the planned moment that it counts for."""

    run_id: str
    planned_at: datetime | None


class TourRunRow(TypedDict):
    """A tour that was run: cameras it has, were shown, were really sent by the server; where it stopped."""

    run_id: str
    tour_id: str
    tour_name: str
    user_id: str
    planned_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    stops: int
    seen: int
    viewed: int
    found: list[dict[str, Any]]


class MissedRow(TypedDict):
    """A tour that was planned and did not happen."""

    tour_id: str
    tour_name: str
    planned_at: datetime


class RunLog(TypedDict):
    """Tours, the newest first, and what was missed in the last week."""

    items: list[TourRunRow]
    missed: list[MissedRow]


class PresetRow(TypedDict):
    """A stored view of a camera."""

    preset: str
    name: str


class PresetList(TypedDict):
    """Stored views."""

    items: list[PresetRow]


class PictureCase(TypedDict):
    """The case that a picture became."""

    case_id: str
    number: str


class VideoDone(TypedDict):
    """It is done."""

    ok: bool
