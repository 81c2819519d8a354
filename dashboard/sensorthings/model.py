"""The entities of SensorThings out of devices and readings, and what clients created beside them.

A device is a Thing with one Location, one Sensor and one FeatureOfInterest (all of its id); each of its quantities and
channels is a Datastream ``<device>|<quantity>|<channel>`` (``/`` in a channel is written ``~``); an ObservedProperty is
a quantity; an Observation is ``<datastream>|<time>``.  Good values only, the newest first.  What a client created has
an id of its own (``made.py``); an Observation of a created datastream is ``<datastream>@<time>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records import Actor
from dashboard import queries
from dashboard.sensorthings.entities import NAVIGATION, SETS, Entity, EntityBuilder, is_truth, moment
from dashboard.sensorthings.made import MadeEntities, series_of_row
from dashboard.sensorthings.odata import Options
from dashboard.sensorthings.paging import LARGEST, PAGE, Page, page_of, top_of
from dashboard.sensorthings.values import (
    Series,
    Value,
    observation_id,
    observation_parts,
    stream_id,
    stream_parts,
    value_then,
    values_of,
)
from storage.readings import latest, series_of

__all__ = ["LARGEST", "NAVIGATION", "PAGE", "SETS", "Entity", "Page", "Store"]


class Store:
    """What one person or key may see, in one database session."""

    def __init__(self, session: Session, actor: Actor, states: Any, base: str) -> None:
        self._session = session
        self._actor = actor
        self._states = states
        self._build = EntityBuilder(base)
        self.base = base

    @cached_property
    def devices(self) -> dict[str, dict[str, Any]]:
        """The rows of the devices that may be seen, by id."""
        rows, _ = queries.device_page(self._session, self._actor, self._states, {}, 200_000, 0)
        return {row["device_id"]: row for row in rows}

    @cached_property
    def made(self) -> MadeEntities:
        """What clients created."""
        return MadeEntities(self._session, self._actor, self.devices)

    # sets and single entities -----------------------------------------
    def every(self, kind: str) -> list[Entity]:
        """All entities of a set but Observations."""
        if kind == "Things":
            return [self._thing(d) for d in self.devices.values()]
        if kind == "Datastreams":
            return [e for device in self.devices for e in self._datastreams(device)]
        if kind not in NAVIGATION or kind == "Observations":
            raise NotFound(what="entity set", key=kind[:60])
        made = [self._build.made(row) for row in self.made.rows(kind)]
        return [*self._derived(kind, {e["@iot.id"] for e in made}), *made]

    def _derived(self, kind: str, known: set[str]) -> list[Entity]:
        """What follows from devices and readings."""
        placed = [d for d in self.devices.values() if d["lon"] is not None and d["lat"] is not None]
        if kind == "Sensors":
            return [self._build.sensor(d) for d in self.devices.values()]
        if kind == "Locations":
            moved = self._moved
            return [self._build.location(d) for d in placed if d["device_id"] not in moved]
        if kind == "FeaturesOfInterest":
            return [self._build.feature(d) for d in placed]
        if kind == "ObservedProperties":
            return [self._build.quantity(q) for q in sorted({q for _, q, _ in self._streams()} - known)]
        return []

    @cached_property
    def _moved(self) -> set[str]:
        """The devices that clients placed: their Locations are those that were created."""
        return {thing for row in self.made.rows("Locations") for thing in self.made.things_at(row.key)}

    def one(self, kind: str, key: str) -> Entity:
        """The entity of a set with this id; :class:`NotFound`."""
        found: Entity | None = None
        if kind == "Observations":
            found = self._observation_of(key)
        elif kind == "Datastreams":
            device, *_ = self._parts(key)
            named = self.made.of_series(*self._parts(key))
            wanted = {key, named.key} if named is not None else {key}
            found = next((e for e in self._datastreams(device) if e["@iot.id"] in wanted), None)
        elif kind == "Things" and key in self.devices:
            found = self._thing(self.devices[key])
        elif kind in NAVIGATION:
            row = self.made.row(kind, key)
            found = self._build.made(row) if row is not None else self._derived_one(kind, key)
        if found is None:
            raise NotFound(what=kind.lower(), key=key[:120])
        return found

    def _derived_one(self, kind: str, key: str) -> Entity | None:
        if kind == "ObservedProperties":
            return self._build.quantity(key) if any(q == key for _, q, _ in self._streams()) else None
        row = self.devices.get(key)
        if row is None or kind == "HistoricalLocations":
            return None
        if kind == "Sensors":
            return self._build.sensor(row)
        make = {"Locations": self._build.location, "FeaturesOfInterest": self._build.feature}.get(kind)
        return make(row) if make and row["lon"] is not None and row["lat"] is not None else None

    # what hangs together ------------------------------------------------
    def related(self, entity: Entity, name: str) -> Any:
        """What a navigation property leads to: an entity, a list, or None."""
        kind, key = entity["_"]
        target = NAVIGATION[kind].get(name)
        if target is None:
            return None
        if kind == "Datastreams":
            return self._of_datastream(key, name, target[0])
        if kind == "Observations":
            stream = observation_parts(key)[0]
            return self._maybe(target[0], stream if name == "Datastream" else self._feature_of(key, stream))
        if name == "Observations":
            return self.all_observations(Options(top=PAGE), key).items
        if name == "Datastreams":
            return self._datastreams(key) if kind == "Things" else self._datastreams_by(kind, key)
        if kind == "HistoricalLocations" and name == "Thing":
            row = self.made.row(kind, key)
            return self._maybe("Things", str(row.device_id) if row is not None else "")
        return self._places(kind, key, name)

    def _places(self, kind: str, key: str, name: str) -> list[Entity]:
        """Things, Locations and HistoricalLocations of one another."""
        made = self.made
        if name == "HistoricalLocations":
            if kind == "Locations":
                rows = [made.row(name, k) for k in made.linking(name, "Locations", key)]
            else:
                rows = [row for row in made.rows(name) if row.device_id == key]
            return [self._build.made(row) for row in rows if row is not None]
        if kind == "HistoricalLocations":
            keys = made.linked(kind, key, "Locations")
        elif name == "Locations":
            placed = [self._build.made(row) for row in made.locations_of(key)]
            return placed or [e for e in [self._derived_one("Locations", key)] if e is not None]
        else:
            keys = made.things_at(key) if made.row("Locations", key) is not None else [key]
        return [e for e in (self._maybe(name, k) for k in keys) if e is not None]

    def _of_datastream(self, key: str, name: str, target: str) -> Any:
        device, quantity, _ = self._parts(key)
        if name == "Observations":
            return self.observations(key, Options(top=PAGE)).items
        row = self.made.of_series(*self._parts(key))
        links = row.data["_"] if row is not None else {"Sensor": device, "ObservedProperty": quantity}
        return self.one(target, device if name == "Thing" else links[name])

    def _datastreams_by(self, kind: str, key: str) -> list[Entity]:
        """The datastreams of a Sensor or an ObservedProperty."""
        name = {"Sensors": "Sensor", "ObservedProperties": "ObservedProperty"}[kind]
        found = []
        for entity in self.every("Datastreams"):
            device, quantity, channel = self._parts(entity["@iot.id"])
            row = self.made.of_series(device, quantity, channel)
            derived = device if kind == "Sensors" else quantity
            if (row.data["_"][name] if row is not None else derived) == key:
                found.append(entity)
        return found

    def _feature_of(self, observation: str, stream: str) -> str:
        named = self.made.linked("Observations", observation, "FeaturesOfInterest")
        return named[0] if named else self._parts(stream)[0]

    def _maybe(self, kind: str, key: str) -> Entity | None:
        try:
            return self.one(kind, key)
        except NotFound:
            return None

    def page(self, entities: list[Entity], options: Options) -> Page:
        """The part of ``entities`` that ``options`` ask for."""
        return page_of(entities, options, self.resolve)

    def resolve(self, entity: Any, name: str) -> Any:
        """For ``$filter`` and ``$orderby``: a navigation property of an entity."""
        return self.related(entity, name) if isinstance(entity, dict) and "_" in entity else None

    # observations ------------------------------------------------------
    def series(self, key: str) -> Series:
        """Where a datastream's values stand; :class:`NotFound` for one that is not visible."""
        device, quantity, channel = self._parts(key)
        if device not in self.devices:
            raise NotFound(what="datastream", key=key[:120])
        row = self.made.of_series(device, quantity, channel)
        return series_of_row(row) if row is not None else Series(key, device, quantity, channel)

    def observations(self, stream: str, options: Options) -> Page:
        """A datastream's values; bounds in time, order by time or result and pages go to the database."""
        return self._found([self.series(stream)], options)

    def all_observations(self, options: Options, feature: str = "") -> Page:
        """The values of every datastream (of the feature alone), the newest first."""
        if feature and self.made.row("FeaturesOfInterest", feature) is not None:
            keys = self.made.linking("Observations", "FeaturesOfInterest", feature)
            return self.page([e for e in (self._observation_of(k) for k in keys) if e is not None], options)
        devices = [feature] if feature else list(self.devices)
        streams = [self.series(stream_id(one, *series)) for one in devices for series in series_of(self._session, one)]
        return self._found(streams, options)

    def _found(self, streams: list[Series], options: Options) -> Page:
        def wanted(value: Value) -> bool:
            return options.filter is None or bool(options.filter(self._observation(value, {}), self.resolve))

        values, total = values_of(self._session, streams, options, wanted, min(top_of(options), LARGEST))
        keys = [observation_id(stream.key, moment(at)) for stream, at, _ in values]
        further = self.made.further(keys)
        return Page([self._observation(v, further.get(k, {})) for v, k in zip(values, keys, strict=True)], total)

    def _observation_of(self, key: str) -> Entity | None:
        stream, text = observation_parts(key)
        try:
            series = self.series(stream)
        except NotFound:
            return None
        value = value_then(self._session, series, text)
        return self._observation(value, self.made.further([key]).get(key, {})) if value is not None else None

    def _observation(self, value: Value, further: dict[str, Any]) -> Entity:
        stream, at, result = value
        truth = is_truth(self.made.of_series(stream.device, stream.quantity, stream.channel))
        return self._build.observation(stream, at, result, truth, further)

    # building ----------------------------------------------------------
    def _parts(self, key: str) -> tuple[str, str, str]:
        """Device, quantity and channel of a datastream's id; :class:`NotFound`."""
        row = self.made.streams.get(key)
        return stream_parts(key) if row is None else (str(row.device_id), row.data["_"]["quantity"],
                                                      row.data["_"]["channel"])  # fmt: skip

    def _streams(self) -> Iterator[tuple[str, str, str]]:
        for device in self.devices:
            for quantity, channel in series_of(self._session, device):
                yield device, quantity, channel

    def _thing(self, row: dict[str, Any]) -> Entity:
        return self._build.thing(row, self.made.things.get(row["device_id"]))

    def _datastreams(self, device: str) -> list[Entity]:
        row = self.devices.get(device)
        if row is None:
            return []
        made = [self._build.made_datastream(row, m) for m in self.made.of_device(device)]
        reported = [
            self._build.datastream(row, value)
            for value in latest(self._session, device)
            if self.made.of_series(device, value.quantity, value.channel) is None
        ]
        return [*reported, *made]
