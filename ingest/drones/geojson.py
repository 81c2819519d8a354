"""Located files as GeoJSON (RFC 7946); polygons keep the picture's own order of corners."""

from __future__ import annotations

from typing import Any

from ingest.drones.placed import Located, Place

_DIGITS = 8  # of a degree: a millimetre


def feature(located: Located) -> dict[str, Any]:
    """One file: polygon of the footprint or null, and what the pages show."""
    facts, place = located.facts, located.place
    taken = facts.taken if facts else None
    properties: dict[str, Any] = {
        "file": located.file, "taken_at": taken.utc if taken else None,
        "camera": (facts.model or None) if facts else None,
        **numbers(place),
        "problems": [{"code": code, "message": message} for code, message in located.notes],
        "time_source": taken.source or None if taken else None,
        "position": _position(located),
    }  # fmt: skip
    return {"type": "Feature", "geometry": _polygon(place), "properties": properties}


def collection(found: list[Located]) -> dict[str, Any]:
    """One feature a file, in the order given."""
    return {"type": "FeatureCollection", "features": [feature(located) for located in found]}


def _polygon(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    ring = [point(corner) for corner in (*place.corners, place.corners[0])]
    return {"type": "Polygon", "coordinates": [ring]}


def numbers(place: Place | None) -> dict[str, Any]:
    """Centre, height, resolution and uncertainty; null without a place."""
    if place is None:
        return dict.fromkeys(("centre", "height_m", "gsd_cm", "uncertainty_m", "ellipse", "method"))
    along, across, bearing = place.ellipse
    return {
        "centre": point(place.centre), "height_m": round(place.height_m, 3), "gsd_cm": round(place.gsd_cm, 4),
        "uncertainty_m": round(place.uncertainty_m, 2),
        "ellipse": {"along_m": round(along, 2), "across_m": round(across, 2), "bearing": round(bearing, 1)},
        "method": place.method,
    }  # fmt: skip


def _position(located: Located) -> list[float] | None:
    facts = located.facts
    if facts is None or facts.lon is None or facts.lat is None:
        return None
    return point((facts.lon, facts.lat))


def point(at: tuple[float, float]) -> list[float]:
    """Longitude and latitude to the millimetre."""
    return [round(at[0], _DIGITS), round(at[1], _DIGITS)]
