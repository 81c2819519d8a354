"""Items to readings and observations, as a mapping says.  Pure.

A bad item is refused with its index and loses nothing good beside it.  Ids: device, the item's ``id`` (or its time, or
else the five minutes in which it came), quantity and value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from core.errors import YiwangError
from core.geo.crs import to_wgs84
from core.ids import derived_id
from core.records import GeoPoint, Observation, Quality, Reading
from ingest.contract import observed
from ingest.mapping.format import EventMap, Mapping, TimeMap, ValueMap

MAX_PAYLOAD_BYTES = 1 << 20
MAX_ITEMS = 5000
_COLLAPSE_S = 300
_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")
_DEVICE = re.compile(r"[^/\s\x00-\x1f]{1,80}\Z")
_MISSING = object()


class PayloadNotJson(YiwangError):
    code = "payload_not_json"
    message = "{mapping}: the payload is no JSON: {detail}"
    remedy = "check what the device sends; a mapping reads JSON"


class PayloadTooLarge(YiwangError):
    code = "payload_too_large"
    message = "{mapping}: {detail}"
    remedy = "send fewer items at once"


class ItemInvalid(YiwangError):
    code = "payload_field"
    message = "{mapping}: item {index}: {field}: {detail}"
    remedy = "correct the mapping or the sender"


@dataclass
class Mapped:
    """What a payload said, by device; ``refused`` are (index of the item, error)."""

    readings: dict[str, list[Reading]] = field(default_factory=dict)
    observations: dict[str, list[Observation]] = field(default_factory=dict)
    refused: list[tuple[int, YiwangError]] = field(default_factory=list)

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
        body = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadNotJson(mapping=mapping.name, detail=str(error)) from error
    return map_items(mapping, items_of(mapping, body), received_at, captures)


def items_of(mapping: Mapping, body: Any) -> list[Any]:
    """The items of a decoded body; :class:`ItemInvalid` when ``items`` names no list."""
    path = mapping.items.removesuffix("[]")
    if not mapping.items:
        return [body]
    items = find(body, path)
    if items is None:
        return []
    if not isinstance(items, list):
        raise ItemInvalid(mapping=mapping.name, index="-", field=mapping.items, detail="is no list")
    return items


def map_items(
    mapping: Mapping, items: list[Any], received_at: datetime, captures: Dict[str, str] | None = None
) -> Mapped:
    """Readings and observations of items; a bad one is refused alone."""
    if len(items) > MAX_ITEMS:
        raise PayloadTooLarge(mapping=mapping.name, detail=f"{len(items)} items, at most {MAX_ITEMS}")
    mapped = Mapped()
    for index, item in enumerate(items):
        try:
            _map_item(_Item(mapping, index, item, received_at, captures or {}), mapped)
        except ItemInvalid as error:
            mapped.refused.append((index, error))
    return mapped


def find(item: Any, path: str) -> Any:
    """What stands at ``path``, or None; a key that is the whole path wins."""
    found = _find(item, path)
    return None if found is _MISSING else found


def _find(item: Any, path: str) -> Any:
    if path in ("", "."):
        return item
    if isinstance(item, dict) and path in item:
        return item[path]
    for name, index in _STEP.findall(path):
        if name:
            if not isinstance(item, dict) or name not in item:
                return _MISSING
            item = item[name]
        else:
            if not isinstance(item, list) or int(index) >= len(item):
                return _MISSING
            item = item[int(index)]
    return item


class _Item:
    """One item with what all its values share."""

    def __init__(
        self, mapping: Mapping, index: int, item: Any, received_at: datetime, captures: Dict[str, str]
    ) -> None:
        self.mapping, self.index, self.item, self.received_at = mapping, index, item, received_at
        if not isinstance(item, dict):
            raise self.wrong("item", "is no JSON object")
        self.device_id = f"{mapping.source}:{mapping.prefix}{self._device(captures)}"
        given = find(item, mapping.time.path) if mapping.time else None
        self.observed_at, self.quality = received_at, Quality.GOOD
        if mapping.time and given is not None:
            self.observed_at, self.quality = observed(self._moment(given, mapping.time), received_at)
        identity = find(item, mapping.id) if mapping.id else None
        slot = int(received_at.timestamp() // _COLLAPSE_S)
        self.mark = next((m for m in (identity, given) if m is not None), slot)
        self.location = self._location()

    def wrong(self, name: str, detail: str) -> ItemInvalid:
        return ItemInvalid(mapping=self.mapping.name, index=self.index, field=name, detail=detail)

    def _device(self, captures: Dict[str, str]) -> str:
        pattern = self.mapping.device
        if "{" in pattern:
            name = re.sub(r"\{(\w+)\}", lambda m: captures.get(m[1], ""), pattern)
        else:
            found = find(self.item, pattern)
            name = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
        if not _DEVICE.match(name):
            raise self.wrong(pattern, "names no device (1 to 80 characters without blanks and slashes)")
        return name

    def _moment(self, given: Any, time: TimeMap) -> datetime | None:
        try:
            if isinstance(given, datetime):
                moment = given
            elif time.format in ("unix", "unix_ms"):
                seconds = float(given) / (1000 if time.format == "unix_ms" else 1)
                return datetime.fromtimestamp(seconds, UTC)
            elif time.format == "iso":
                moment = datetime.fromisoformat(str(given))
            else:
                moment = datetime.strptime(str(given), time.format)  # noqa: DTZ007 - the zone follows
        except (ValueError, TypeError, OverflowError, OSError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time.zone))

    def _location(self) -> GeoPoint | None:
        place = self.mapping.place
        if place is None:
            return None
        lon, lat = _number(find(self.item, place.lon)), _number(find(self.item, place.lat))
        if lon is None or lat is None or not (abs(lon) <= 180 and abs(lat) <= 90) or (lon == 0 and lat == 0):
            return None
        there = to_wgs84(lon, lat, place.coord_sys)
        return GeoPoint(lon=there[0], lat=there[1])


def _number(found: Any) -> float | None:
    """A finite number from a number or its text."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _map_item(shared: _Item, mapped: Mapped) -> None:
    mapping = shared.mapping
    readings = [r for value in mapping.values if (r := _reading(shared, value)) is not None]
    events = [o for event in mapping.events if (o := _observation(shared, event)) is not None]
    if readings:
        mapped.readings.setdefault(shared.device_id, []).extend(readings)
    if events:
        mapped.observations.setdefault(shared.device_id, []).extend(events)


def _reading(shared: _Item, value: ValueMap) -> Reading | None:
    found = _find(shared.item, value.path)
    if found is _MISSING:
        if value.required:
            raise shared.wrong(value.path, "is missing")
        return None
    channel = value.channel or str(find(shared.item, value.channel_path) or "" if value.channel_path else "")
    quality = shared.quality
    result: float | str | bool | None
    if found is None or found == "" or found in value.missing:
        result, quality = None, Quality.MISSING
    elif isinstance(found, str) and found in value.words:
        result = value.words[found]
    elif isinstance(found, bool):
        result = found
    elif value.text:
        result = str(found)[:500]
    else:
        number = _number(found)
        if number is None:
            raise shared.wrong(value.path, f"{str(found)[:40]!r} is no number")
        result = number * value.scale + value.offset
        if value.scale != 1.0 or value.offset:
            result = round(result, 9)
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


def _observation(shared: _Item, event: EventMap) -> Observation | None:
    given = find(shared.item, event.kind_path) if event.kind_path else None
    kind = event.kind or event.kinds.get(_word(given), "")
    if not kind:
        return None
    state = event.state
    if event.state_path:
        word = _word(find(shared.item, event.state_path))
        if word not in event.states:
            raise shared.wrong(event.state_path, f"{word!r} is none of {', '.join(event.states)}")
        state = event.states[word]
    confidence = _number(find(shared.item, event.confidence_path)) if event.confidence_path else None
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
        value=_number(find(shared.item, event.value_path)) if event.value_path else None,
        unit=event.unit,
        confidence=confidence if confidence is None or 0 <= confidence <= 1 else None,
        zone=None if zone is None else str(zone)[:80],
        attributes=attributes,
    )


def _word(found: Any) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""
