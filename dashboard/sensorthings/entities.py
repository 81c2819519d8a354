"""How the entities of SensorThings 1.1 look and hang together (OGC 18-088, clause 8.2).  Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from dashboard.sensorthings.made import MEASUREMENT, TRUTH, Row, shown
from dashboard.sensorthings.values import Series, observation_id, stream_id
from storage.readings import Latest

Entity = dict[str, Any]
_GEOJSON = "application/geo+json"
_ONE, _MANY = False, True
NAVIGATION: dict[str, dict[str, tuple[str, bool]]] = {
    "Things": {
        "Locations": ("Locations", _MANY), "HistoricalLocations": ("HistoricalLocations", _MANY),
        "Datastreams": ("Datastreams", _MANY),
    },
    "Locations": {"Things": ("Things", _MANY), "HistoricalLocations": ("HistoricalLocations", _MANY)},
    "HistoricalLocations": {"Thing": ("Things", _ONE), "Locations": ("Locations", _MANY)},
    "Datastreams": {
        "Thing": ("Things", _ONE), "Sensor": ("Sensors", _ONE), "ObservedProperty": ("ObservedProperties", _ONE),
        "Observations": ("Observations", _MANY),
    },
    "Sensors": {"Datastreams": ("Datastreams", _MANY)},
    "ObservedProperties": {"Datastreams": ("Datastreams", _MANY)},
    "Observations": {"Datastream": ("Datastreams", _ONE), "FeatureOfInterest": ("FeaturesOfInterest", _ONE)},
    "FeaturesOfInterest": {"Observations": ("Observations", _MANY)},
}  # fmt: skip
SETS = tuple(NAVIGATION)


class EntityBuilder:
    """Entities with absolute links under ``base``."""

    def __init__(self, base: str) -> None:
        self.base = base

    def entity(self, kind: str, key: str, **properties: Any) -> Entity:
        """An entity with its links; ``_`` is ours and never sent."""
        link = f"{self.base}/{kind}('{quote(key.replace(chr(39), chr(39) * 2), safe=':@')}')"
        links = {f"{name}@iot.navigationLink": f"{link}/{name}" for name in NAVIGATION[kind]}
        return {"_": (kind, key), "@iot.id": key, "@iot.selfLink": link, **properties, **links}

    def made(self, row: Row) -> Entity:
        """A created Location, HistoricalLocation, Sensor, ObservedProperty or feature, as it was sent."""
        return self.entity(row.kind, row.key, **shown(row.data))

    def thing(self, row: dict[str, Any], made: Row | None) -> Entity:
        """A device; what its client said of it, if one created it."""
        if made is not None:
            return self.entity("Things", row["device_id"], **shown(made.data))
        kept = ("source", "address", "device_type", "status", "site_id", "department_id")
        return self.entity(
            "Things", row["device_id"], name=row.get("name") or row["device_id"],
            description=row.get("device_type") or "", properties={n: row[n] for n in kept if row.get(n)},
        )  # fmt: skip

    def location(self, row: dict[str, Any]) -> Entity:
        """The place of a device from the registry."""
        name = row.get("name") or row["device_id"]
        return self.entity("Locations", row["device_id"], name=name, description="", encodingType=_GEOJSON,
                           location=_point(row))  # fmt: skip

    def feature(self, row: dict[str, Any]) -> Entity:
        """What a device observes: its place, unless a client names another feature."""
        name = row.get("name") or row["device_id"]
        return self.entity("FeaturesOfInterest", row["device_id"], name=name, description="", encodingType=_GEOJSON,
                           feature=_point(row))  # fmt: skip

    def sensor(self, row: dict[str, Any]) -> Entity:
        """A registered device as the instrument."""
        return self.entity(
            "Sensors", row["device_id"], name=row.get("name") or row["device_id"],
            description=row.get("device_type") or "", encodingType="text/plain", metadata=row.get("source") or "",
        )  # fmt: skip

    def quantity(self, quantity: str) -> Entity:
        """A quantity that devices report."""
        return self.entity("ObservedProperties", quantity, name=quantity, definition="", description="")

    def datastream(self, row: dict[str, Any], value: Latest) -> Entity:
        """A quantity and channel that a device reported."""
        return self.entity(
            "Datastreams", stream_id(row["device_id"], value.quantity, value.channel),
            name=f"{value.quantity} {value.channel}".strip(), description="", observationType=MEASUREMENT,
            unitOfMeasurement={"name": value.unit or None, "symbol": value.unit or None, "definition": None},
            properties={"latest": value.value if value.text is None else value.text,
                        "quality": value.quality.value}, **_area(row),
        )  # fmt: skip

    def made_datastream(self, row: dict[str, Any], made: Row) -> Entity:
        """A datastream that a client created, as it was sent."""
        return self.entity("Datastreams", made.key, **{**_area(row), **shown(made.data)})

    def observation(self, stream: Series, at: datetime, value: Any, truth: bool, further: dict[str, Any]) -> Entity:
        """A value; ``further``: what its client said beside time and result."""
        text = moment(at)
        if truth and not isinstance(value, str):
            value = bool(value)
        return self.entity("Observations", observation_id(stream.key, text), phenomenonTime=text, resultTime=text,
                           result=value) | shown(further)  # fmt: skip


def moment(at: datetime) -> str:
    """A time as ids and answers have it: UTC with Z."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat().replace("+00:00", "Z")


def is_truth(row: Row | None) -> bool:
    """Whether a created datastream's results are true or false."""
    return row is not None and row.data.get("observationType") == TRUTH


def _area(row: dict[str, Any]) -> dict[str, Any]:
    return {"observedArea": _point(row)} if row["lon"] is not None and row["lat"] is not None else {}


def _point(row: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
