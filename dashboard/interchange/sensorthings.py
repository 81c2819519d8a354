"""OGC SensorThings 1.1, read only: things, datastreams and observations for other departments' clients.

A device is a Thing, each of its quantities (and channels) a Datastream with id ``<device>|<quantity>|<channel>``
(``/`` in a channel is written ``~``).  Understood: ``$top``, ``$skip``, ``$count``, ``$orderby=phenomenonTime asc`` or
``desc``, and ``$filter=phenomenonTime ge|gt|le|lt <time>`` joined by ``and``.  Observations come in by the push
listener of ingest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid, NotFound
from dashboard import queries
from dashboard.api.deps import Use, Who, respond
from dashboard.api.params import moment, whole
from storage.readings import Latest, Point, latest, series
from storage.session import read_scope

router = APIRouter(tags=["sensorthings"])

ROOT = "/api/sensorthings/v1.1"
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
_OPTIONS = ("$top", "$skip", "$count", "$orderby", "$filter")
_BOUND = re.compile(r"\s*phenomenonTime\s+(ge|gt|le|lt)\s+(\S{10,40})\s*\Z", re.IGNORECASE)
_SPAN = timedelta(days=31)


@router.get(ROOT)
def root(use: Use, who: Who) -> Response:
    """What is served."""
    names = ("Things", "Datastreams")
    return respond({"value": [{"name": name, "url": f"{use.settings.public_url}{ROOT}/{name}"} for name in names]})


@router.get(ROOT + "/Things")
def things(request: Request, use: Use, who: Who) -> Response:
    """Devices that the asker may see."""
    query = _options(request.query_params)
    top, skip = whole(query, "$top", 100, 1, 1000), whole(query, "$skip", 0, 0, 10_000_000)
    with read_scope(use.engine) as session:
        rows, total = queries.device_page(session, who.actor, use.hub.states, {}, top, skip)
    return respond(_page([_thing(row) for row in rows], "Things", query, top, skip, total))


@router.get(ROOT + "/Things({device_id})")
def thing(device_id: str, use: Use, who: Who) -> Response:
    """One device."""
    with read_scope(use.engine) as session:
        return respond(_thing(queries.device_detail(session, who.actor, use.hub.states, _plain(device_id))))


@router.get(ROOT + "/Things({device_id})/Datastreams")
def datastreams(device_id: str, use: Use, who: Who) -> Response:
    """What one device reports."""
    name = _plain(device_id)
    with read_scope(use.engine) as session:
        queries.device_detail(session, who.actor, use.hub.states, name)
        found = [_datastream(name, value) for value in latest(session, name)]
    return respond({"@iot.count": len(found), "value": found})


@router.get(ROOT + "/Datastreams({stream_id})")
def datastream(stream_id: str, use: Use, who: Who) -> Response:
    """One quantity of a device."""
    device_id, quantity, channel = _stream(stream_id)
    with read_scope(use.engine) as session:
        queries.device_detail(session, who.actor, use.hub.states, device_id)
        for value in latest(session, device_id):
            if (value.quantity, value.channel) == (quantity, channel):
                return respond(_datastream(device_id, value))
    raise NotFound(what="datastream", key=_plain(stream_id))


@router.get(ROOT + "/Datastreams({stream_id})/Observations")
def observations(stream_id: str, request: Request, use: Use, who: Who) -> Response:
    """Good values of a datastream, the newest first unless asked otherwise; at most 31 days at a time."""
    query = _options(request.query_params)
    device_id, quantity, channel = _stream(stream_id)
    top, skip = whole(query, "$top", 100, 1, 1000), whole(query, "$skip", 0, 0, 20_000)
    start, end = _span(query.get("$filter", ""), use.clock.now())
    order = query.get("$orderby", "phenomenonTime desc").split()
    if order[:1] != ["phenomenonTime"] or order[1:] not in ([], ["asc"], ["desc"]):
        raise InputInvalid(field="$orderby", detail="only by phenomenonTime", how="use phenomenonTime asc or desc")
    with read_scope(use.engine) as session:
        queries.device_detail(session, who.actor, use.hub.states, device_id)
        points = series(session, device_id, quantity, start, end, channel=channel, limit=20_000)
    if order[1:] == ["desc"]:
        points = points[::-1]
    shown = [_observation(point) for point in points[skip : skip + top]]
    path = f"Datastreams('{_quoted(_stream_id(device_id, quantity, channel))}')/Observations"
    return respond(_page(shown, path, query, top, skip, len(points)))


def _options(query: Mapping[str, str]) -> dict[str, str]:
    for name in query:
        if name not in _OPTIONS:
            raise InputInvalid(field=name[:40], detail="is not understood", how=f"use {', '.join(_OPTIONS)}")
    return dict(query)


def _span(condition: str, now: datetime) -> tuple[datetime, datetime]:
    start: datetime | None = None
    end: datetime | None = None
    for part in re.split(r"\band\b", condition) if condition.strip() else []:
        match = _BOUND.match(part)
        at = moment({"$filter": match[2]}, "$filter") if match else None
        if match is None or at is None:
            raise InputInvalid(
                field="$filter", detail=f"{part.strip()[:60]!r} is not understood", how="see docs/api.md"
            )
        if match[1].lower() in ("ge", "gt"):
            start = at + timedelta(microseconds=match[1].lower() == "gt")
        else:
            end = at + timedelta(microseconds=match[1].lower() == "le")
    end = end or (start + _SPAN if start else now + timedelta(seconds=1))
    start = start or end - _SPAN
    if not timedelta(0) < end - start <= _SPAN:
        raise InputInvalid(field="$filter", detail="no time, or more than 31 days", how="ask for at most 31 days")
    return start, end


def _plain(identifier: str) -> str:
    """An id without the quotes of OData."""
    return identifier.strip().strip("'")


def _stream(identifier: str) -> tuple[str, str, str]:
    parts = _plain(identifier).split("|")
    if len(parts) != 3:
        raise NotFound(what="datastream", key=_plain(identifier)[:120])
    return parts[0], parts[1], parts[2].replace("~", "/")


def _stream_id(device_id: str, quantity: str, channel: str) -> str:
    return f"{device_id}|{quantity}|{channel.replace('/', '~')}"


def _quoted(identifier: str) -> str:
    return quote(identifier, safe=":")


def _thing(row: dict[str, Any]) -> dict[str, Any]:
    link = f"{ROOT}/Things('{_quoted(row['device_id'])}')"
    kept = ("source", "address", "device_type", "status", "site_id", "department_id")
    out = {
        "@iot.id": row["device_id"],
        "@iot.selfLink": link,
        "name": row.get("name") or row["device_id"],
        "description": row.get("device_type") or "",
        "properties": {name: row[name] for name in kept if row.get(name)},
        "Datastreams@iot.navigationLink": f"{link}/Datastreams",
    }
    if row.get("lon") is not None and row.get("lat") is not None:
        place = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
        out["Locations"] = [{"encodingType": "application/geo+json", "location": place}]
    return out


def _datastream(device_id: str, value: Latest) -> dict[str, Any]:
    name = _stream_id(device_id, value.quantity, value.channel)
    link = f"{ROOT}/Datastreams('{_quoted(name)}')"
    return {
        "@iot.id": name,
        "@iot.selfLink": link,
        "name": f"{value.quantity} {value.channel}".strip(),
        "description": "",
        "observationType": _MEASUREMENT,
        "unitOfMeasurement": {"name": value.unit or None, "symbol": value.unit or None, "definition": None},
        "properties": {"latest": value.value if value.text is None else value.text, "quality": value.quality.value},
        "Thing@iot.navigationLink": f"{ROOT}/Things('{_quoted(device_id)}')",
        "Observations@iot.navigationLink": f"{link}/Observations",
    }


def _observation(point: Point) -> dict[str, Any]:
    return {"phenomenonTime": point.at, "resultTime": point.at, "result": point.value}


def _page(
    items: list[dict[str, Any]], path: str, query: Mapping[str, str], top: int, skip: int, total: int
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if query.get("$count", "").lower() == "true":
        out["@iot.count"] = total
    out["value"] = items
    if skip + len(items) < total:
        more = {**query, "$top": str(top), "$skip": str(skip + top)}
        out["@iot.nextLink"] = f"{ROOT}/{path}?" + "&".join(f"{k}={quote(v)}" for k, v in more.items())
    return out
