"""What a client must and may send of each entity that it creates (OGC 18-088, clauses 8.2 and 10.2.1).  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.errors import InputInvalid

GEOJSON = ("application/geo+json", "application/vnd.geo+json")
LONGEST_TEXT, LARGEST_PART = 4000, 20_000  # characters of a text; of a JSON value
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """``texts`` and ``values`` are mandatory; ``links`` go to one entity, ``sets`` to several."""

    texts: tuple[str, ...]
    values: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("properties",)
    links: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


SHAPES = {
    "Things": Shape(("name", "description"), sets=("Locations", "Datastreams", "HistoricalLocations")),
    "Locations": Shape(("name", "description", "encodingType"), ("location",), sets=("Things",)),
    "HistoricalLocations": Shape((), ("time",), optional=(), links=("Thing",), sets=("Locations",)),
    "Sensors": Shape(("name", "description", "encodingType"), ("metadata",), sets=("Datastreams",)),
    "ObservedProperties": Shape(("name", "definition", "description"), sets=("Datastreams",)),
    "FeaturesOfInterest": Shape(("name", "description", "encodingType"), ("feature",), sets=("Observations",)),
    "Datastreams": Shape(
        ("name", "description", "observationType"), ("unitOfMeasurement",),
        optional=("properties", "observedArea", "phenomenonTime", "resultTime"),
        links=("Thing", "Sensor", "ObservedProperty"), sets=("Observations",),
    ),
    "Observations": Shape(
        (), ("result",),
        optional=("phenomenonTime", "resultTime", "resultQuality", "validTime", "parameters"),
        links=("Datastream", "FeatureOfInterest"),
    ),
}  # fmt: skip


def wrong(field: str, detail: str, how: str) -> InputInvalid:
    """A refusal of what the client sent, by the name of the property."""
    return InputInvalid(field=field[:80], detail=detail, how=how)


def properties_of(kind: str, body: Any) -> dict[str, Any]:
    """The properties of an entity as they will be kept; :class:`InputInvalid` names the first that is wrong."""
    shape = SHAPES[kind]
    if not isinstance(body, Mapping):
        raise wrong(kind, "is no object", f"send one of {kind} as a JSON object")
    known = {*shape.texts, *shape.values, *shape.optional, *shape.links, *shape.sets}
    for name in body:
        if name == "@iot.id":
            raise wrong(name, "is given by this server", "leave it out; existing entities are linked by it")
        if name not in known and "@iot." not in name:
            raise wrong(name, f"is no property of {kind}", f"use {', '.join(sorted(known))}")
    for name in (*shape.texts, *shape.values):
        if body.get(name) is None:
            raise wrong(name, "is missing", f"{kind} need it (OGC 18-088, clause 8.2)")
    kept = {name: body[name] for name in (*shape.texts, *shape.values, *shape.optional) if body.get(name) is not None}
    for name in shape.texts:
        if not isinstance(kept[name], str) or len(kept[name]) > LONGEST_TEXT or "\0" in kept[name]:
            raise wrong(name, "is no text, or too long", f"send at most {LONGEST_TEXT:,} characters")
    if "name" in shape.texts and not kept["name"].strip():
        raise wrong("name", "is empty", "send a name")
    for name, value in kept.items():
        if name not in shape.texts and len(repr(value)) > LARGEST_PART:
            raise wrong(name, "is too large", f"send at most {LARGEST_PART:,} characters")
    for name in ("properties", "parameters"):
        if name in kept and not isinstance(kept[name], dict):
            raise wrong(name, "is no object", "send a JSON object")
    return _checked(kind, kept)


def _checked(kind: str, kept: dict[str, Any]) -> dict[str, Any]:
    if kind in {"Locations", "FeaturesOfInterest"}:
        name = "location" if kind == "Locations" else "feature"
        if kept["encodingType"] in GEOJSON:
            geometry_of(name, kept[name])
    if kind == "Datastreams":
        unit = kept["unitOfMeasurement"]
        if not isinstance(unit, dict) or not {"name", "symbol", "definition"} >= set(unit):
            how = 'send {"name": …, "symbol": …, "definition": …}; null where there is none'
            raise wrong("unitOfMeasurement", "is no unit", how)
        if any(not isinstance(v, str | None) or len(v or "") > 400 for v in unit.values()):
            raise wrong("unitOfMeasurement", "holds what is no text", "send texts or null")
    for name in ("phenomenonTime", "resultTime", "validTime", "time"):
        if name in kept:
            interval_of(name, kept[name])
    return kept


def geometry_of(name: str, value: Any) -> tuple[float, float] | None:
    """A point of the GeoJSON geometry or feature, in degrees (longitude, latitude); None for an empty one."""
    import json

    import shapely

    if not isinstance(value, Mapping):
        raise wrong(name, "is no GeoJSON", 'send {"type": "Point", "coordinates": [longitude, latitude]}')
    geometry = value.get("geometry") if value.get("type") == "Feature" else value
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        raise wrong(name, "is no GeoJSON", 'send {"type": "Point", "coordinates": [longitude, latitude]}') from error
    if shape is None or shape.is_empty:
        raise wrong(name, "is empty", "send a geometry with coordinates")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise wrong(name, "lies outside the world", "send longitude, then latitude, in degrees of WGS 84")
    point = shape if shape.geom_type == "Point" else shape.representative_point()
    return float(point.x), float(point.y)


def interval_of(name: str, value: Any) -> tuple[datetime, datetime]:
    """Begin and end of a time or of an interval ``begin/end``, in UTC; a time without its zone is UTC."""
    parts = str(value).split("/") if isinstance(value, str) else []
    try:
        times = [datetime.fromisoformat(part.strip()) for part in parts]
        times = [t.astimezone(UTC) if t.tzinfo else t.replace(tzinfo=UTC) for t in times]
    except (ValueError, OverflowError):
        times = []
    if not 1 <= len(times) <= 2 or times[-1] < times[0]:
        raise wrong(name, "is no time", "write 2026-11-28T08:00:00Z, or begin/end")
    return times[0], times[-1]
