"""A nadir survey of an area: parallel lines with photos by distance, turned along the area's shorter side.

Lines lie on both edges and evenly between, none further apart than the side overlap allows, each longer than the area
by one photo base at both ends; what may not be flown over is cut out of the lines (standards/10 §2.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pyproj import Proj
from shapely import affinity
from shapely.geometry import LineString, MultiLineString, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import transform, unary_union

from core.errors import InputInvalid
from ingest.drones.cameras import SurveyCamera
from ingest.drones.survey import SurveyPlan, survey_plan
from ingest.drones.wpml.write import Flight, Stop

MOST_LINES = 400
MOST_KM2 = 10.0
_SHORTEST_M = 5.0  # a piece of a line that is shorter brings no picture of its own
_TURN_S, _START_S = 6.0, 60.0  # ◇ a turn between two lines; take-off and return

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class GridWish:
    """What the survey shall bring: centimetres a pixel, overlaps 0 … 1, metres a second."""

    gsd_cm: float = 3.0
    front: float = 0.8
    side: float = 0.7
    speed_ms: float = 8.0
    ground_above_takeoff_m: float = 0.0
    direction: float | None = None  # degrees from north of the lines; None: along the longer side


@dataclass(frozen=True, slots=True)
class GridRoute:
    """Lines as (start, end) in degrees; ``height_m`` above take-off; seconds without wind."""

    lines: tuple[tuple[Spot, Spot], ...]
    plan: SurveyPlan
    height_m: float
    speed_ms: float
    photos: int
    length_m: float
    seconds: float
    area_m2: float


def grid_route(
    area: Sequence[Sequence[Spot]], camera: SurveyCamera, wish: GridWish, closed: Sequence[BaseGeometry] = ()
) -> GridRoute:
    """``area``: outer ring and holes in degrees; ``closed``: polygons in degrees that may not be flown over.

    Raises:
        InputInvalid: the area is none, too large, or nothing of it may be flown over.
    """
    polygon = _polygon(area)
    plane = Proj(proj="aeqd", lon_0=polygon.centroid.x, lat_0=polygon.centroid.y, ellps="WGS84")
    flat = transform(plane, polygon)
    if not 100 <= flat.area <= MOST_KM2 * 1e6:
        raise _wrong(f"has {flat.area:.0f} m²", f"draw between 100 m² and {MOST_KM2:g} km²")
    plan = survey_plan(
        wish.gsd_cm / 100, camera.width, camera.height, camera.focal_px, wish.front, wish.side, wish.speed_ms
    )
    speed = min(wish.speed_ms, plan.photo_base_m / camera.seconds, 15.0)
    banned = unary_union([transform(plane, shape) for shape in closed]) if closed else None
    pieces = _lines(flat, plan, wish.direction, banned)
    if not pieces:
        raise _wrong("lies where nobody may fly", "draw another one or ask for a permit")
    lengths = [piece.length for piece in pieces]
    photos = sum(math.ceil(length / plan.photo_base_m - 1e-9) + 1 for length in lengths)
    ways = _ways(pieces)
    lines = tuple((_degrees(plane, way.coords[0]), _degrees(plane, way.coords[-1])) for way in ways)
    between = sum(math.dist(a.coords[-1], b.coords[0]) for a, b in zip(ways, ways[1:], strict=False))
    whole = sum(lengths) + between
    return GridRoute(
        lines, plan, plan.height_m + wish.ground_above_takeoff_m, speed, photos, whole,
        whole / speed + _TURN_S * 2 * len(lines) + _START_S, flat.area,
    )  # fmt: skip


def _wrong(detail: str, how: str) -> InputInvalid:
    return InputInvalid(field="area", detail=detail, how=how)


def _polygon(area: Sequence[Sequence[Spot]]) -> Polygon:
    try:
        found = Polygon(area[0], list(area[1:]))
    except (ValueError, TypeError, IndexError) as error:
        raise _wrong("is no polygon", "draw at least three corners") from error
    if not found.is_valid or found.is_empty:
        raise _wrong("crosses itself or is empty", "draw it again")
    if not all(abs(lon) <= 180 and abs(lat) <= 85 for lon, lat in found.exterior.coords):
        raise _wrong("is no place on Earth", "give longitude and latitude in degrees")
    return found


def _lines(flat: Polygon, plan: SurveyPlan, direction: float | None, banned: BaseGeometry | None) -> list[LineString]:
    """In the turned plane the lines run west to east; back again they are cut where nobody may fly."""
    angle = _angle(flat) if direction is None else 90.0 - direction
    turned = affinity.rotate(flat, -angle, origin=(0, 0))
    west, south, east, north = turned.bounds
    gaps = max(1, math.ceil((north - south) / plan.line_spacing_m - 1e-9))
    if gaps >= MOST_LINES:
        raise _wrong(f"needs {gaps + 1} lines", f"at most {MOST_LINES}: fly coarser or a smaller area")
    found: list[LineString] = []
    reach = (north - south) / gaps / 2
    for number in range(gaps + 1):
        y = south + (north - south) * number / gaps
        seen = turned.intersection(box(west, y - reach, east, y + reach))  # what this line's pictures have to cover
        spans = [part.bounds for part in getattr(seen, "geoms", [seen]) if part.area > 0]
        for x_from, _, x_to, _ in spans:
            ends = [(x_from - plan.photo_base_m, y), (x_to + plan.photo_base_m, y)]
            found += _cut(affinity.rotate(LineString(ends), angle, origin=(0, 0)), banned)
    return found


def _cut(line: LineString, banned: BaseGeometry | None) -> list[LineString]:
    left = line if banned is None else line.difference(banned)
    return [part for part in _parts(left) if part.length >= _SHORTEST_M]


def _parts(shape: BaseGeometry) -> list[LineString]:
    if isinstance(shape, LineString):
        return [shape]
    if isinstance(shape, MultiLineString):
        return list(shape.geoms)
    return [p for p in getattr(shape, "geoms", ()) if isinstance(p, LineString)]


def _angle(flat: Polygon) -> float:
    """Degrees from east of the longer side of the smallest rectangle around the area."""
    corners = list(flat.minimum_rotated_rectangle.exterior.coords)
    sides = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(corners, corners[1:3], strict=False)]
    long_side = max(sides, key=lambda side: math.hypot(*side))
    return math.degrees(math.atan2(long_side[1], long_side[0]))


def _ways(pieces: list[LineString]) -> list[LineString]:
    """To and fro: each piece begins at the end that is nearer to where the one before ended."""
    found: list[LineString] = []
    for piece in pieces:
        ends = list(piece.coords)
        if found and math.dist(found[-1].coords[-1], ends[-1]) < math.dist(found[-1].coords[-1], ends[0]):
            ends.reverse()
        found.append(LineString(ends))
    return found


def _degrees(plane: Proj, spot: Sequence[float]) -> Spot:
    lon, lat = plane(spot[0], spot[1], inverse=True)
    return (round(float(lon), 8), round(float(lat), 8))


def flight_of(route: GridRoute, camera: SurveyCamera, label: str, gateway: str = "rc") -> Flight:
    """The survey as a route: the camera looks down, along each line a photo every photo base."""
    stops: list[Stop] = []
    legs: list[tuple[int, int]] = []
    for start, end in route.lines:
        heading = _heading(start, end)
        legs.append((len(stops), len(stops) + 1))
        stops += [Stop(*start, route.height_m, heading), Stop(*end, route.height_m, heading)]
    return Flight(
        stops, camera.drone, camera.drone_sub, camera.payload, round(route.speed_ms, 2),
        max(20.0, min(route.height_m, 100.0)), label, gateway, tuple(legs), route.plan.photo_base_m,
    )  # fmt: skip


def _heading(start: Spot, end: Spot) -> float:
    east = (end[0] - start[0]) * math.cos(math.radians((start[1] + end[1]) / 2))
    return math.degrees(math.atan2(east, end[1] - start[1]))
