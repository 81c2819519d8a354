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


class TourRow(TypedDict):
    """A tour of cameras."""

    tour_id: str
    name: str
    cameras: list[str]
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


class PictureCase(TypedDict):
    """The case that a picture became."""

    case_id: str
    number: str


class VideoDone(TypedDict):
    """It is done."""

    ok: bool
