"""What a client creates: entities with whatever hangs below them, all or nothing (OGC 18-088, clause 10.2.1).

A Thing is a device that somebody must accept (unless the account may register devices): until then its observations
are kept and feed no rule.  Observations are no rows here: they go the way of every device's readings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.errors import Forbidden, NotFound
from core.ids import derived_id, new_id
from core.records import Actor, Reading
from dashboard.sensorthings.entities import NAVIGATION, moment
from dashboard.sensorthings.made import COUNT, MEASUREMENT, TRUTH, series_of_row
from dashboard.sensorthings.model import Store
from dashboard.sensorthings.shapes import GEOJSON, SHAPES, Body, geometry_of, interval_of, properties_of, wrong
from dashboard.sensorthings.values import Series, observation_id
from events.evidence import audit_log
from storage.tables.exchange import SensorThingsLink, SensorThingsRow
from storage.tables.registry import Device

SOURCE = "sensorthings"
MOST = 1000  # entities of one request
_REGISTER = {"admin", "operator"}  # who may register devices
_AHEAD = timedelta(minutes=5)
INVERSE = {
    ("Things", "Locations"): "Things", ("Things", "Datastreams"): "Thing", ("Things", "HistoricalLocations"): "Thing",
    ("Locations", "Things"): "Locations", ("Locations", "HistoricalLocations"): "Locations",
    ("Sensors", "Datastreams"): "Sensor", ("ObservedProperties", "Datastreams"): "ObservedProperty",
    ("Datastreams", "Observations"): "Datastream", ("FeaturesOfInterest", "Observations"): "FeatureOfInterest",
}  # fmt: skip


@dataclass
class Creation:
    """One request in one transaction; ``readings`` are to be published after it."""

    session: Session
    actor: Actor
    store: Store
    now: datetime
    most: int = MOST
    readings: list[Reading] = field(default_factory=list)
    count: int = 0
    fresh: set[str] = field(default_factory=set)  # devices that this request made

    def create(self, kind: str, body: Any, parent: dict[str, str] | None = None) -> str:
        """The entity with all that is sent below it; its id.  ``parent``: what the path or the parent links it with."""
        given = dict(body) | dict.fromkeys(parent or (), None) if isinstance(body, dict) else body
        kept = properties_of(kind, given)
        self.count += 1
        if self.count > self.most:
            raise wrong(kind, f"more than {self.most:,} entities at once", "send fewer")
        make = {"Things": self._thing, "Datastreams": self._datastream, "Observations": self._observation,
                "HistoricalLocations": self._historical}.get(kind, self._plain)  # fmt: skip
        return make(kind, kept, given, parent or {})

    # entities --------------------------------------------------------------
    def _thing(self, kind: str, kept: Body, body: Body, parent: dict[str, str]) -> str:
        address = new_id()
        may = bool(_REGISTER & set(self.actor.roles))
        device = Device(
            device_id=f"{SOURCE}:{address}", source=SOURCE, address=address, name=kept["name"][:120],
            device_type="", status="accepted" if may else "quarantine", department_id=self.actor.department_id,
            first_seen_at=self.now, accepted_by=self.actor.user_id if may else None,
            accepted_at=self.now if may else None, attributes={},
        )  # fmt: skip
        self.session.add(device)
        self.session.flush()
        self.fresh.add(device.device_id)
        self._row(kind, device.device_id, kept)
        self._audit(device)
        places = [parent["Locations"]] if "Locations" in parent else self._several(body, "Locations", {})
        if places:
            self._place(device, places, self.now)
        self._several(body, "Datastreams", {"Thing": device.device_id})
        self._several(body, "HistoricalLocations", {"Thing": device.device_id})
        return device.device_id

    def _plain(self, kind: str, kept: Body, body: Body, parent: dict[str, str]) -> str:
        key = self._quantity(kept["name"]) if kind == "ObservedProperties" else new_id()
        self._row(kind, key, kept)
        if kind == "Locations":
            things = [parent["Things"]] if "Things" in parent else self._several(body, "Things", {})
            for thing in things:
                self._place(self._device(thing), [key], self.now)
        elif kind == "FeaturesOfInterest":
            self._several(body, "Observations", {"FeatureOfInterest": key})
        else:
            self._several(body, "Datastreams", {"Sensor" if kind == "Sensors" else "ObservedProperty": key})
        return key

    def _historical(self, kind: str, kept: Body, body: Body, parent: dict[str, str]) -> str:
        device = self._device(parent.get("Thing") or self._one(body, "Thing", kind))
        places = [parent["Locations"]] if "Locations" in parent else self._several(body, "Locations", {})
        if not places:
            raise wrong("Locations", "is missing", "HistoricalLocations need at least one")
        return self._was_at(device, places, kept["time"])

    def _datastream(self, kind: str, kept: Body, body: Body, parent: dict[str, str]) -> str:
        ends = {name: parent.get(name) or self._one(body, name, kind) for name in SHAPES[kind].links}
        device, quantity = ends["Thing"], ends["ObservedProperty"]
        used = {(s.quantity, s.channel) for s in self._series(device)}
        channel = ""
        if (quantity, "") in used:
            channel = re.sub(r"[^\w.-]+", "_", kept["name"])[:40]
            channel = channel if (quantity, channel) not in used else new_id()
        key = new_id()
        self._row(kind, key, {**kept, "_": ends | {"quantity": quantity, "channel": channel}}, device)
        self._several(body, "Observations", {"Datastream": key})
        return key

    def _observation(self, kind: str, kept: Body, body: Body, parent: dict[str, str]) -> str:
        stream = parent.get("Datastream") or self._one(body, "Datastream", kind)
        row = self.session.get(SensorThingsRow, ("Datastreams", stream))
        row = row if row is not None and self._visible(row.device_id) else None
        series = series_of_row(row) if row is not None else self._reported(stream)
        device = self._device(series.device)
        if device.status == "disabled":
            raise Forbidden(action=f"send observations of {device.device_id}: the device is disabled")
        result = _result(kept["result"], str(row.data.get("observationType")) if row is not None else MEASUREMENT)
        named = "phenomenonTime" if "phenomenonTime" in kept else "resultTime"
        at = interval_of(named, kept[named])[1] if named in kept else self.now
        if at > self.now + _AHEAD:
            raise wrong("phenomenonTime", "lies in the future", "correct the sender's clock")
        feature = parent.get("FeatureOfInterest") or self._one(body, "FeatureOfInterest", "")
        unit = self._unit(row, series)
        key = observation_id(series.key, moment(at))
        reading = Reading(
            reading_id=derived_id("sensorthings", series.key, moment(at), repr(result)), source=device.source,
            device_id=device.device_id, quantity=series.quantity, channel=series.channel, value=result, unit=unit[:16],
            observed_at=at, received_at=self.now, site_id=device.site_id,
            attributes={} if device.status == "accepted" else {"quarantine": True},
        )  # fmt: skip
        self.readings.append(reading)
        further = {k: v for k, v in kept.items() if k != "result"}
        if set(further) - {"phenomenonTime"} or "/" in str(further.get("phenomenonTime", "")):
            self._row(kind, key, further, device.device_id)
        if feature and feature != device.device_id:
            self._seen_by(feature, key, device.device_id)
        return key

    # links -----------------------------------------------------------------
    def _one(self, body: Body, name: str, needed_by: str) -> str:
        """The entity that ``body`` links or brings along; empty where it may be absent and is."""
        given = body.get(name)
        if given is None and needed_by:
            how = f'send {{"{name}": {{"@iot.id": "…"}}}}, or the entity itself'
            raise wrong(name, "is missing", how)
        target = next(links[name][0] for links in NAVIGATION.values() if name in links)
        return self._linked(target, given, name, {}) if given is not None else ""

    def _several(self, body: Body, name: str, parent: dict[str, str]) -> list[str]:
        given = body.get(name)
        if given is None:
            return []
        if not isinstance(given, list):
            raise wrong(name, "is no list", f"send {name} as a list")
        return [self._linked(name, one, name, parent) for one in given]

    def _linked(self, kind: str, given: Any, name: str, parent: dict[str, str]) -> str:
        if not isinstance(given, dict) or "@iot.id" not in given:
            return self.create(kind, given, parent)
        key = str(given["@iot.id"])[:200]
        if parent:
            raise wrong(name, "exists and hangs elsewhere", "leave it out")
        if kind == "Things":
            return self._device(key).device_id
        try:
            return str(self.store.one(kind, key)["@iot.id"])
        except NotFound as error:
            raise wrong(f"{name}/@iot.id", f"there is no {key[:80]!r}", "link what exists, or send it") from error

    def _device(self, key: str) -> Device:
        found = self.session.get(Device, key)
        if found is None or not self._visible(key):
            raise wrong("Thing/@iot.id", f"there is no {key[:80]!r}", "link a Thing that exists")
        return found

    def _visible(self, device: str | None) -> bool:
        return device in self.store.devices or device in self.fresh

    def _place(self, device: Device, keys: list[str], at: datetime) -> None:
        """The Thing's Locations from now on; what it had stays as a HistoricalLocation."""
        if device.source != SOURCE and not _REGISTER & set(self.actor.roles):
            raise Forbidden(action=f"move {device.device_id}: its place is registered by an administrator")
        link = SensorThingsLink
        self.session.execute(
            delete(link).where(link.kind == "Locations", link.to_kind == "Things", link.to_key == device.device_id)
        )
        for key in dict.fromkeys(keys):
            self.session.add(link(kind="Locations", key=key, to_kind="Things", to_key=device.device_id))
            row = self.session.get(SensorThingsRow, ("Locations", key))
            if row is not None and row.data["encodingType"] in GEOJSON:
                device.lon, device.lat = geometry_of("location", row.data["location"]) or (device.lon, device.lat)
        device.revision = (device.revision or 0) + 1
        self._was_at(device, keys, moment(at))

    def _was_at(self, device: Device, keys: list[str], time: str) -> str:
        key = new_id()
        self._row("HistoricalLocations", key, {"time": time}, device.device_id)
        for place in dict.fromkeys(keys):
            link = SensorThingsLink(kind="HistoricalLocations", key=key, to_kind="Locations", to_key=place)
            self.session.add(link)
        return key

    def _seen_by(self, feature: str, observation: str, device: str) -> None:
        self.session.merge(
            SensorThingsLink(kind="Observations", key=observation, to_kind="FeaturesOfInterest", to_key=feature)
        )
        row = self.session.get(SensorThingsRow, ("FeaturesOfInterest", feature))
        if row is not None and row.device_id is None:
            row.device_id = device

    # small parts -------------------------------------------------------------
    def _row(self, kind: str, key: str, data: Body, device: str | None = None) -> None:
        self.session.merge(
            SensorThingsRow(kind=kind, key=key, device_id=device, data=dict(data), created_at=self.now,
                            created_by=self.actor.user_id, department_id=self.actor.department_id)
        )  # fmt: skip
        self.session.flush()

    def _audit(self, device: Device) -> None:
        content = {"device_id": device.device_id, "status": device.status, "by": SOURCE}
        audit_log.append(self.session, audit_log.SYSTEM_CHAIN, self.now, self.actor.user_id, "device_created", content)

    def _quantity(self, name: str) -> str:
        """The id of an observed property, which readings carry as their quantity."""
        text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] if name.isascii() else ""
        taken = self.session.get(SensorThingsRow, ("ObservedProperties", text)) is not None
        if not text or taken or any(e["@iot.id"] == text for e in self.store.every("ObservedProperties")):
            return f"{text}_{new_id()[-12:]}".strip("_")
        return text

    def _series(self, device: str) -> list[Series]:
        from storage.readings import series_of

        rows = self.session.query(SensorThingsRow).filter_by(kind="Datastreams", device_id=device)
        return [*[series_of_row(row) for row in rows],
                *[Series("", device, q, c) for q, c in series_of(self.session, device)]]  # fmt: skip

    def _reported(self, stream: str) -> Series:
        try:
            self.store.one("Datastreams", stream)
            return self.store.series(stream)
        except NotFound as error:
            raise wrong("Datastream/@iot.id", f"there is no {stream[:80]!r}", "link one that exists") from error

    def _unit(self, row: SensorThingsRow | None, series: Series) -> str:
        unit = row.data["unitOfMeasurement"] if row is not None else (
            self.store.one("Datastreams", series.key)["unitOfMeasurement"])  # fmt: skip
        return unit.get("symbol") or ""


def _result(value: Any, kind: str) -> float | int | bool | str:
    """A result as its datastream's observation type has it; other types take numbers, texts and truth values."""
    if kind in {MEASUREMENT, COUNT}:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e300:
            raise wrong("result", "is no number", "send a number")
        if kind == COUNT and value != int(value):
            raise wrong("result", "is no whole number", "send a count")
        return value
    if kind == TRUTH:
        if not isinstance(value, bool):
            raise wrong("result", "is not true or false", "send true or false")
        return float(value)
    if not isinstance(value, str | int | float) or (isinstance(value, str) and len(value) > 400):
        raise wrong("result", "is no number and no short text", "send a number or up to 400 characters")
    return value if not isinstance(value, float) or value == value else str(value)
