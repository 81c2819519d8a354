"""Vehicles of a flight by road segment: the findings laid on the district's own layer of roads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from core.records import Record
from core.settings import Settings
from dashboard.drones.findings import surest
from ingest.drones.overlap.plane import GroundPlane, plane_at
from layers.nearby import nearby
from storage.aerial import FindingView
from storage.drones import FileView
from vision.aerial.roads import SegmentCount, by_segment

VEHICLES = frozenset({"car", "large_vehicle", "truck", "bus", "minibus"})
_SMALL = frozenset({"car"})
MOST_SHOWN = 50


class RoadCount(Record, frozen=True, omit_defaults=False):
    """A road as a flight saw it.  ``per_km``: vehicles a kilometre, None where too little of it was seen; ``dense``:
    a suggestion of congestion: a still picture cannot tell a queue from parked cars."""

    name: str
    name_en: str
    vehicles: int
    large: int
    seen_m: float
    per_km: float | None
    dense: bool
    lon: float
    lat: float


def road_counts(settings: Settings, files: Sequence[FileView], findings: Sequence[FindingView]) -> list[RoadCount]:
    """Every road in the pictures of a flight, the fullest first; [] without footprints or a layer of roads."""
    corners = [file.place["corners"] for file in files if len(file.place.get("corners") or []) >= 3]
    if not corners:
        return []
    lons, lats = ([spot[axis] for ring in corners for spot in ring] for axis in (0, 1))
    plane = plane_at(lons[0], lats[0])
    seen = shapely.union_all([_area(plane, ring) for ring in corners])
    roads = list(nearby(settings, "roads", (min(lons), min(lats), max(lons), max(lats))))
    segments = [(str(number), shapely.transform(line, plane.metres)) for number, (line, _) in enumerate(roads)]
    vehicles = [f for f in surest(findings) if f.name in VEHICLES and f.lon is not None and f.lat is not None]
    spots = plane.metres(np.array([[f.lon, f.lat] for f in vehicles], np.float64).reshape(-1, 2)).tolist()
    found = [(e, n, f.name not in _SMALL) for f, (e, n) in zip(vehicles, spots, strict=True)]
    counted = by_segment(found, segments, seen)[:MOST_SHOWN]
    return [_row(plane, segment, roads[int(segment.name)][1]) for segment in counted]


def _area(plane: GroundPlane, ring: Sequence[Sequence[float]]) -> Any:
    return shapely.make_valid(shapely.Polygon(plane.metres(np.array(ring, np.float64))))


def _row(plane: GroundPlane, segment: SegmentCount, values: dict[str, Any]) -> RoadCount:
    name = str(values.get("name") or values.get("ref") or "")
    lon, lat = plane.degrees(np.array([segment.middle], np.float64))[0].tolist()
    per_km = None if segment.per_km is None or not math.isfinite(segment.per_km) else round(segment.per_km, 1)
    return RoadCount(
        name=name, name_en=str(values.get("name_en") or name), vehicles=segment.vehicles, large=segment.large,
        seen_m=round(segment.seen_m, 1), per_km=per_km, dense=segment.dense, lon=round(lon, 7), lat=round(lat, 7),
    )  # fmt: skip
