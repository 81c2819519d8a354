"""A planned route against airspace and obstacles: what is told is a warning, never a permission (standards/10 §7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyproj import Proj
from shapely.geometry import LineString, MultiPoint, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import transform

from ingest.drones.survey import true_height

KINDS = ("prohibited", "restricted", "controlled", "temporary", "own_geofence", "suitable")
OBSTACLE_MARGIN_M = 15.0
"""Kept from buildings, sideways and above (standards/10 §2.2)."""


@dataclass(frozen=True, slots=True)
class AirspaceZone:
    """A part of the airspace; metres above ground, None without a ceiling; times None: always."""

    shape: BaseGeometry
    kind: str
    name: str = ""
    reason: str = ""
    lower_m: float = 0.0
    upper_m: float | None = None
    buffer_m: float = 0.0
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def stands(self, since: datetime | None, until: datetime | None) -> bool:
        """Whether it is in force at some time from ``since`` to ``until`` (None: open)."""
        ended = self.valid_to is not None and since is not None and self.valid_to < since
        later = self.valid_from is not None and until is not None and self.valid_from > until
        return not (ended or later)

    def meets(self, low_m: float, high_m: float) -> bool:
        """Whether it reaches into these heights."""
        return self.lower_m <= high_m and (self.upper_m is None or self.upper_m >= low_m)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A building or mast; metres above ground."""

    shape: BaseGeometry
    height_m: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class RouteWarning:
    """A code with its values; ``blocking``: the route is not handed out as it is."""

    code: str
    blocking: bool = False
    values: dict[str, Any] = field(default_factory=dict)


def route_warnings(
    way: Sequence[tuple[float, float]], height_m: float, ground_above_takeoff_m: float, zones: Sequence[AirspaceZone],
    obstacles: Sequence[Obstacle], *, weight_class: str = "light", since: datetime | None = None,
    until: datetime | None = None, permit: str = "",
) -> list[RouteWarning]:  # fmt: skip
    """What is to be known before this way (degrees) is flown at ``height_m`` above the take-off point.

    A prohibited area blocks without a permit's number; an obstacle in the way blocks always.
    """
    found: list[RouteWarning] = []
    above = true_height(height_m, -ground_above_takeoff_m, weight_class)
    if above.warning:
        found.append(RouteWarning(above.warning, False, {"true_height_m": round(above.true_height_m, 1)}))
    if not zones:
        found.append(RouteWarning("no_airspace_data"))
    plane = Proj(proj="aeqd", lon_0=way[0][0], lat_0=way[0][1], ellps="WGS84")
    flown = transform(plane, LineString(way) if len(way) > 1 else Point(way[0]))
    found += _crossed(flown, plane, above.true_height_m, zones, since, until, permit)
    return found + _near(flown, plane, above.true_height_m, obstacles)


def _crossed(
    flown: BaseGeometry, plane: Proj, high_m: float, zones: Sequence[AirspaceZone], since: datetime | None,
    until: datetime | None, permit: str,
) -> list[RouteWarning]:  # fmt: skip
    found = []
    for zone in zones:
        if zone.kind == "suitable" or not zone.stands(since, until) or not zone.meets(0.0, high_m):
            continue
        shape = transform(plane, zone.shape)
        if zone.kind == "own_geofence":
            if not shape.covers(flown):
                found.append(RouteWarning("leaves_own_geofence", True, {"name": zone.name}))
        elif shape.buffer(zone.buffer_m).intersects(flown):
            values = {"name": zone.name, "reason": zone.reason, "buffer_m": zone.buffer_m}
            found.append(RouteWarning(f"crosses_{zone.kind}", zone.kind == "prohibited" and not permit, values))
    return found


def _near(flown: BaseGeometry, plane: Proj, high_m: float, obstacles: Sequence[Obstacle]) -> list[RouteWarning]:
    hit = [
        o for o in obstacles
        if o.height_m + OBSTACLE_MARGIN_M > high_m
        and transform(plane, o.shape).distance(flown) < OBSTACLE_MARGIN_M
    ]  # fmt: skip
    if not hit:
        return []
    highest = max(hit, key=lambda o: o.height_m)
    values = {"count": len(hit), "height_m": round(highest.height_m, 1), "name": highest.name,
              "needed_m": math.ceil(highest.height_m + OBSTACLE_MARGIN_M)}  # fmt: skip
    return [RouteWarning("obstacle_in_the_way", True, values)]


def around(way: Sequence[tuple[float, float]], metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of the way and ``metres`` around it, for asking layers."""
    west, south, east, north = MultiPoint(way).bounds
    lat = metres / 110_000
    lon = metres / (110_000 * max(0.05, math.cos(math.radians(max(abs(south), abs(north))))))
    return west - lon, south - lat, east + lon, north + lat


def closed_shapes(zones: Sequence[AirspaceZone], high_m: float, permit: str) -> list[BaseGeometry]:
    """What a survey's lines are cut out of: prohibited areas with their distance, where there is no permit."""
    if permit:
        return []
    found = []
    for zone in zones:
        if zone.kind == "prohibited" and zone.meets(0.0, high_m):
            centre = zone.shape.centroid
            plane = Proj(proj="aeqd", lon_0=centre.x, lat_0=centre.y, ellps="WGS84")
            wide = transform(plane, zone.shape).buffer(zone.buffer_m + 1.0)
            found.append(transform(lambda x, y, p=plane: p(x, y, inverse=True), wide))
    return found
