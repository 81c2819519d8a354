"""A mission's plan: survey lines or a look again, with what is to be known of airspace and buildings on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.errors import InputInvalid, YiwangError
from core.settings import Settings
from ingest.drones.airspace import (
    KINDS,
    OBSTACLE_MARGIN_M,
    AirspaceZone,
    Obstacle,
    RouteWarning,
    around,
    closed_shapes,
    route_warnings,
)
from ingest.drones.cameras import SurveyCamera, survey_camera
from ingest.drones.grid_route import GridWish, flight_of, grid_route
from ingest.drones.wpml.look_again import RADIUS_M, look_again
from ingest.drones.wpml.write import Flight, Stop
from layers.nearby import nearby
from storage.missions import MissionView

_AROUND_M = 500.0
_STOREY_M = 3.0
_LOOK_S = 12.0  # ◇ a waypoint with a photo, the way to it included


class RouteBlocked(YiwangError):
    code = "route_blocked"
    message = "the route is not handed out: {codes}"
    remedy = "plan it again, higher or elsewhere, or enter the permit's number"
    zh = "航线不予下发：{codes}"
    zh_remedy = "请重新规划（更高或别处），或填写许可编号"


class PlanWish(msgspec.Struct, forbid_unknown_fields=True):
    """How a mission shall fly.  ``kind``: survey (of its area) or look_again (around its middle).

    ``ground_above_takeoff_m``: how much higher than the take-off point the highest ground of the area lies.
    """

    kind: str = "look_again"
    camera: str = "m3e"
    gsd_cm: float = 3.0
    front: float = 0.8
    side: float = 0.7
    speed_ms: float = 8.0
    direction: float | None = None
    ground_above_takeoff_m: float = 0.0
    gateway: str = "rc"
    weight_class: str = "light"


def make_plan(settings: Settings, mission: MissionView, wish: PlanWish) -> dict[str, Any]:
    """The plan as it is kept: waypoints, figures, warnings; typed errors for what cannot be flown."""
    _check(wish)
    camera = survey_camera(wish.camera)
    rings = rings_of(mission.area)
    flat = [spot for ring in rings for spot in ring]
    box = around(flat, _AROUND_M)
    zones, obstacles = _zones(settings, box), _obstacles(settings, box)
    if wish.kind == "survey":
        flight, figures = _survey(mission, camera, rings, wish, zones)
    else:
        flight, figures = _look_again(mission, camera, flat, wish, obstacles)
    way = [(stop.lon, stop.lat) for stop in flight.stops]
    warnings = route_warnings(
        way, flight.stops[0].height_m, wish.ground_above_takeoff_m, zones, obstacles, weight_class=wish.weight_class,
        since=mission.starts_at, until=mission.ends_at, permit=mission.permit,
    )  # fmt: skip
    if not obstacles:
        warnings.append(RouteWarning("no_building_data"))
    return {
        "wish": msgspec.to_builtins(wish), **figures, "height_m": round(flight.stops[0].height_m, 1),
        "stops": [[s.lon, s.lat, round(s.height_m, 2), round(s.heading, 2), round(s.pitch, 2)] for s in flight.stops],
        "legs": [list(leg) for leg in flight.legs], "every_m": round(flight.every_m, 2), "speed_ms": flight.speed_ms,
        "takeoff_height_m": flight.takeoff_height_m, "warnings": [_told(w) for w in warnings],
    }  # fmt: skip


def _check(wish: PlanWish) -> None:
    numbers = {"gsd_cm": (0.3, 50), "front": (0, 0.95), "side": (0, 0.95), "speed_ms": (0.5, 15),
               "ground_above_takeoff_m": (-500, 500)}  # fmt: skip
    for name, (low, high) in numbers.items():
        value = getattr(wish, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise InputInvalid(field=name, detail=f"{value} is out of range", how=f"give {low:g} … {high:g}")
    if wish.direction is not None and not math.isfinite(wish.direction):
        raise InputInvalid(field="direction", detail="is no angle", how="give degrees from north")
    known = {"kind": ("survey", "look_again"), "gateway": ("rc", "dock"), "weight_class": ("micro", "light", "small")}
    for name, words in known.items():
        if getattr(wish, name) not in words:
            raise InputInvalid(field=name, detail="is unknown", how=f"use {', '.join(words)}")


def rings_of(area: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """Outer ring and holes of a GeoJSON polygon; a point is a ring of one."""
    spots = area.get("coordinates") or []
    try:
        if area.get("type") == "Point":
            rings = [[(float(spots[0]), float(spots[1]))]]
        elif area.get("type") == "Polygon":
            rings = [[(float(lon), float(lat)) for lon, lat, *_ in ring] for ring in spots]
        else:
            raise ValueError("kind")
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise InputInvalid(field="area", detail="is no point and no polygon", how="send GeoJSON in WGS 84") from error
    flat = [spot for ring in rings for spot in ring]
    if not flat or len(flat) > 2000 or not all(abs(lon) <= 180 and abs(lat) <= 85 for lon, lat in flat):
        raise InputInvalid(field="area", detail="is no place on Earth", how="send longitude, latitude in degrees")
    return rings


def _survey(
    mission: MissionView, camera: SurveyCamera, rings: list[list[tuple[float, float]]], wish: PlanWish,
    zones: Sequence[AirspaceZone],
) -> tuple[Flight, dict[str, Any]]:  # fmt: skip
    if len(rings[0]) < 3:
        raise InputInvalid(field="area", detail="is a point", how="draw the area that is to be surveyed")
    grid = GridWish(wish.gsd_cm, wish.front, wish.side, wish.speed_ms, wish.ground_above_takeoff_m, wish.direction)
    route = grid_route(rings, camera, grid, closed_shapes(zones, 1e4, mission.permit))
    figures = {
        "lines": len(route.lines), "photos": route.photos, "length_m": round(route.length_m),
        "minutes": round(route.seconds / 60, 1), "area_m2": round(route.area_m2), "gsd_cm": wish.gsd_cm,
    }  # fmt: skip
    return flight_of(route, camera, _label(mission), wish.gateway), figures


def _look_again(
    mission: MissionView, camera: SurveyCamera, flat: Sequence[tuple[float, float]], wish: PlanWish,
    obstacles: Sequence[Obstacle],
) -> tuple[Flight, dict[str, Any]]:  # fmt: skip
    lon, lat = sum(s[0] for s in flat) / len(flat), sum(s[1] for s in flat) / len(flat)
    highest = _highest(lon, lat, obstacles)
    made = look_again(
        lon, lat, _label(mission), ground_above_takeoff_m=wish.ground_above_takeoff_m, highest_building_m=highest
    )
    flight = Flight(
        made.stops, camera.drone, camera.drone_sub, camera.payload, wish.speed_ms, made.takeoff_height_m, made.label,
        wish.gateway,
    )  # fmt: skip
    above = made.stops[0].height_m - wish.ground_above_takeoff_m
    figures = {
        "lines": 0, "photos": len(made.stops), "length_m": None, "area_m2": None,
        "minutes": round((_LOOK_S * len(made.stops) + 60) / 60, 1),
        "gsd_cm": round(100 * above / camera.focal_px, 2), "highest_building_m": highest,
    }  # fmt: skip
    return flight, figures


def _highest(lon: float, lat: float, obstacles: Sequence[Obstacle]) -> float | None:
    """The highest building within the circle and its margin; None while no layer tells of any."""
    if not obstacles:
        return None
    reach = (RADIUS_M + OBSTACLE_MARGIN_M) / 111_000
    west, east = lon - reach / math.cos(math.radians(lat)), lon + reach / math.cos(math.radians(lat))
    near = [o for o in obstacles if _meets(o.shape.bounds, (west, lat - reach, east, lat + reach))]
    return max((o.height_m for o in near), default=0.0)


def _meets(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]


def _label(mission: MissionView) -> str:
    return mission.title.split(" ")[0] if mission.case_id else mission.mission_id[-8:]


def flight_from(plan: dict[str, Any], label: str) -> Flight:
    """The planned route again, for writing its file."""
    wish = msgspec.convert(plan["wish"], PlanWish)
    camera = survey_camera(wish.camera)
    stops = [Stop(*(float(v) for v in stop)) for stop in plan["stops"]]
    legs = tuple((int(a), int(b)) for a, b in plan["legs"])
    return Flight(
        stops, camera.drone, camera.drone_sub, camera.payload, float(plan["speed_ms"]),
        float(plan["takeoff_height_m"]), label, wish.gateway, legs, float(plan["every_m"]),
    )  # fmt: skip


def route_of_mission(settings: Settings, mission: MissionView) -> Flight:
    """The route to be handed out, checked anew: layers and permit may have changed since it was planned.

    Raises:
        InputInvalid: there is no plan.
        RouteBlocked: it leads through a prohibited area without a permit, or a building stands in the way.
    """
    if not mission.plan:
        raise InputInvalid(field="plan", detail="is missing", how="plan the mission first")
    again = make_plan(settings, mission, msgspec.convert(mission.plan["wish"], PlanWish))
    blocking = [w["code"] for w in again["warnings"] if w["blocking"]]
    if blocking:
        raise RouteBlocked(codes=", ".join(blocking))
    return flight_from(again, _label(mission))


def _told(warning: RouteWarning) -> dict[str, Any]:
    return {"code": warning.code, "blocking": warning.blocking, **warning.values}


def _zones(settings: Settings, box: tuple[float, float, float, float]) -> list[AirspaceZone]:
    return [
        AirspaceZone(
            shape, str(values.get("kind") or "controlled") if values.get("kind") in KINDS else "controlled",
            str(values.get("name") or ""), str(values.get("reason") or ""), _number(values.get("lower_m")) or 0.0,
            _number(values.get("upper_m")), _number(values.get("buffer_m")) or 0.0, _moment(values.get("valid_from")),
            _moment(values.get("valid_to")),
        )
        for shape, values in nearby(settings, "airspace", box)
    ]  # fmt: skip


def _obstacles(settings: Settings, box: tuple[float, float, float, float]) -> list[Obstacle]:
    found = []
    for shape, values in nearby(settings, "buildings", box):
        storeys = _number(values.get("storeys"))
        height = _number(values.get("height_m")) or (storeys * _STOREY_M if storeys else 9.0)
        found.append(Obstacle(shape, height, str(values.get("name") or "")))
    return found


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
