"""What a gateway asks of its cloud, answered: a dock waits about 40 s for each missing reply before it takes off.

Every request is answered.  ``result`` is 0 with what was asked for, or 1 where there is nothing to give: a dock must
not take an empty answer for a bucket or for a route.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.settings import Settings

ORGANISATION = {"organization_id": "yiwang", "organization_name": "Yiwang"}
REFUSED = 1
STORAGE = "storage_config_get"  # needs the bucket's own service: answered beside the others


def answered(
    method: str, data: dict[str, Any], settings: Settings | None, accepted: Callable[[str], bool]
) -> dict[str, Any]:
    """``data`` of the reply; ``accepted`` says of a serial number whether it is registered and accepted."""
    if method == "airport_bind_status":
        rows = [
            {"sn": sn, "is_device_bind_organization": accepted(sn), "device_callsign": sn, **ORGANISATION}
            for sn in _serials(data, "devices")
        ]
        return _given({"bind_status": rows})
    if method == "airport_organization_get":
        return _given({"organization_name": ORGANISATION["organization_name"]})
    if method == "airport_organization_bind":
        bound = [{"sn": sn, "err_code": 0 if accepted(sn) else REFUSED} for sn in _serials(data, "bind_devices")]
        return _given({"err_infos": bound})
    if method == "config":
        return _given(_config(settings))
    if method == "flight_areas_get":
        return _given({"files": []})
    if method == "flighttask_resource_get":  # nothing that flies an aircraft is sent from here: there is no such task
        return {"result": REFUSED}
    return {"result": 0}  # offline_map_get and what newer firmware asks: the answer alone is what it waits for


def stored(settings: Settings | None, sn: str) -> dict[str, Any]:
    """``data`` of the reply to :data:`STORAGE`; asks the bucket's service, so it may take seconds."""
    from core.errors import YiwangError
    from ingest.drones.live.bucket_rights import credentials

    if settings is None or not settings.drone_bucket.startswith("s3://"):
        return {"result": REFUSED}
    try:
        return _given(credentials(settings, sn))
    except YiwangError:
        return {"result": REFUSED}


def _config(settings: Settings | None) -> dict[str, Any]:
    """Without internet a dock needs our time server, else missions refuse; without one it keeps its own."""
    if settings is None:
        return {}
    told: dict[str, Any] = {
        "app_id": settings.dji_app_id, "app_key": settings.dji_app_key, "app_license": settings.dji_app_license
    }  # fmt: skip
    if settings.drone_ntp:
        told |= {"ntp_server_host": settings.drone_ntp, "ntp_server_port": 123}
    return told


def _given(output: dict[str, Any]) -> dict[str, Any]:
    return {"result": 0, "output": output}


def _serials(data: dict[str, Any], name: str) -> list[str]:
    rows = data.get(name)
    return [str(row.get("sn")) for row in rows if isinstance(row, dict)][:200] if isinstance(rows, list) else []
