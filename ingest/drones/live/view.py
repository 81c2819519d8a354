"""An aircraft as the map shows it: place, heading, and the ground that its picture shows.

The live picture is taken as 16:9 of a wide lens of 24 mm equivalent (by the diagonal), divided by the zoom factor;
height above the ground is the height above take-off: terrain is not known here, the footprint says ``flat``.
"""

from __future__ import annotations

import math
from typing import Any

from core.records import DeviceConfig
from ingest.drones.dji import models
from ingest.drones.georeference import Pose, footprint, place
from ingest.drones.lens import Camera

WIDTH, HEIGHT = 1920, 1080
WIDE_F = 24 / 43.267 * 1.25 * WIDTH  # pixels: the picture's width is that of the 4:3 sensor
FARTHEST_M = 3000.0  # a footprint that reaches further is not drawn: it lies near the horizon


def live_view(device: DeviceConfig, said: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """``said`` as :func:`ingest.drones.dji.osd.of_message` reads it; a missing place keeps the one before."""
    lon, lat = said.get("lon"), said.get("lat")
    lost = lon is None or lat is None
    gimbal = next(iter((said.get("gimbals") or {}).values()), None)
    view = {
        "sn": device.address, "name": device.name or device.address,
        "model": models.name(str(device.attributes.get("model_key") or "")), "gateway": said["gateway_sn"],
        "lon": before.get("lon") if lost else lon, "lat": before.get("lat") if lost else lat, "lost": lost,
        "height_m": said.get("alt_rel_takeoff_m"), "ellipsoid_m": said.get("alt_ellipsoid_m"),
        "heading": said.get("heading_deg"), "speed_ms": said.get("speed_ms"), "battery": said.get("battery_percent"),
        "mode": said.get("mode"), "airborne": said.get("airborne"), "rtk": said.get("rtk"), "gimbal": gimbal,
        "zoom": said.get("zoom"), "flight": said.get("track_id") or "", "at": said.get("utc"),
    }  # fmt: skip
    view["footprint"] = None if lost or gimbal is None else _ground(view, gimbal)
    return view


def _ground(view: dict[str, Any], gimbal: dict[str, float]) -> list[list[float]] | None:
    height = view["height_m"]
    if height is None or height <= 1:
        return None
    zoom = view["zoom"] if view["zoom"] and view["zoom"] >= 1 else 1.0
    camera = Camera(WIDTH, HEIGHT, WIDE_F * zoom, WIDTH / 2, HEIGHT / 2)
    pose = Pose(view["lon"], view["lat"], height, gimbal["yaw"], gimbal["pitch"], gimbal["roll"])
    corners = footprint(camera, pose)
    if any(c is None or math.hypot(*c) > FARTHEST_M for c in corners):
        return None
    ring = [[round(v, 7) for v in place(pose, c)] for c in corners if c is not None]
    return [*ring, ring[0]]
