"""Events of gateways: uploaded media, missions' progress, health alarms; answered iff ``need_reply`` is 1."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest.drones.dji.envelope import authorise, data_of, device_of, reply
from ingest.drones.metadata import number, utc_text, zone_of

_LEVELS = {0: "note", 1: "remind", 2: "warn"}
_MOST_ALARMS = 20


def event(topic: str, message: dict[str, Any], user: str | None = None, zone: str = "+08:00") -> dict[str, Any]:
    """What the event says, by its method, and the reply (None when the device wants none)."""
    sn, _ = device_of(topic)
    authorise(user, sn, str(message.get("gateway") or sn))
    data, method = data_of(message), str(message.get("method", ""))
    found: dict[str, Any] = {"device_sn": sn, "method": method}
    if method == "file_upload_callback":
        found |= media(data, zone)
    elif method == "flighttask_progress":
        found |= _mission(data)
    elif method == "hms":
        found |= {"alarms": _alarms(data)}
    return found | {"reply": reply(topic, message) if message.get("need_reply") == 1 else None}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _real(value: Any) -> float | None:
    """A number, also as text with a sign."""
    return None if value is None or isinstance(value, bool) else number(str(value))


def media(data: dict[str, Any], zone: str = "+08:00") -> dict[str, Any]:
    """An uploaded picture, as a dock (``lng``, ``create_time``) or Pilot (``created_time``, no ``file``) reports it."""
    file = _object(data.get("file")) or data
    facts, more = _object(file.get("metadata")), _object(file.get("ext"))
    spot, task = _object(facts.get("shoot_position")), _object(data.get("flight_task"))
    lat, lon = _real(spot.get("lat")), _real(spot.get("lng", spot.get("lon")))
    if not lat and not lon:
        lat = lon = None
    photo = {
        "object_key": str(file.get("object_key") or ""), "name": str(file.get("name") or ""),
        "flight_id": str(more.get("flight_id") or more.get("file_group_id") or ""), "lat": lat, "lon": lon,
        "rel_alt_m": _real(facts.get("relative_altitude")), "abs_alt_m": _real(facts.get("absolute_altitude")),
        "gimbal_yaw": _real(facts.get("gimbal_yaw_degree")), "original": more.get("is_original") is not False,
        "utc": _time(facts.get("created_time") or facts.get("create_time"), zone),
    }  # fmt: skip
    counts = [task.get("uploaded_file_count"), task.get("expected_file_count")]
    return {"photo": photo, "progress": counts if all(isinstance(c, int) for c in counts) else None}


def _time(text: Any, zone: str) -> str | None:
    """With or without a zone; without one it is the controller's local time."""
    try:
        found = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return None
    parts = (found.year, found.month, found.day, found.hour, found.minute, found.second, found.microsecond)
    if found.tzinfo is not None:
        return found.astimezone(zone_of("+00:00")).isoformat().replace("+00:00", "Z")
    return utc_text(*parts, zone_of(zone))


def _mission(data: dict[str, Any]) -> dict[str, Any]:
    """Progress stands under ``output`` although the vendor's table is flat."""
    output = _object(data.get("output")) or data
    steps, more = _object(output.get("progress")), _object(output.get("ext"))
    return {
        "status": output.get("status"), "percent": steps.get("percent"), "flight_id": more.get("flight_id"),
        "media_count": more.get("media_count"), "waypoint": more.get("current_waypoint_index"),
        "result": data.get("result"),
    }  # fmt: skip


def _alarms(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The complete list of what is wrong now: an alarm that is no longer in it is over."""
    found = data.get("list")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return [
        {
            "code": str(row.get("code", "")), "level": _LEVELS.get(row.get("level", 0), "warn"),
            "in_the_sky": row.get("in_the_sky") == 1, "module": row.get("module"),
        }
        for row in rows[:_MOST_ALARMS]
    ]  # fmt: skip
