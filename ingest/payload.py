"""The default MQTT payload: what a device may publish without a mapping file.

``sensors/<device>``            JSON object ``{"time": …, "seq": n, "<quantity>": value, …}``
``sensors/<device>/<quantity>`` a JSON number, truth value or text, or ``{"value": …, "time": …, "seq": n, "unit": …}``

``time`` is ISO 8601 with offset or unix seconds (milliseconds when above 10¹¹); ``lon`` and ``lat`` (WGS-84) may
stand beside the values.  The id of a value depends on device, time, sequence number, quantity and value.  A device
that gives neither time nor sequence is promised "at least once, repeats within five minutes collapsed".
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.errors import YiwangError
from core.ids import derived_id
from core.records import GeoPoint, Quality, Reading
from ingest.contract import observed

_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
_DEVICE = re.compile(r"[^/\s\x00-\x1f]{1,64}\Z")
_MAX_FIELDS = 64
_COLLAPSE_S = 300
_UNITS = {"m": "m", "mm": "mm", "cm": "cm", "mpa": "MPa", "kpa": "kPa", "pct": "%", "c": "℃", "v": "V", "a": "A",
          "mps": "m/s", "kmph": "km/h", "lps": "L/s", "dba": "dB(A)", "m3ps": "m³/s"}  # fmt: skip


class TopicUnknown(YiwangError):
    code = "topic_unknown"
    message = "topic {topic!r} names no device and quantity"
    remedy = "publish to sensors/<device> or sensors/<device>/<quantity>, or write a mapping file"


class PayloadInvalid(YiwangError):
    code = "payload_invalid"
    message = "{topic}: {field}: {detail}"
    remedy = "send JSON as docs/ingest.md shows it"


def parse(topic: str, payload: bytes, received_at: datetime) -> tuple[str, list[Reading]]:
    """Device id and readings; :class:`TopicUnknown` or :class:`PayloadInvalid` when refused."""
    parts = topic.split("/")
    if not 2 <= len(parts) <= 3 or parts[0] != "sensors" or not _DEVICE.match(parts[1]):
        raise TopicUnknown(topic=topic[:120])
    try:
        body = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadInvalid(topic=topic, field="payload", detail=str(error)) from error
    except RecursionError as error:
        raise PayloadInvalid(topic=topic, field="payload", detail="nested too deeply") from error
    if len(parts) == 3:
        body = _single(topic, parts[2], body)
    if not isinstance(body, dict):
        raise PayloadInvalid(topic=topic, field="payload", detail="is not a JSON object")
    device_id = f"mqtt:{parts[1]}"
    return device_id, body_readings("mqtt", topic, device_id, body, received_at)


def _single(topic: str, quantity: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        return {quantity: body}
    if "value" not in body:
        raise PayloadInvalid(topic=topic, field="value", detail="is missing")
    return {quantity: body["value"], **{k: body[k] for k in ("time", "seq", "unit", "lon", "lat") if k in body}}


def body_readings(
    source: str,
    topic: str,
    device_id: str,
    body: dict[str, Any],
    received_at: datetime,
    mark: object = None,
) -> list[Reading]:
    """The readings of a flat JSON object; ``topic`` is named in errors.

    ``mark`` identifies the message where the transport does (a CloudEvent's source and id), else time and ``seq`` do.
    """
    body = dict(body)
    if len(body) > _MAX_FIELDS:
        raise PayloadInvalid(topic=topic, field="payload", detail=f"has {len(body)} fields, at most {_MAX_FIELDS}")
    given, seq, unit = body.pop("time", None), body.pop("seq", None), body.pop("unit", None)
    place = _place(topic, body.pop("lon", None), body.pop("lat", None))
    at, quality = received_at, Quality.GOOD
    if given is not None:
        at, quality = observed(device_time(topic, given), received_at)
    if mark is None:
        mark = (given, seq) if given is not None or seq is not None else int(received_at.timestamp() // _COLLAPSE_S)
    readings = []
    for quantity, value in body.items():
        if not _QUANTITY.match(quantity):
            raise PayloadInvalid(topic=topic, field=quantity[:60], detail="is no quantity name (a-z, 0-9, _)")
        if isinstance(value, (dict, list)) or (isinstance(value, float) and not math.isfinite(value)):
            raise PayloadInvalid(topic=topic, field=quantity, detail="is no number, truth value or text")
        readings.append(
            Reading(
                reading_id=derived_id(source, device_id, repr(mark), quantity, repr(value)),
                source=source,
                device_id=device_id,
                quantity=quantity,
                value=value,
                observed_at=at,
                received_at=received_at,
                unit=str(unit)[:16] if unit is not None else _UNITS.get(quantity.rpartition("_")[2], ""),
                quality=Quality.MISSING if value is None else quality,
                location=place,
            )
        )
    return readings


def device_time(topic: str, given: Any) -> datetime | None:
    """The device's time; a number is unix seconds or milliseconds; ``None`` when it is no possible moment."""
    try:
        if isinstance(given, str):
            moment = datetime.fromisoformat(given)
            if moment.tzinfo is None:
                raise PayloadInvalid(topic=topic, field="time", detail=f"{given!r} has no UTC offset")
            return moment.astimezone(UTC)
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            return datetime.fromtimestamp(given / 1000 if abs(given) > 1e11 else given, UTC)
    except (OverflowError, OSError):
        return None
    except ValueError as error:
        raise PayloadInvalid(topic=topic, field="time", detail=f"{given!r} is no ISO 8601 time") from error
    raise PayloadInvalid(topic=topic, field="time", detail="is neither text nor number")


def _place(topic: str, lon: Any, lat: Any) -> GeoPoint | None:
    if lon is None and lat is None:
        return None
    for field, value, limit in (("lon", lon, 180.0), ("lat", lat, 90.0)):
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) <= limit:
            raise PayloadInvalid(topic=topic, field=field, detail=f"{value!r} is no such coordinate")
    return GeoPoint(lon=float(lon), lat=float(lat))
