"""Kinds of drone vectors and the functions that answer them: geometry, survey plans, true height."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from dashboard.uploads import protocol
from ingest.drones import misb
from ingest.drones.dji import osd, topology
from ingest.drones.dji.envelope import parse
from ingest.drones.dji.events import event
from ingest.drones.georeference import (
    NoGroundInView,
    Pose,
    footprint,
    ground_offset,
    meridian_convergence,
    pixel_of,
    place,
    uncertainty,
)
from ingest.drones.lens import Camera, focal_pixels, focal_pixels_35
from ingest.drones.metadata import dji_tags, photo_position, taken_at
from ingest.drones.subtitles import first_subtitle
from ingest.drones.survey import orbit, survey_lines, survey_plan, true_height
from ingest.drones.wpml.check import faults, route_of

Body = Mapping[str, Any]


def _camera(given: Body) -> Camera:
    width, height = given["image_width"], given["image_height"]
    zoom = given.get("digital_zoom", 1.0)
    if "focal_px" in given:
        focal = given["focal_px"] * zoom
    elif "focal_mm" in given and "sensor_width_mm" in given:
        focal = focal_pixels(width, given["focal_mm"], given["sensor_width_mm"], zoom)
    else:
        focal = focal_pixels_35(width, height, given["focal35_mm"], zoom)
    return Camera(width, height, focal, given.get("cx_px", width / 2), given.get("cy_px", height / 2))


def _pose(given: Body) -> Pose:
    height = given.get("height_above_ground_m")
    if height is None:
        height = given["relative_altitude_m"] + given["takeoff_elevation_m"] - given["ground_elevation_m"]
    angles = (given["gimbal_yaw"], given["gimbal_pitch"], given.get("gimbal_roll", 0.0))
    return Pose(given["lon"], given["lat"], height, *angles)


def _footprint(body: Body, document: Body) -> Any:
    camera, pose = _camera(body["input"]), _pose(body["input"])
    corners = footprint(camera, pose)
    centre = ground_offset(camera, pose, camera.width / 2, camera.height / 2)
    if centre is None and not any(corners):
        raise NoGroundInView()
    return {
        "corners_en_m": corners,
        "corners_lonlat": [None if corner is None else place(pose, corner) for corner in corners],
        "centre_en_m": centre,
        "centre_lonlat": None if centre is None else place(pose, centre),
    }


def _pixel(body: Body, document: Body) -> Any:
    camera, pose = _camera(body["input"]), _pose(body["input"])
    offset = ground_offset(camera, pose, *body["input"]["pixel"])
    if offset is None:
        raise NoGroundInView()
    return {"en_m": offset, "lonlat": place(pose, offset), "back_to_pixel": pixel_of(camera, pose, offset)}


def _uncertainty(body: Body, document: Body) -> Any:
    given = body["input"]
    names = ("height_m", "gimbal_pitch", "sigma_xy_m", "sigma_height_m", "sigma_tilt_deg", "sigma_yaw_deg")
    return asdict(uncertainty(*(given[name] for name in names)))


def _plan(body: Body, document: Body) -> Any:
    given = body["input"]
    camera = _camera(given)
    sides = (given["front_overlap"], given["side_overlap"], given["speed_ms"])
    return asdict(survey_plan(given["gsd_m"], camera.width, camera.height, camera.focal_px, *sides))


def _lines(body: Body, document: Body) -> Any:
    given = body["input"]
    names = ("width_across_m", "line_spacing_m", "line_length_m", "photo_base_m")
    return asdict(survey_lines(*(given[name] for name in names)))


def _orbit(body: Body, document: Body) -> Any:
    given = body["input"]
    first = given.get("first_azimuth_deg", 0.0)
    lon, lat = given["poi"][:2]
    return asdict(orbit(lon, lat, given["radius_m"], given["height_above_poi_m"], given["points"], first))


def _azimuth(body: Body, document: Body) -> Any:
    given = body["input"]
    turned = {str(epsg): meridian_convergence(given["lon"], given["lat"], epsg) for epsg in given["epsg"]}
    true = given["true_azimuth_deg"]
    return {epsg: {"convergence_deg": c, "grid_azimuth_deg": (true - c) % 360} for epsg, c in turned.items()}


def _airspace(body: Body, document: Body) -> Any:
    given = body["input"]
    return asdict(true_height(given["rel_alt_m"], given["takeoff_above_ground_m"], given.get("class", "light")))


def _text(given: Body) -> str:
    text = given.get("payload_text")
    return text if isinstance(text, str) else json.dumps(given.get("payload"))


def _osd(body: Body, document: Body) -> Any:
    given = body["input"]
    return osd.read(given["topic"], _text(given), given.get("mqtt_username_sn"))


def _topology(body: Body, document: Body) -> Any:
    given = body["input"]
    message = parse(given["topic"], _text(given))
    return topology.update(given["topic"], message, given.get("known_online") or (), given.get("mqtt_username_sn"))


def _event(body: Body, document: Body) -> Any:
    given = body["input"]
    message = parse(given["topic"], _text(given))
    return event(given["topic"], message, given.get("mqtt_username_sn"), given.get("timezone", "+08:00"))


def _klv(body: Body, document: Body) -> Any:
    return misb.decode(bytes.fromhex(body["input"]["hex"]))


def _tus(body: Body, document: Body) -> Any:
    state, request = body["input"]["state"], body["input"]["request"]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    content = request.get("body_text", "").encode()
    return asdict(protocol.patch(headers, content, state["length"], state["offset"]))


CHECKS: dict[str, Callable[[Body, Body], Any]] = {
    "footprint": _footprint, "pixel_to_ground": _pixel, "uncertainty": _uncertainty, "survey_plan": _plan,
    "survey_lines": _lines, "orbit": _orbit, "azimuth": _azimuth, "airspace": _airspace,
    "xmp": lambda body, _: photo_position(dji_tags(body["input"]["xmp"])),
    "time": lambda body, _: asdict(taken_at(body["input"], body["input"].get("timezone", "+08:00"))),
    "osd": _osd, "update_topo": _topology, "events": _event, "misb0601": _klv, "tus": _tus,
    "tus_metadata": lambda body, _: protocol.metadata(body["input"]["header"]),
    "wpml": lambda body, _: {"errors": faults(route_of(body["input"]))},
    "srt": lambda body, _: first_subtitle(body["input"]["text"], body["input"].get("timezone", "+08:00")),
}  # fmt: skip
