"""Answers about the map, the wall and the search."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from dashboard.wall.alarms import Alarm


class MapStyle(TypedDict):
    """Sources and first view of the base map, and the city's own layers; ``drawn``: the ground as pictures."""

    sources: dict[str, Any]
    metadata: dict[str, Any]
    layers: list[dict[str, Any]]
    drawn: NotRequired[dict[str, Any]]


class LayerList(TypedDict):
    """The layers that the person may see, with style, legend, zooms, source, date and licence."""

    items: list[dict[str, Any]]


class FeatureCollection(TypedDict):
    """GeoJSON (RFC 7946), WGS-84 degrees."""

    type: str
    features: list[dict[str, Any]]


class SearchGroup(TypedDict):
    """What was found of one kind, best first."""

    kind: str
    total: int
    items: list[dict[str, Any]]


class SearchAnswer(TypedDict):
    """Groups of what was found; ``indexing``: closed cases may be missing yet."""

    q: str
    groups: list[SearchGroup]
    indexing: bool
    took_ms: float


class AlarmList(TypedDict):
    """Alarms of open cases, gravest first; ``may``: this person may acknowledge."""

    items: list[Alarm]
    server_time: datetime
    may: bool


class LiveValues(TypedDict):
    """Live value, trend and alarm levels by case."""

    items: list[Any]


class CaseSurroundings(TypedDict):
    """Cameras of the site and within 200 m, cases near, alike and earlier; distances in m."""

    cameras: list[dict[str, Any]]
    near: list[dict[str, Any]]
    alike: list[dict[str, Any]]
    earlier: list[dict[str, Any]]


class Situation(TypedDict):
    """Who is on duty, weather and warnings, what speaks; None or empty: there is no source."""

    duty: dict[str, Any] | None
    weather: dict[str, Any] | None
    warnings: list[Any]
    freshness: dict[str, Any]


WallReplay = TypedDict(
    "WallReplay",
    {
        "from": datetime,
        "to": datetime,
        "cases": list[dict[str, Any]],
        "readings": list[Any],
        "cameras": dict[str, Any],
        "cut": list[str],
    },
)
WallReplay.__doc__ = "Cases, readings and camera states of a past span; ``cut`` names what was more than a page shows."
