"""Kept files as GeoJSON and as a layer of the map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from storage.drones import FileView

_METRES_PER_DEGREE = 111_320.0


def feature(file: FileView) -> dict[str, Any]:
    """The footprint, else where the camera was, else null."""
    geometry: dict[str, Any] | None = None
    if file.place.get("corners"):
        ring = [*file.place["corners"], file.place["corners"][0]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
    elif file.place:
        geometry = {"type": "Point", "coordinates": file.place["centre"]}
    elif file.position:
        geometry = {"type": "Point", "coordinates": file.position}
    place = {name: value for name, value in file.place.items() if name != "corners"}
    return {
        "type": "Feature", "id": file.file_id, "geometry": geometry,
        "properties": {
            "file_id": file.file_id, "flight_id": file.flight_id, "file": file.name, "kind": file.kind,
            "taken_at": file.taken_at, "camera": file.camera, "placed": bool(file.place), "placed_by": file.placed_by,
            "problems": file.problems, **place,
        },
    }  # fmt: skip


def collection(files: Sequence[FileView]) -> dict[str, Any]:
    """One feature a file."""
    return {"type": "FeatureCollection", "features": [feature(file) for file in files]}


def by_hand(lon: float, lat: float, radius_m: float) -> dict[str, Any]:
    """A place that a person gave: a point and how sure it is, no footprint."""
    return {
        "corners": [], "centre": [lon, lat], "height_m": None, "gsd_cm": None, "uncertainty_m": radius_m,
        "ellipse": {"along_m": radius_m / 2.448, "across_m": radius_m / 2.448, "bearing": 0.0}, "method": "hand",
    }  # fmt: skip


def layer(placed: int) -> dict[str, Any] | None:
    """As ``/api/layers`` lists a layer; its data is one GeoJSON answer, not tiles."""
    if not placed:
        return None
    polygon, spot = ["==", ["geometry-type"], "Polygon"], ["==", ["geometry-type"], "Point"]
    shown = {"source": "layer:drone-photos"}
    title = {"zh": "无人机照片", "en": "Drone photos"}
    return {
        "name": "drone-photos", "kind": "drone", "kind_title": title, "title": title["zh"], "form": "geojson",
        "tiles": "/api/drone/files", "zooms": [0, 22], "bbox": [-180, -90, 180, 90],
        "style": [
            {"type": "fill", **shown, "filter": polygon, "paint": {"fill-color": "@photo", "fill-opacity": 0.08}},
            {"type": "line", **shown, "filter": polygon, "paint": {"line-color": "@photo", "line-width": 1}},
            {"type": "circle", **shown, "filter": spot, "paint": {"circle-color": "@photo", "circle-radius": 4}},
        ],
        "palette": {"night": {"photo": "#4fc3f7"}, "day": {"photo": "#0277bd"}, "contrast": {"photo": "#00e5ff"}},
        "legend": [{"colour": "@photo", **title, "shape": "fill"}], "order": 35, "features": placed,
        "generated": False, "source": "", "date": "", "licence": "", "attribution": "", "imported_at": "",
    }  # fmt: skip


def width_m(file: FileView) -> float | None:
    """Metres between the upper corners of the footprint, for lists."""
    corners = file.place.get("corners") or []
    if len(corners) < 2:
        return None
    (lon_a, lat_a), (lon_b, lat_b) = corners[0], corners[1]
    east = (lon_b - lon_a) * math.cos(math.radians(lat_a)) * _METRES_PER_DEGREE
    return math.hypot(east, (lat_b - lat_a) * _METRES_PER_DEGREE)
