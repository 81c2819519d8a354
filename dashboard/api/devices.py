"""Devices: list, one device, its series; accept from quarantine; commands to the device."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from dashboard import queries
from dashboard.api.deps import Use, Who, allow, respond, takes
from dashboard.api.params import bbox, body, moment, text, whole
from dashboard.desk import devices as desk
from dashboard.desk.devices import COMMANDED_BY, EDITED_BY, DeviceAction, DeviceEdit
from dashboard.refusals import source_refusals
from storage.session import read_scope

router = APIRouter(tags=["devices"])


@router.get("/api/devices")
def devices(request: Request, use: Use, who: Who) -> Response:
    """Devices; filters source, status, type, site, department, state, q, bbox; limit, offset."""
    query = request.query_params
    names = ("source", "status", "type", "site", "department", "state", "q")
    wanted: dict[str, Any] = {n: text(query, n) for n in names} | {"bbox": bbox(query)}
    limit, offset = whole(query, "limit", 200, 1, 5000), whole(query, "offset", 0, 0, 10_000_000)
    with read_scope(use.engine) as session:
        items, total = queries.device_page(session, who.actor, use.hub.states, wanted, limit, offset)
    more = offset + len(items)
    return respond({"items": items, "total": total, "next": more if more < total else None})


@router.get("/api/devices/{device_id}")
def device(device_id: str, use: Use, who: Who) -> Response:
    """One device with its newest values and, for rain gauges, the rolling sums."""
    return respond(desk.one_device(use, who, device_id))


@router.get("/api/devices/{device_id}/readings")
def readings(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """A series: quantity, from, to (default the last 24 h), step (0 raw, 300, 3600, 86400 s), channel, limit."""
    query = request.query_params
    end = moment(query, "to") or use.clock.now()
    wanted = desk.Wanted(
        start=moment(query, "from") or end - timedelta(hours=24), end=end, quantity=text(query, "quantity") or "",
        step=whole(query, "step", 0, 0, 86400), channel=text(query, "channel"),
        limit=whole(query, "limit", 2000, 1, 20_000),
    )  # fmt: skip
    return respond(desk.readings_of(use, who, device_id, wanted))


@router.post("/api/devices/{device_id}/accept", dependencies=[allow(*EDITED_BY)], openapi_extra=takes(DeviceEdit))
async def accept(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Take a device out of quarantine: from now on its readings feed the rules."""
    edit = await body(request, DeviceEdit)
    edit.status = "accepted"
    return respond(await asyncio.to_thread(desk.change_device, use, who, device_id, edit, "device_accept"))


@router.patch("/api/devices/{device_id}", dependencies=[allow(*EDITED_BY)], openapi_extra=takes(DeviceEdit))
async def change(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Change a device's registration; ingest follows within seconds."""
    edit = await body(request, DeviceEdit)
    return respond(await asyncio.to_thread(desk.change_device, use, who, device_id, edit, "device_change"))


@router.post("/api/devices/{device_id}/credential", dependencies=[allow("admin")])
def new_credential(device_id: str, use: Use, who: Who) -> Response:
    """A user and password of the device's own for MQTT and HTTP, shown this once; an earlier one ends.  Audited."""
    return respond(desk.new_credential(use, who, device_id))


@router.delete("/api/devices/{device_id}/credential", dependencies=[allow("admin")])
def revoke_credential(device_id: str, use: Use, who: Who) -> Response:
    """Take the device's own credential away; connections that use it end within seconds.  Audited."""
    desk.revoke_credential(use, who, device_id)
    return respond({"device_id": device_id, "own_credential": False})


@router.get("/api/sources/refusals", dependencies=[allow("admin", "operator", "dispatcher")])
def refusals(use: Use) -> Response:
    """What each source refused: counts by code, and the last messages that name no known device."""
    return respond({"items": source_refusals(use.hub.states)})


@router.post(
    "/api/devices/{device_id}/commands", dependencies=[allow(*COMMANDED_BY)], openapi_extra=takes(DeviceAction)
)
async def command(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Send a command to the device (duty_check, clock_sync, restart, query_now) and wait for its answer; audited."""
    sent = await body(request, DeviceAction)
    return respond(await desk.command_device(use, who, device_id, sent))
