"""Telemetry (``thing/product/SN/osd``): aircraft, remote control and dock (standards/10 §1.5).

``is_fixed`` tells RTK convergence, not that there is a position; 0/0 is none.  ``height`` is ellipsoidal, ``elevation``
above the take-off point.  A mode's number means one thing on an aircraft and another on a dock.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ingest.drones.dji.envelope import authorise, data_of, device_of, moment, parse
from ingest.drones.georeference import PositionOutOfRange

AIRCRAFT_MODES = (
    "standby", "takeoff_preparation", "takeoff_ready", "manual", "auto_takeoff", "wayline", "panorama", "tracking",
    "adsb_avoidance", "return_home", "auto_landing", "forced_landing", "three_blade_landing", "upgrading",
    "not_connected", "apas", "virtual_stick", "live_flight_control", "airborne_rtk_fixing", "dock_site_selection",
    "poi",
)  # fmt: skip
DOCK_MODES = ("idle", "onsite_debugging", "remote_debugging", "upgrading", "working")
_GROUNDED = frozenset({0, 1, 2, 13, 14})
_RTK = {0: "none", 1: "converging", 2: "fixed", 3: "failed"}
_PAYLOAD = re.compile(r"\d+-\d+-\d+")
_DOCK_FIELDS = ("cover_state", "drone_in_dock", "flighttask_step_code", "rainfall", "emergency_stop_state")
_REMOTE_FIELDS = ("wireless_link", "capacity_percent", "country")
_HIGH, _FAST = 1.0, 0.5  # m and m/s from which a standing number of the mode is not believed


def read(
    topic: str, text: str | bytes, user: str | None = None, announced: frozenset[str] | None = None
) -> dict[str, Any]:
    """The telemetry of one message; typed errors for what is none, for a stranger and for an impossible place."""
    device, _ = device_of(topic)
    return of_message(device, parse(topic, text), user, announced)


def of_message(
    device: str, message: dict[str, Any], user: str | None = None, announced: frozenset[str] | None = None
) -> dict[str, Any]:
    """As :func:`read`, of a message that is already an object."""
    gateway = str(message.get("gateway") or device)
    authorise(user, device, gateway, announced)
    data = data_of(message)
    found: dict[str, Any] = {
        "device_sn": device, "gateway_sn": gateway, "utc": moment(message.get("timestamp")),
        "device_class": _class(data),
    }  # fmt: skip
    found |= _position(data)
    if found["device_class"] == "dock":
        return found | _dock(data)
    if found["device_class"] == "remote":
        return found | {"battery_percent": _number(data.get("capacity_percent")), "airborne": None}
    return found | _aircraft(data)


def _class(data: dict[str, Any]) -> str:
    if any(name in data for name in _DOCK_FIELDS):
        return "dock"
    if any(name in data for name in _REMOTE_FIELDS) and "mode_code" not in data:
        return "remote"
    return "aircraft"


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return value


def _position(data: dict[str, Any]) -> dict[str, Any]:
    """Without a position the heights say nothing either; a partial message of a dock changes nothing."""
    lat, lon = _number(data.get("latitude")), _number(data.get("longitude"))
    nowhere = {"lon": None, "lat": None, "alt_ellipsoid_m": None, "alt_rel_takeoff_m": None}
    if lat is None or lon is None:
        return nowhere
    if lat == 0 and lon == 0:
        return nowhere | {"warning": "no_position"}
    if abs(lat) > 90 or abs(lon) > 180:
        raise PositionOutOfRange(lat=lat, lon=lon)
    return {
        "lon": lon, "lat": lat, "alt_ellipsoid_m": _number(data.get("height")),
        "alt_rel_takeoff_m": _number(data.get("elevation")),
    }  # fmt: skip


def _aircraft(data: dict[str, Any]) -> dict[str, Any]:
    mode, head = _number(data.get("mode_code")), _number(data.get("attitude_head"))
    battery = data.get("battery")
    state = data.get("position_state")
    rtk = _number(state.get("is_fixed")) if isinstance(state, dict) else None
    return {
        "heading_deg": None if head is None else head % 360,
        "gimbals": _gimbals(data), "laser": _laser(data), "mode": _mode(mode, AIRCRAFT_MODES),
        "airborne": _airborne(mode, data), "rtk": _RTK.get(int(rtk), "none") if rtk is not None else None,
        "battery_percent": _number(battery.get("capacity_percent")) if isinstance(battery, dict) else None,
        "speed_ms": _number(data.get("horizontal_speed")), "zoom": _zoom(data),
        "track_id": str(data.get("track_id") or ""),
    }  # fmt: skip


def _mode(code: float | None, names: tuple[str, ...]) -> str | None:
    if code is None:
        return None
    return names[int(code)] if 0 <= code < len(names) else f"mode_{int(code)}"


def _airborne(code: float | None, data: dict[str, Any]) -> bool | None:
    """By the mode; modes that nobody knows yet are judged by height and speed."""
    high = (_number(data.get("elevation")) or 0) > _HIGH or (_number(data.get("horizontal_speed")) or 0) > _FAST
    if code is None:
        return None
    if code in _GROUNDED:
        return False
    return True if code < len(AIRCRAFT_MODES) and code not in (3, 16) else high


def _payloads(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {k: v for k, v in data.items() if _PAYLOAD.fullmatch(k) and isinstance(v, dict)}


def _gimbals(data: dict[str, Any]) -> dict[str, dict[str, float]]:
    found = {}
    for index, payload in _payloads(data).items():
        angles = {axis: _number(payload.get(f"gimbal_{axis}")) for axis in ("yaw", "pitch", "roll")}
        if angles["yaw"] is not None and angles["pitch"] is not None:
            found[index] = {axis: float(value or 0.0) for axis, value in angles.items()}
    return found


def _zoom(data: dict[str, Any]) -> float | None:
    return next((z for p in _payloads(data).values() if (z := _number(p.get("zoom_factor")))), None)


def _laser(data: dict[str, Any]) -> dict[str, float] | None:
    """Only with state 0 and a place: anything else is no echo."""
    for payload in _payloads(data).values():
        lat, lon = _number(payload.get("measure_target_latitude")), _number(payload.get("measure_target_longitude"))
        if payload.get("measure_target_error_state") == 0 and lat and lon and abs(lat) <= 90 and abs(lon) <= 180:
            rest = {n: _number(payload.get(f"measure_target_{n}")) for n in ("altitude", "distance")}
            return {"lon": lon, "lat": lat, **{f"{n}_m": v for n, v in rest.items() if v is not None}}
    return None


def _dock(data: dict[str, Any]) -> dict[str, Any]:
    """A dock is a weather station too; rainfall is a class, not millimetres.  Missing fields stay away."""
    inside = data.get("sub_device")
    found = {
        "mode": _mode(_number(data.get("mode_code")), DOCK_MODES), "airborne": None,
        "rain_class": _number(data.get("rainfall")), "wind_ms": _number(data.get("wind_speed")),
        "temperature_c": _number(data.get("environment_temperature")), "humidity": _number(data.get("humidity")),
        "aircraft_sn": str(inside.get("device_sn") or "") or None if isinstance(inside, dict) else None,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None or name in ("airborne", "mode")}
