"""Items to readings and observations, as a mapping says.  Pure.

A bad value, state or item is refused by name and loses nothing good beside it: a value that is no number becomes
``missing``, a state that the mapping does not list is told, one that is absent says nothing.  Names are found whatever
their capitals.  Ids: device, the item's ``id`` (or its time, or else the five minutes in which it came), quantity and
value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import YiwangError
from core.geo.crs import to_wgs84
from core.ids import derived_id
from core.records import GeoPoint, Observation, Quality, Reading
from ingest.contract import observed
from ingest.jsontext import NotJson, read_json
from ingest.mapping.format import EventMap, Mapping, State, TimeMap, ValueMap
from ingest.mapping.listing import ItemInvalid, PayloadNotJson, PayloadTooLarge, items_of
from ingest.mapping.orders import order_of
from ingest.mapping.paths import MISSING, find, look
from ingest.mapping.words import fitting, is_missing, listed, number, truth_listed, word
from ingest.times import read_time, read_zone

MAX_PAYLOAD_BYTES = 1 << 20
MAX_ITEMS = 5000
_COLLAPSE_S = 300
_DEVICE = re.compile(r"[^/\s\x00-\x1f]{1,80}\Z")


@dataclass
class Mapped:
    """What a payload said, by device; ``refused`` are (index of the item, error)."""

    readings: dict[str, list[Reading]] = field(default_factory=dict)
    observations: dict[str, list[Observation]] = field(default_factory=dict)
    refused: list[tuple[int, YiwangError]] = field(default_factory=list)
    orders: list[Observation] = field(default_factory=list)

    @property
    def devices(self) -> list[str]:
        return list(dict.fromkeys([*self.readings, *self.observations]))


def map_payload(
    mapping: Mapping, payload: bytes, received_at: datetime, captures: Dict[str, str] | None = None
) -> Mapped:
    """Readings and observations of a JSON payload; :class:`PayloadNotJson`, :class:`PayloadTooLarge`."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        detail = f"{len(payload)} bytes, at most {MAX_PAYLOAD_BYTES}"
        raise PayloadTooLarge(mapping=mapping.name, detail=detail)
    try:
        body = read_json(payload)
    except NotJson as error:
        raise PayloadNotJson(mapping=mapping.name, detail=str(error), **_named(mapping, captures or {})) from error
    return map_items(mapping, items_of(mapping, body), received_at, captures)


def _named(mapping: Mapping, captures: Dict[str, str]) -> dict[str, str]:
    """The device, where the topic alone names it."""
    name = _filled(mapping.device, captures) if "{" in mapping.device else ""
    return {"device": f"{mapping.source}:{mapping.prefix}{name}"} if _DEVICE.match(name) else {}


def map_items(
    mapping: Mapping, items: list[Any], received_at: datetime, captures: Dict[str, str] | None = None
) -> Mapped:
    """Readings and observations of items; a bad value is refused alone, and so is an item that names no device."""
    if len(items) > MAX_ITEMS:
        raise PayloadTooLarge(mapping=mapping.name, detail=f"{len(items)} items, at most {MAX_ITEMS}")
    mapped = Mapped()
    for index, item in enumerate(items):
        try:
            _map_item(_Item(mapping, index, item, received_at, captures or {}), mapped)
        except ItemInvalid as error:
            mapped.refused.append((index, error))
    return mapped


class _Item:
    """One item with what all its values share; what is wrong with one value is noted in ``refused``."""

    def __init__(
        self, mapping: Mapping, index: int, item: Any, received_at: datetime, captures: Dict[str, str]
    ) -> None:
        self.mapping, self.index, self.item, self.received_at = mapping, index, item, received_at
        self.device_id = ""
        self.refused: list[ItemInvalid] = []
        if not isinstance(item, dict):
            raise self.wrong("item", "is no JSON object")
        self.device_id = f"{mapping.source}:{mapping.prefix}{self._device(captures)}"
        given = find(item, mapping.time.path) if mapping.time else None
        self.observed_at, self.quality = received_at, Quality.GOOD
        if mapping.time and given is not None:
            self.observed_at, self.quality = observed(_moment(given, mapping.time), received_at)
        identity = find(item, mapping.id) if mapping.id else None
        slot = int(received_at.timestamp() // _COLLAPSE_S)
        self.mark = next((m for m in (identity, given) if m is not None), slot)
        self.location = self._location()

    def wrong(self, name: str, detail: str) -> ItemInvalid:
        device = {"device": self.device_id} if self.device_id else {}
        return ItemInvalid(mapping=self.mapping.name, index=self.index, field=name, detail=detail, **device)

    def refuse(self, name: str, detail: str) -> None:
        """Note what is wrong with one value; the others are taken."""
        self.refused.append(self.wrong(name, detail))

    def _device(self, captures: Dict[str, str]) -> str:
        pattern = self.mapping.device
        if "{" in pattern:
            name = _filled(pattern, captures)
        else:
            found = find(self.item, pattern)
            name = str(found).strip() if isinstance(found, str | int) and not isinstance(found, bool) else ""
        if not _DEVICE.match(name):
            raise self.wrong(pattern, "names no device (1 to 80 characters without blanks and slashes)")
        return name

    def _location(self) -> GeoPoint | None:
        place = self.mapping.place
        if place is None:
            return None
        lon, lat = number(find(self.item, place.lon)), number(find(self.item, place.lat))
        if lon is None or lat is None or not (abs(lon) <= 180 and abs(lat) <= 90) or (lon == 0 and lat == 0):
            return None
        there = to_wgs84(lon, lat, place.coord_sys)
        return GeoPoint(lon=there[0], lat=there[1])


def _filled(pattern: str, captures: Dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: captures.get(m[1], ""), pattern)


def _moment(given: Any, time: TimeMap) -> datetime | None:
    """The device's time: by the mapping's pattern, else as :func:`~ingest.times.read_time` understands it."""
    zone = read_zone(time.zone)
    if time.format not in ("iso", "unix", "unix_ms"):
        try:
            moment = datetime.strptime(str(given).strip(), time.format)  # noqa: DTZ007 - the zone follows
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        except (ValueError, OverflowError):
            pass
    return read_time(given, zone)


def _map_item(shared: _Item, mapped: Mapped) -> None:
    readings = [r for r in (_reading(shared, value) for value in shared.mapping.values) if r is not None]
    observations = [o for o in (_observation(shared, event) for event in shared.mapping.events) if o is not None]
    mapped.orders += [o for o in (order_of(shared, order) for order in shared.mapping.orders) if o is not None]
    heard = shared.mapping.source_type == "device" and (shared.mapping.values or shared.mapping.events)
    if readings or heard:  # it was heard, even if it said nothing of interest
        mapped.readings.setdefault(shared.device_id, []).extend(readings)
    if observations:
        mapped.observations.setdefault(shared.device_id, []).extend(observations)
    mapped.refused += [(shared.index, error) for error in shared.refused]


def _reading(shared: _Item, value: ValueMap) -> Reading | None:
    found = look(shared.item, value.path)
    if found is MISSING:
        if value.required:
            shared.refuse(value.path, "is missing")
        return None
    channel = value.channel or str(find(shared.item, value.channel_path) or "" if value.channel_path else "")
    result, quality = _value(shared, value, found), shared.quality
    if result is None:
        quality = Quality.MISSING
    return Reading(
        reading_id=derived_id(
            "mapping", shared.mapping.source, shared.device_id, str(shared.mark), value.quantity, channel, repr(found)
        ),
        source=shared.mapping.source,
        device_id=shared.device_id,
        quantity=value.quantity,
        value=result,
        observed_at=shared.observed_at,
        received_at=shared.received_at,
        channel=channel[:80],
        unit=value.unit,
        quality=quality,
        location=shared.location,
    )


def _value(shared: _Item, value: ValueMap, found: Any) -> float | str | bool | None:
    """The value in the mapping's unit, None when it is missing; one that is no number is told and missing too."""
    if found is None or found == "" or is_missing(found, value.missing):
        return None
    said = listed(value.words, found) if isinstance(found, str | bool) else None
    if said is not None:
        return said
    if isinstance(found, bool):
        return found
    if value.text:
        return str(found)[:500]
    plain = number(found)
    if plain is None:
        shared.refuse(value.path, f"{str(found)[:40]!r} is no number")
        return None
    result = plain * value.scale + value.offset
    if not math.isfinite(result):
        shared.refuse(value.path, f"{str(found)[:40]!r} is too large a number")
        return None
    return round(result, 9) if value.scale != 1.0 or value.offset else result


def _observation(shared: _Item, event: EventMap) -> Observation | None:
    kind = _kind(shared, event)
    state = _state(shared, event) if kind else None
    if not kind or state is None:
        return None
    confidence = number(find(shared.item, event.confidence_path)) if event.confidence_path else None
    if confidence is not None and 1 < confidence <= 100:
        confidence /= 100
    attributes = {name: find(shared.item, path) for name, path in event.attributes.items()}
    attributes = {name: v for name, v in attributes.items() if isinstance(v, str | int | float | bool)}
    if shared.quality is not Quality.GOOD:
        attributes["quality"] = shared.quality.value
    zone = find(shared.item, event.zone_path) if event.zone_path else None
    return Observation(
        observation_id=derived_id(
            "mapping", shared.mapping.source, shared.device_id, str(shared.mark), kind, state, str(zone)
        ),
        kind=kind,
        state=state,
        source_type=shared.mapping.source_type,
        source_id=shared.device_id,
        observed_at=shared.observed_at,
        received_at=shared.received_at,
        location=shared.location,
        value=number(find(shared.item, event.value_path)) if event.value_path else None,
        unit=event.unit,
        confidence=confidence if confidence is None or 0 <= confidence <= 1 else None,
        zone=None if zone is None else str(zone)[:80],
        attributes={name: fitting(v) for name, v in attributes.items()},
    )


def _kind(shared: _Item, event: EventMap) -> str:
    """The event's kind; "" when there is none (a code that ``kinds`` does not list is somebody else's event)."""
    if event.kind:
        return event.kind
    return listed(event.kinds, find(shared.item, event.kind_path)) or ""


def _state(shared: _Item, event: EventMap) -> State | None:
    """The event's state; None when the item does not tell, or tells one that the mapping does not list (refused)."""
    if not event.state_path:
        return event.state
    found = find(shared.item, event.state_path)
    if found is None or found == "":
        return None
    state = truth_listed(event.states, found)
    if state is None:
        shared.refuse(event.state_path, f"{word(found) or str(found)[:40]!r} is none of {', '.join(event.states)}")
    return state
