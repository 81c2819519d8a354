"""What is wrong with a route file: every fault at once, by code (standards/10 §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REQUIRED = ("template.kml", "waylines.wpml")
HEIGHT_MODES = frozenset({"WGS84", "relativeToStartPoint", "realTimeFollowSurface"})
PAYLOADS: Mapping[int, frozenset[int]] = {
    60: frozenset({20, 42, 43, 50, 61, 82, 83, 90}), 89: frozenset({20, 42, 43, 50, 61, 82, 83, 90}),
    67: frozenset({52, 53}), 77: frozenset({66, 67, 68}), 91: frozenset({80, 81}), 99: frozenset({88, 89}),
    100: frozenset({98, 99}),
}  # fmt: skip
_LOWEST = {"dock": 8.0, "rc": 1.2}
_HIGHEST = 1500.0


@dataclass(frozen=True, slots=True)
class Route:
    """The facts of a route file that can be wrong; ``poi`` as written (latitude, longitude, altitude)."""

    files: Sequence[str]
    gateway: str
    takeoff_height_m: float
    drone: int
    payload: int
    height_mode: str
    indexes: Sequence[int]
    action_groups: Sequence[Sequence[int]]
    poi: str | None = None


def route_of(given: Mapping[str, Any]) -> Route:
    """From the names that the file itself uses."""
    return Route(
        given.get("files") or (), str(given.get("gateway", "rc")), float(given.get("takeOffSecurityHeight", 0.0)),
        int(given.get("droneEnumValue", -1)), int(given.get("payloadEnumValue", -1)),
        str(given.get("executeHeightMode", "")), given.get("indexes") or (), given.get("action_groups") or (),
        given.get("poi"),
    )  # fmt: skip


def faults(route: Route) -> list[str]:
    """Codes of everything that is wrong, in the file's order."""
    found: list[str] = []
    if not all(f"wpmz/{name}" in route.files for name in REQUIRED):
        found.append("folder_wpmz_missing")
    found += _takeoff(route)
    if route.drone in PAYLOADS and route.payload not in PAYLOADS[route.drone]:
        found.append("payload_not_for_drone")
    if route.height_mode not in HEIGHT_MODES:
        found.append("execute_height_mode")
    if list(route.indexes) != list(range(len(route.indexes))):
        found.append("index_not_continuous")
    if len(route.indexes) < 2:
        found.append("fewer_than_two_waypoints")
    if any(len(group) == 2 and group[1] < group[0] for group in route.action_groups):
        found.append("action_group_end_before_start")
    if route.poi and _swapped(route.poi):
        found.append("poi_order_is_lat_lon")
    return found


def _takeoff(route: Route) -> list[str]:
    lowest = _LOWEST.get(route.gateway, _LOWEST["rc"])
    if route.takeoff_height_m < lowest:
        return [f"takeoff_height_below_{lowest:g}".replace(".", "_")]
    return ["takeoff_height_above_1500"] if route.takeoff_height_m > _HIGHEST else []


def _swapped(poi: str) -> bool:
    """``lat,lon,alt`` is asked for: a first number beyond ±90 is a longitude."""
    parts = poi.split(",")
    try:
        lat, lon = float(parts[0]), float(parts[1])
    except (ValueError, IndexError):
        return True
    return abs(lat) > 90 or abs(lon) > 180
