"""The facts of a film: from SRT subtitles, from MISB ST 0601, or only where it began."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest.drones import film, misb, subtitles
from ingest.drones.facts import Attitude, Facts
from ingest.drones.georeference import rotation
from ingest.drones.lens import Camera, focal_pixels_35
from ingest.drones.metadata import TakenAt
from ingest.drones.problems import Note, note

_SIZE = (1920, 1080)  # subtitles and bare KLV say no size; angles do not depend on it
_KLV_BYTES = 8 << 20
_SIGMA_XY = 1.5  # m, GNSS alone (standards/10 §4)


def facts_of(path: Path, kind: str) -> tuple[Facts, list[Note]]:
    """``kind`` as :func:`ingest.drones.picture_file.kind_of` says it."""
    if kind == "klv":
        with path.open("rb") as file:
            return of_klv(next(misb.sets(file.read(_KLV_BYTES)), {}), *_SIZE), []
    if kind == "text":
        with path.open("rb") as file:
            return of_subtitles(file.read(subtitles.MOST).decode("utf-8", "replace"), *_SIZE), []
    seen = film.read_film(path)
    notes = [Note(error.code, str(error)) for error in seen.problems]
    if seen.klv is not None:
        return of_klv(seen.klv, seen.width, seen.height), notes
    if seen.telemetry:
        return of_subtitles(seen.telemetry, seen.width, seen.height), notes
    if seen.coded:
        notes.append(note("telemetry_coded"))
    lon, lat = seen.start or (None, None)
    return _facts({"lon": lon, "lat": lat}, None, None, seen.width, seen.height), notes


def of_subtitles(text: str, width: int, height: int) -> Facts:
    """The first block with a position."""
    found = subtitles.first_place(text) or subtitles.first_subtitle(text)
    yaw, pitch = found.get("gimbal_yaw"), found.get("gimbal_pitch")
    attitude = None
    if yaw is not None and pitch is not None:
        attitude = Attitude(yaw, pitch, found.get("gimbal_roll", 0.0))
    camera = None
    if (focal := found.get("focal35_mm")) and focal > 0:
        pixels = focal_pixels_35(width, height, focal, found.get("digital_zoom", 1.0))
        camera = Camera(width, height, pixels, width / 2, height / 2)
    return _facts(found, attitude, camera, width, height)


def of_klv(found: Mapping[str, Any], width: int, height: int) -> Facts:
    """Sensor angles are relative to the platform: both rotations are put together."""
    camera = None
    if 0 < (field := found.get("hfov", 0.0)) < 180:
        camera = Camera(width, height, width / 2 / math.tan(math.radians(field) / 2), width / 2, height / 2)
    above, ground = found.get("sensor_alt_m"), found.get("frame_centre_elevation_m")
    heights = {"abs_alt_m": above, "rel_alt_m": above - ground if above is not None and ground is not None else None}
    where = {"lon": found.get("sensor_lon"), "lat": found.get("sensor_lat"), "utc": found.get("utc")}
    return _facts({**where, **heights}, _klv_attitude(found), camera, width, height)


def _klv_attitude(found: Mapping[str, Any]) -> Attitude | None:
    if not {"platform_heading", "rel_azimuth", "rel_elevation"} <= found.keys():
        return None
    names = ("platform_heading", "platform_pitch", "platform_roll")
    outer = rotation(*(found.get(name, 0.0) for name in names))
    inner = rotation(found["rel_azimuth"], found["rel_elevation"], found.get("rel_roll", 0.0))
    turn = [[sum(outer[i][k] * inner[k][j] for k in range(3)) for j in range(3)] for i in range(3)]
    pitch = math.asin(max(-1.0, min(1.0, -turn[2][0])))
    if math.cos(pitch) < 1e-6:  # straight down: yaw and roll are one turn
        return Attitude(math.degrees(math.atan2(-turn[0][1], turn[1][1])), math.degrees(pitch), 0.0)
    yaw, roll = math.atan2(turn[1][0], turn[0][0]), math.atan2(turn[2][1], turn[2][2])
    return Attitude(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def _facts(
    found: Mapping[str, Any], attitude: Attitude | None, camera: Camera | None, width: int, height: int
) -> Facts:
    utc = found.get("utc")
    lon, lat = found.get("lon"), found.get("lat")
    return Facts(
        lon=None if not lon and not lat else lon, lat=None if not lon and not lat else lat,
        rel_alt_m=found.get("rel_alt_m"), abs_alt_m=found.get("abs_alt_m"), attitude=attitude, camera=camera,
        model="", serial="", taken=TakenAt(utc, None, None), position_source="gnss", sigma_xy_m=_SIGMA_XY,
        sigma_z_m=None, laser_m=None, width=width, height=height,
    )  # fmt: skip
