"""What other platforms push over HTTP, as readings: plain JSON, CloudEvents 1.0, SensorThings 1.1.  Pure.

Plain        ``{"device": "g1", "time": …, "seq": n, "<quantity>": value, …}`` or a list of them
CloudEvents  structured, batched or binary; ``data`` as plain, the device also from ``subject``; source + id name it
SensorThings ``{"phenomenonTime", "result", "Datastream": {"@iot.id": n}}``, or the data-array extension

A datastream is the channel of device ``http:datastream-<id>``, unless a device of the registry lists it in
``attributes.sensorthings = {"<id>": "<quantity>"}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import YiwangError
from core.ids import derived_id
from core.records import Observation, Quality, Reading
from ingest import cloudevents
from ingest.contract import observed
from ingest.jsontext import NotJson, read_json
from ingest.mapping.words import fitting
from ingest.payload import Body, body_readings
from ingest.times import read_time

MAX_ITEMS = 1000
_DATASTREAM_PATH = re.compile(r"/v1\.1/Datastreams\(([^()/]{1,60})\)/Observations\Z")

Datastreams = Callable[[str], tuple[str, str] | None]
"""Datastream id → (device id, quantity) where the registry knows it."""


class PushInvalid(YiwangError):
    code = "push_invalid"
    message = "{field}: {detail}"
    remedy = "send JSON, CloudEvents 1.0 or SensorThings 1.1 as docs/ingest.md shows it"
    zh = "{field}：{detail}"
    zh_remedy = "请按 docs/ingest.md 发送 JSON、CloudEvents 1.0 或 SensorThings 1.1"


@dataclass
class Pushed:
    """What one request said.  ``refused`` are (index of the item, error)."""

    readings: list[Reading] = field(default_factory=list)
    refused: list[tuple[int, YiwangError]] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)  # only where a mapping makes them


def parse_push(
    path: str, headers: Mapping[str, str], body: bytes, received_at: datetime, datastreams: Datastreams
) -> Pushed:
    """The readings of a request; a bad item is refused and loses nothing good beside it.

    ``headers`` in lower case.  :class:`PushInvalid` when the whole request cannot be read.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if path.startswith("/v1.1/"):
        return _each(_sensorthings_items(path, _json(body)), lambda i: _sensorthings(i, received_at, datastreams))
    if kind == cloudevents.STRUCTURED:
        return _each([_json(body)], lambda i: _event(i, received_at))
    if kind == cloudevents.BATCH:
        return _each(_list(_json(body)), lambda i: _event(i, received_at))
    if kind.startswith("application/cloudevents"):
        raise PushInvalid(field="content-type", detail=f"{kind[:60]} is not read; send {cloudevents.STRUCTURED}")
    if any(name.startswith("ce-") for name in headers):
        return _each([cloudevents.from_headers(headers, body)], lambda i: _event(i, received_at))
    found = _json(body)
    return _each(found if isinstance(found, list) else [found], lambda i: _plain(i, received_at))


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except NotJson as error:
        raise PushInvalid(field="body", detail=f"is no JSON: {error}") from error


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise PushInvalid(field="body", detail="is no list")
    return found


def _each(items: list[Any], read: Callable[[dict[str, Any]], Body]) -> Pushed:
    if len(items) > MAX_ITEMS:
        raise PushInvalid(field="body", detail=f"{len(items)} items, at most {MAX_ITEMS}")
    pushed = Pushed()
    for index, item in enumerate(items):
        try:
            if not isinstance(item, dict):
                raise PushInvalid(field="item", detail="is no JSON object")
            said = read(item)
            pushed.readings += said.readings
            pushed.refused += [(index, error) for error in said.refused]
        except YiwangError as error:
            pushed.refused.append((index, error))
    return pushed


def _plain(item: dict[str, Any], received_at: datetime, mark: str | None = None) -> Body:
    device = item.pop("device", None)
    if not isinstance(device, str) or not re.fullmatch(r"[^/\s\x00-\x1f]{1,64}", device):
        raise PushInvalid(field="device", detail="is missing, or holds blanks or slashes")
    return body_readings("http", device, f"http:{device}", item, received_at, mark)


def _event(event: dict[str, Any], received_at: datetime) -> Body:
    data = dict(cloudevents.check(event))
    data.setdefault("device", event.get("subject"))
    if event.get("time") is not None:
        data.setdefault("time", event["time"])
    return _plain(data, received_at, mark=f"{event['source']}\x00{event['id']}")


def _sensorthings_items(path: str, found: Any) -> list[Any]:
    """Observations of a single post, a post below a datastream, or the data-array extension, as single ones."""
    match = _DATASTREAM_PATH.match(path)
    if match:
        if not isinstance(found, dict):
            raise PushInvalid(field="body", detail="is no JSON object")
        return [found | {"Datastream": {"@iot.id": match[1].strip("'")}}]
    if path == "/v1.1/Observations":
        return [found]
    items: list[Any] = []
    for group in _list(found):
        try:
            names, rows, stream = list(group["components"]), list(group["dataArray"]), group["Datastream"]
        except (KeyError, TypeError) as error:
            items.append({"wrong": f"components, dataArray or Datastream missing: {error}"})
            continue
        items += [_row(names, row, stream) for row in rows]
    return items


def _row(names: list[Any], row: Any, stream: Any) -> dict[str, Any]:
    """One row of a data array; a row that does not fit its components is refused alone."""
    if not isinstance(row, list) or len(row) != len(names):
        size = len(row) if isinstance(row, list) else "no"
        return {"wrong": f"{size} values for {len(names)} components"}
    return {str(name): value for name, value in zip(names, row, strict=True)} | {"Datastream": stream}


def _sensorthings(item: dict[str, Any], received_at: datetime, datastreams: Datastreams) -> Body:
    if "wrong" in item and "Datastream" not in item:
        raise PushInvalid(field="dataArray", detail=item["wrong"])
    stream = item.get("Datastream")
    identifier = stream.get("@iot.id") if isinstance(stream, dict) else None
    if identifier is None or isinstance(identifier, (dict, list, bool)):
        raise PushInvalid(field="Datastream", detail="needs @iot.id")
    name = str(identifier)[:60]
    value = item.get("result")
    if isinstance(value, (dict, list)):
        raise PushInvalid(field="result", detail="is no number, truth value or text")
    given = item.get("phenomenonTime") or item.get("resultTime")
    at, quality = received_at, Quality.GOOD
    if given is not None:
        # an interval counts when it ends: that is when the value was complete
        at, quality = observed(read_time(str(given).rpartition("/")[2]), received_at)
    device_id, quantity = datastreams(name) or (f"http:datastream-{name}", "result")
    mark = given if given is not None else int(received_at.timestamp() // 300)
    reading = Reading(
        reading_id=derived_id("sensorthings", name, str(mark), repr(value)),
        source="http",
        device_id=device_id,
        quantity=quantity,
        value=fitting(value),
        observed_at=at,
        received_at=received_at,
        quality=Quality.MISSING if value is None else quality,
        channel="" if quantity != "result" else name,
    )
    return Body([reading])
