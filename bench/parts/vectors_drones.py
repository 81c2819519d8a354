"""Kinds of drone vectors and the functions that answer them: geometry, survey plans, true height."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ingest.drones.georeference import (
    Camera,
    NoGroundInView,
    Pose,
    focal_pixels,
    focal_pixels_35,
    footprint,
    ground_offset,
    meridian_convergence,
    pixel_of,
    place,
    uncertainty,
)
from ingest.drones.metadata import dji_tags, first_subtitle, photo_position, taken_at
from ingest.drones.survey import orbit, survey_lines, survey_plan, true_height

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


CHECKS: dict[str, Callable[[Body, Body], Any]] = {
    "footprint": _footprint, "pixel_to_ground": _pixel, "uncertainty": _uncertainty, "survey_plan": _plan,
    "survey_lines": _lines, "orbit": _orbit, "azimuth": _azimuth, "airspace": _airspace,
    "xmp": lambda body, _: photo_position(dji_tags(body["input"]["xmp"])),
    "time": lambda body, _: asdict(taken_at(body["input"], body["input"].get("timezone", "+08:00"))),
    "srt": lambda body, _: first_subtitle(body["input"]["text"], body["input"].get("timezone", "+08:00")),
}  # fmt: skip
