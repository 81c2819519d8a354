"""The entities of SensorThings out of devices and readings, and how they hang together.

A device is a Thing with one Location, one Sensor and one FeatureOfInterest (all of its id); each of its quantities and
channels is a Datastream ``<device>|<quantity>|<channel>`` (``/`` in a channel is written ``~``); an ObservedProperty is
a quantity; an Observation is ``<datastream>|<time>``.  Good numeric values only, the newest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import Actor
from dashboard import queries
from dashboard.sensorthings.filters import value_at
from dashboard.sensorthings.odata import Options
from dashboard.sensorthings.values import Value, stream_id, stream_parts, value_then, values_of
from storage.readings import latest, series_of

Entity = dict[str, Any]
PAGE, LARGEST = 100, 1000
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
_GEOJSON = "application/geo+json"
_ONE, _MANY = False, True
NAVIGATION: dict[str, dict[str, tuple[str, bool]]] = {
    "Things": {"Locations": ("Locations", _MANY), "Datastreams": ("Datastreams", _MANY)},
    "Locations": {"Things": ("Things", _MANY)},
    "Datastreams": {
        "Thing": ("Things", _ONE), "Sensor": ("Sensors", _ONE), "ObservedProperty": ("ObservedProperties", _ONE),
        "Observations": ("Observations", _MANY),
    },
    "Sensors": {"Datastreams": ("Datastreams", _MANY)},
    "ObservedProperties": {"Datastreams": ("Datastreams", _MANY)},
    "Observations": {"Datastream": ("Datastreams", _ONE), "FeatureOfInterest": ("FeaturesOfInterest", _ONE)},
    "FeaturesOfInterest": {"Observations": ("Observations", _MANY)},
}  # fmt: skip
SETS = (
    "Things", "Locations", "Datastreams", "Sensors", "ObservedProperties", "Observations", "FeaturesOfInterest",
)  # fmt: skip
_SOMETIMES = {"observedArea", "properties"}  # properties that an entity may lack


@dataclass(frozen=True)
class Page:
    """Some entities of a set and how many there are in all."""

    items: list[Entity]
    total: int


class Store:
    """What one person or key may see, in one database session."""

    def __init__(self, session: Session, actor: Actor, states: Any, base: str) -> None:
        self._session = session
        self._actor = actor
        self._states = states
        self.base = base

    @cached_property
    def _devices(self) -> dict[str, dict[str, Any]]:
        rows, _ = queries.device_page(self._session, self._actor, self._states, {}, 200_000, 0)
        return {row["device_id"]: row for row in rows}

    # sets and single entities -----------------------------------------
    def every(self, kind: str) -> list[Entity]:
        """All entities of a set but Observations."""
        if kind == "Things":
            return [self._thing(d) for d in self._devices.values()]
        if kind == "Sensors":
            return [self._sensor(d) for d in self._devices.values()]
        if kind in {"Locations", "FeaturesOfInterest"}:
            make = self._location if kind == "Locations" else self._feature
            return [make(d) for d in self._devices.values() if d["lon"] is not None and d["lat"] is not None]
        if kind == "ObservedProperties":
            return [self._property(q) for q in sorted({q for _, q, _ in self._streams()})]
        if kind == "Datastreams":
            return [e for device in self._devices for e in self._datastreams(device)]
        raise NotFound(what="entity set", key=kind[:60])

    def one(self, kind: str, key: str) -> Entity:
        """The entity of a set with this id; :class:`NotFound`."""
        if kind == "Observations":
            return self._observation_of(key)
        if kind == "ObservedProperties":
            found = [self._property(key)] if any(q == key for _, q, _ in self._streams()) else []
        elif kind == "Datastreams":
            device, *_ = stream_parts(key)
            found = [e for e in self._datastreams(device) if e["@iot.id"] == key]
        else:
            row = self._devices.get(key)
            placed = row is not None and (kind in {"Things", "Sensors"} or row["lon"] is not None)
            make = {"Things": self._thing, "Sensors": self._sensor, "Locations": self._location,
                    "FeaturesOfInterest": self._feature}.get(kind)  # fmt: skip
            found = [make(row)] if make and row is not None and placed else []
        if not found:
            raise NotFound(what=kind.lower(), key=key[:120])
        return found[0]

    def related(self, entity: Entity, name: str) -> Any:
        """What a navigation property leads to: an entity, a list, or None."""
        kind, key = entity["_"]
        target = NAVIGATION[kind].get(name)
        if target is None:
            return None
        if kind == "Datastreams":
            device, quantity, _ = stream_parts(key)
            wanted = {"Thing": device, "Sensor": device, "ObservedProperty": quantity}.get(name, "")
            return self.one(target[0], wanted) if wanted else self.observations(key, Options(top=PAGE)).items
        if kind == "FeaturesOfInterest":
            return self.all_observations(Options(top=PAGE), key).items
        if kind == "Observations":
            stream = key.rpartition("|")[0]
            return self._maybe(target[0], stream if name == "Datastream" else stream_parts(stream)[0])
        if name == "Datastreams":
            if kind == "ObservedProperties":
                return [e for e in self.every("Datastreams") if stream_parts(e["@iot.id"])[1] == key]
            return self._datastreams(key)
        found = self._maybe(target[0], key)
        return [found] if found else []

    def _maybe(self, kind: str, key: str) -> Entity | None:
        try:
            return self.one(kind, key)
        except NotFound:
            return None

    def page(self, entities: list[Entity], options: Options) -> Page:
        """The part of ``entities`` that ``options`` ask for."""
        self._know(entities, options)
        if options.filter is not None:
            wanted = options.filter
            entities = [e for e in entities if wanted(e, self.resolve)]
        for name, down in reversed(options.order):
            steps = name.split("/")
            entities = sorted(entities, key=lambda e: _sortable(value_at(e, steps, self.resolve)), reverse=down)
        top = min(top_of(options), LARGEST)
        return Page(entities[options.skip : options.skip + top], len(entities))

    @staticmethod
    def _know(entities: list[Entity], options: Options) -> None:
        """A property that no such entity has is refused: an empty answer would hide a misspelt name."""
        if not entities:
            return
        known = set(entities[0]) | set(NAVIGATION[entities[0]["_"][0]]) | _SOMETIMES | {"id"}
        for name in options.names:
            if name.partition("/")[0] not in known:
                how = "use the entity's properties"
                raise InputInvalid(field="$filter, $orderby", detail=f"{name[:60]!r}", how=how)

    def resolve(self, entity: Any, name: str) -> Any:
        """For ``$filter`` and ``$orderby``: a navigation property of an entity."""
        return self.related(entity, name) if isinstance(entity, dict) and "_" in entity else None

    # observations ------------------------------------------------------
    def observations(self, stream: str, options: Options) -> Page:
        """A datastream's values; bounds in time, order by time or result and pages go to the database."""
        device, *_ = stream_parts(stream)
        if device not in self._devices:
            raise NotFound(what="datastream", key=stream[:120])
        return self._found([stream], options)

    def all_observations(self, options: Options, device: str = "") -> Page:
        """The values of every datastream (of ``device`` alone), the newest first."""
        devices = [device] if device else list(self._devices)
        streams = [stream_id(one, *series) for one in devices for series in series_of(self._session, one)]
        return self._found(streams, options)

    def _found(self, streams: list[str], options: Options) -> Page:
        def entity(value: Value) -> Entity:
            return self._observation(*value)

        def wanted(value: Value) -> bool:
            return options.filter is None or bool(options.filter(entity(value), self.resolve))

        values, total = values_of(self._session, streams, options, wanted, min(top_of(options), LARGEST))
        return Page([entity(value) for value in values], total)

    def _observation_of(self, key: str) -> Entity:
        stream, _, text = key.rpartition("|")
        device, *_ = stream_parts(stream)
        value = value_then(self._session, stream, text) if device in self._devices else None
        if value is None:
            raise NotFound(what="observation", key=key[:120])
        return self._observation(*value)

    # building ----------------------------------------------------------
    def _streams(self) -> Iterator[tuple[str, str, str]]:
        for device in self._devices:
            for quantity, channel in series_of(self._session, device):
                yield device, quantity, channel

    def _entity(self, kind: str, key: str, **properties: Any) -> Entity:
        link = f"{self.base}/{kind}('{quote(key.replace(chr(39), chr(39) * 2), safe=':')}')"
        links = {f"{name}@iot.navigationLink": f"{link}/{name}" for name in NAVIGATION[kind]}
        return {"_": (kind, key), "@iot.id": key, "@iot.selfLink": link, **properties, **links}

    def _thing(self, row: dict[str, Any]) -> Entity:
        kept = ("source", "address", "device_type", "status", "site_id", "department_id")
        return self._entity(
            "Things", row["device_id"], name=row.get("name") or row["device_id"],
            description=row.get("device_type") or "", properties={n: row[n] for n in kept if row.get(n)},
        )  # fmt: skip

    def _location(self, row: dict[str, Any]) -> Entity:
        name = row.get("name") or row["device_id"]
        return self._entity("Locations", row["device_id"], name=name, description="", encodingType=_GEOJSON,
                            location=_point(row))  # fmt: skip

    def _feature(self, row: dict[str, Any]) -> Entity:
        name = row.get("name") or row["device_id"]
        return self._entity("FeaturesOfInterest", row["device_id"], name=name, description="", encodingType=_GEOJSON,
                            feature=_point(row))  # fmt: skip

    def _sensor(self, row: dict[str, Any]) -> Entity:
        return self._entity(
            "Sensors", row["device_id"], name=row.get("name") or row["device_id"],
            description=row.get("device_type") or "", encodingType="text/plain", metadata=row.get("source") or "",
        )  # fmt: skip

    def _property(self, quantity: str) -> Entity:
        return self._entity("ObservedProperties", quantity, name=quantity, definition="", description="")

    def _datastreams(self, device: str) -> list[Entity]:
        row = self._devices.get(device)
        if row is None:
            return []
        area = {"observedArea": _point(row)} if row["lon"] is not None and row["lat"] is not None else {}
        return [
            self._entity(
                "Datastreams", stream_id(device, value.quantity, value.channel),
                name=f"{value.quantity} {value.channel}".strip(), description="", observationType=_MEASUREMENT,
                unitOfMeasurement={"name": value.unit or None, "symbol": value.unit or None, "definition": None},
                properties={"latest": value.value if value.text is None else value.text,
                            "quality": value.quality.value}, **area,
            )
            for value in latest(self._session, device)
        ]  # fmt: skip

    def _observation(self, stream: str, at: datetime, value: float) -> Entity:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        text = at.isoformat().replace("+00:00", "Z")
        return self._entity("Observations", f"{stream}|{text}", phenomenonTime=text, resultTime=text, result=value)


def _point(row: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [row["lon"], row["lat"]]}


def _sortable(value: Any) -> tuple[int, Any]:
    """Numbers before texts, nothing first: values of different types can stand in one list."""
    if value is None:
        return 0, ""
    return (1, value) if isinstance(value, (int, float)) else (2, str(value))


def top_of(options: Options) -> int:
    """How many are asked for: the server's page where nothing is said."""
    return PAGE if options.top is None else options.top
