"""What changed since the last flight, beside what the district's own layers know: mapped water and buildings."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from core.settings import Settings
from ingest.drones.overlap.plane import plane_at
from layers.nearby import nearby

_MOSTLY = 0.5  # of a region
_STREAM_M = 3.0  # half of a mapped stream's width, where the map has a line


def beside_the_map(settings: Settings, told: dict[str, Any]) -> dict[str, Any]:
    """The regions with what the layers say of them, and how much water lies where none is mapped.

    A region that lies mostly in mapped water is ``mapped``: a river's own surface is no flood.  One that lies mostly on
    a mapped building is a building's, unless it looks like a vehicle.  ``water_m2`` and ``mapped_water_m2`` are sums of
    the regions that look like water.
    """
    features = told["features"]
    if not features:
        return {**told, "water_m2": 0.0, "mapped_water_m2": 0.0}
    rings = [np.array(f["geometry"]["coordinates"][0], np.float64) for f in features]
    every = np.vstack(rings)
    box = (*every.min(axis=0).tolist(), *every.max(axis=0).tolist())
    plane = plane_at(*every.mean(axis=0).tolist())
    water, buildings = (
        shapely.union_all([_area(shapely.transform(shape, plane.metres)) for shape, _ in nearby(settings, kind, box)])
        for kind in ("water", "buildings")
    )
    sums = {False: 0.0, True: 0.0}
    for feature, ring in zip(features, rings, strict=True):
        shape, about = shapely.make_valid(shapely.Polygon(plane.metres(ring))), feature["properties"]
        about["mapped"] = _mostly(shape, water)
        if about["guess"] == "water":
            sums[about["mapped"]] += about["area_m2"]
        elif about["guess"] != "vehicle" and _mostly(shape, buildings):
            about["guess"] = "building"
    return {**told, "water_m2": round(sums[False], 1), "mapped_water_m2": round(sums[True], 1)}


def _area(shape: Any) -> Any:
    return shapely.make_valid(shape if "Polygon" in shape.geom_type else shapely.buffer(shape, _STREAM_M))


def _mostly(shape: Any, area: Any) -> bool:
    return bool(shape.area and shapely.intersection(shape, area).area > _MOSTLY * shape.area)
