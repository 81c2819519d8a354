"""The default MQTT payload: what a device may publish without a mapping file.

``sensors/<device>``            JSON object ``{"time": …, "seq": n, "<quantity>": value, …}``
``sensors/<device>/<quantity>`` a JSON number, truth value or text, or ``{"value": …, "time": …, "seq": n, "unit": …}``

``time`` is what :func:`ingest.times.read_time` understands (without an offset: Beijing); ``lon`` and ``lat`` (WGS-84)
may stand beside the values.  Names are brought to ``a-z 0-9 _`` (``Fire Alarm`` → ``fire_alarm``), nested objects to
``outer_inner``.  What is wrong is refused by name and loses nothing beside it; a time that cannot be read costs the
time, not the values.  The id of a value depends on device, time, sequence number, quantity and value.  A device that
gives neither time nor sequence is promised "at least once, repeats within five minutes collapsed".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import YiwangError
from core.ids import derived_id
from core.records import GeoPoint, Quality, Reading
from ingest.contract import observed
from ingest.jsontext import NotJson, read_json
from ingest.mapping.words import fitting
from ingest.times import read_time

_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
_DEVICE = re.compile(r"[^/\s\x00-\x1f]{1,64}\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z _-]{0,60}\Z")
_MAX_FIELDS = 64
_MAX_DEPTH = 4
_COLLAPSE_S = 300
_UNITS = {"m": "m", "mm": "mm", "cm": "cm", "mpa": "MPa", "kpa": "kPa", "pct": "%", "c": "℃", "v": "V", "a": "A",
          "mps": "m/s", "kmph": "km/h", "lps": "L/s", "dba": "dB(A)", "m3ps": "m³/s"}  # fmt: skip


class TopicUnknown(YiwangError):
    code = "topic_unknown"
    message = "topic {topic!r} names no device and quantity"
    remedy = "publish to sensors/<device> or sensors/<device>/<quantity>, or write a mapping file"
    zh = "主题 {topic!r} 没有写明设备和量"
    zh_remedy = "请发布到 sensors/<设备> 或 sensors/<设备>/<量>，或写映射文件"


class PayloadInvalid(YiwangError):
    code = "payload_invalid"
    message = "{topic}: {field}: {detail}"
    remedy = "send JSON as docs/ingest.md shows it"
    zh = "{topic}：{field}：{detail}"
    zh_remedy = "请按 docs/ingest.md 发送 JSON"


@dataclass
class Body:
    """What one flat object said: its readings, and what was refused of it."""

    readings: list[Reading] = field(default_factory=list)
    refused: list[YiwangError] = field(default_factory=list)


def parse(topic: str, payload: bytes, received_at: datetime) -> tuple[str, Body]:
    """Device id and what it said; :class:`TopicUnknown` or :class:`PayloadInvalid` when the whole is refused."""
    parts = topic.split("/")
    if not 2 <= len(parts) <= 3 or parts[0] != "sensors" or not _DEVICE.match(parts[1]):
        raise TopicUnknown(topic=topic[:120])
    device_id = f"mqtt:{parts[1]}"
    body = _json(topic, device_id, payload, len(parts) == 3)
    if len(parts) == 3:
        body = _single(topic, device_id, parts[2], body)
    if not isinstance(body, dict):
        raise PayloadInvalid(topic=topic, field="payload", detail="is not a JSON object", device=device_id)
    return device_id, body_readings("mqtt", topic, device_id, body, received_at)


def _json(topic: str, device_id: str, payload: bytes, single: bool) -> Any:
    try:
        return read_json(payload)
    except NotJson as error:
        word = payload[:100].decode("ascii", "replace").strip()
        if single and _WORD.match(word):  # ``sensors/pump1/state`` with a bare ON; of a number only "nan" is left
            return None if word.lower() in ("nan", "inf", "infinity") else word
        raise PayloadInvalid(topic=topic, field="payload", detail=str(error), device=device_id) from error


def _single(topic: str, device_id: str, quantity: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        return {quantity: body}
    if "value" not in body:
        raise PayloadInvalid(topic=topic, field="value", detail="is missing", device=device_id)
    return {quantity: body["value"], **{k: body[k] for k in ("time", "seq", "unit", "lon", "lat") if k in body}}


def body_readings(
    source: str,
    topic: str,
    device_id: str,
    body: dict[str, Any],
    received_at: datetime,
    mark: object = None,
) -> Body:
    """The readings of a JSON object; ``topic`` is named in refusals.

    ``mark`` identifies the message where the transport does (a CloudEvent's source and id), else time and ``seq`` do.
    """
    said = Body()

    def refuse(name: str, detail: str) -> None:
        said.refused.append(PayloadInvalid(topic=topic, field=name[:60], detail=detail, device=device_id))

    body = dict(body)
    given, seq, unit = body.pop("time", None), body.pop("seq", None), body.pop("unit", None)
    place = _place(refuse, body.pop("lon", None), body.pop("lat", None))
    at, quality = received_at, Quality.GOOD
    if given is not None:
        moment = read_time(given)
        at, quality = observed(moment, received_at)
        if moment is None:
            refuse("time", f"{str(given)[:40]!r} is no time; the receiving time stands in")
    if mark is None:
        mark = (given, seq) if given is not None or seq is not None else int(received_at.timestamp() // _COLLAPSE_S)
    for quantity, value in _values(body, refuse).items():
        said.readings.append(
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
    return said


def _values(body: dict[str, Any], refuse: Any) -> dict[str, Any]:
    """Quantities with their plain values; truth values (alarms) first where there are too many."""
    flat: dict[str, Any] = {}
    for name, value in _flat(body, "", 0):
        quantity = name if _QUANTITY.match(name) else _quantity(name)
        if not _QUANTITY.match(quantity):
            refuse(name, "is no quantity name (a-z, 0-9, _)")
        elif quantity in flat:
            refuse(name, f"is {quantity} a second time")
        elif isinstance(value, dict | list):
            refuse(name, "is no number, truth value or text")
        elif isinstance(value, float) and not math.isfinite(value):
            flat[quantity] = None
        else:
            flat[quantity] = fitting(value)
    if len(flat) > _MAX_FIELDS:
        refuse("payload", f"has {len(flat)} fields, at most {_MAX_FIELDS}: the last are left out")
        kept = sorted(flat, key=lambda name: not isinstance(flat[name], bool))[:_MAX_FIELDS]
        flat = {name: value for name, value in flat.items() if name in set(kept)}
    return flat


def _flat(body: dict[str, Any], before: str, depth: int) -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for name, value in body.items():
        full = f"{before}_{name}" if before else name
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            out += _flat(value, full, depth + 1)
        else:
            out.append((full, value))
        if len(out) > 4 * _MAX_FIELDS:
            break
    return out


def _quantity(name: str) -> str:
    """``waterLevel`` and ``Water Level`` as ``water_level``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub(r"[\s.\-/]+", "_", words.strip()).lower()


def _place(refuse: Any, lon: Any, lat: Any) -> GeoPoint | None:
    if lon is None and lat is None:
        return None
    for name, value, limit in (("lon", lon, 180.0), ("lat", lat, 90.0)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= limit:
            refuse(name, f"{str(value)[:40]!r} is no such coordinate")
            return None
    return GeoPoint(lon=float(lon), lat=float(lat))
