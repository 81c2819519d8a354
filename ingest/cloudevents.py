"""CloudEvents 1.0.2: structured, batched and binary HTTP messages to checked events.  Pure.

Strict where the specification is: attribute names of ``a-z 0-9``, no control characters or lone surrogates in values,
``source`` a URI reference, ``time`` of RFC 3339, ``data`` or ``data_base64`` but not both; binary headers are
percent-decoded as UTF-8 (HTTP binding 3.1.3.2) and refused where the bytes are none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import unquote_to_bytes

from core.errors import YiwangError
from ingest.jsontext import NotJson, read_json

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_REQUIRED = ("specversion", "id", "source", "type")
_NAME = re.compile(r"[a-z0-9]{1,60}\Z")
_URI_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
_JSON_TYPE = re.compile(r"\s*(application|text)/([\w.+-]+\+)?json\s*(;.*)?\Z", re.I)
_BAD_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class EventInvalid(YiwangError):
    code = "cloudevent_invalid"
    message = "CloudEvent: {field}: {detail}"
    remedy = "send it as CloudEvents 1.0 says; the SDKs of the CloudEvents project do"
    zh = "CloudEvent：{field}：{detail}"
    zh_remedy = "请按 CloudEvents 1.0 发送，CloudEvents 项目的 SDK 即可"


def from_headers(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """A binary-mode event; ``headers`` in lower case.  :class:`EventInvalid`."""
    event: dict[str, Any] = {n[3:]: _header(n, v) for n, v in headers.items() if n.startswith("ce-")}
    if "datacontenttype" in event:
        raise EventInvalid(field="ce-datacontenttype", detail="belongs into the header content-type")
    kind = headers.get("content-type", "")
    if kind:
        event["datacontenttype"] = kind
    _check_type(event)
    return event | ({"data": _json(body)} if body else {})


def _header(name: str, value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    if re.search(r"%(?![0-9A-Fa-f]{2})", value):
        raise EventInvalid(field=name, detail="holds % without two hex digits")
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeError as error:
        raise EventInvalid(field=name, detail="is no UTF-8 after percent-decoding") from error


def check(event: dict[str, Any]) -> dict[str, Any]:
    """The event's data; :class:`EventInvalid` names the attribute that is wrong."""
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise EventInvalid(field=name, detail="a CloudEvent needs it")
    if event["specversion"] != "1.0":
        raise EventInvalid(field="specversion", detail=f"is {event['specversion'][:20]!r}, not '1.0'")
    for name, value in event.items():
        if name not in ("data", "data_base64"):
            _check_attribute(name, value)
    _check_type(event)
    data = _data(event)
    if not isinstance(data, dict):
        raise EventInvalid(field="data", detail="is no JSON object")
    return data


def _check_attribute(name: str, value: Any) -> None:
    if not _NAME.match(name):
        raise EventInvalid(field=str(name)[:60], detail="is no attribute name (a-z, 0-9)")
    if value is None:
        return  # the same as absent
    if isinstance(value, dict | list | float):
        raise EventInvalid(field=name, detail="an attribute is a text, a whole number or a truth value")
    if isinstance(value, str) and _BAD_TEXT.search(value):
        raise EventInvalid(field=name, detail="holds control characters")
    if name == "source" and not _URI_REFERENCE.match(_ascii(value)):
        raise EventInvalid(field=name, detail="is no URI reference")
    if name == "time" and not _is_time(value):
        raise EventInvalid(field=name, detail="is no RFC 3339 time with offset")
    if name in ("subject", "dataschema", "datacontenttype") and not (isinstance(value, str) and value):
        raise EventInvalid(field=name, detail="must be a text that is not empty")


def _is_time(value: Any) -> bool:
    """Whether ``value`` is a time of RFC 3339 that the calendar and the clock know (the leap second 60 too)."""
    if not isinstance(value, str) or not _TIME.match(value):
        return False
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return int(value[11:13]) < 24 and int(value[14:16]) < 60 and int(value[17:19]) <= 60


def _ascii(value: str) -> str:
    """Letters beyond ASCII count as percent-encoded (an IRI)."""
    return re.sub(r"[^\x00-\x7f]", "x", value)


def _check_type(event: dict[str, Any]) -> None:
    kind = event.get("datacontenttype")
    if isinstance(kind, str) and not _JSON_TYPE.match(kind):
        raise EventInvalid(field="datacontenttype", detail=f"is {kind[:60]!r}; only JSON is read here")


def _data(event: dict[str, Any]) -> Any:
    if "data_base64" not in event:
        return event.get("data")
    if event.get("data") is not None:
        raise EventInvalid(field="data", detail="stands beside data_base64")
    try:
        return _json(base64.b64decode(str(event["data_base64"]), validate=True))
    except ValueError as error:
        raise EventInvalid(field="data_base64", detail="is no base64") from error


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except NotJson as error:
        raise EventInvalid(field="data", detail=f"is no JSON: {error}") from error
