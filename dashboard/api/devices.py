"""Devices: list, one device, its series; accept from quarantine; commands to the device."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.records import DeviceCommandResult
from dashboard import queries
from dashboard.answers.devices import (
    CredentialGone,
    DeviceCredential,
    DeviceDetail,
    DevicePage,
    DeviceSeries,
    RefusalList,
)
from dashboard.api.deps import Use, Who, allow, answers, respond, takes
from dashboard.api.filters import Box, Paged, PeriodFilter, Text
from dashboard.api.params import body
from dashboard.desk import devices as desk
from dashboard.desk.devices import COMMANDED_BY, EDITED_BY, DeviceAction, DeviceEdit
from dashboard.refusals import source_refusals
from storage.session import read_scope

router = APIRouter(tags=["devices"])


class DeviceFilters(Paged):
    """Filters of ``GET /api/devices``."""

    source: Text | None = None
    status: Text | None = None
    type: Text | None = None
    site: Text | None = None
    department: Text | None = None
    state: Text | None = None
    q: Text | None = None
    bbox: Box | None = None
    limit: int = Field(200, ge=1, le=5000)


class SeriesFilters(PeriodFilter):
    """Filters of a device's series; by default the last 24 h of its first quantity."""

    quantity: Text = ""
    step: int = Field(0, ge=0, le=86400, description="seconds: 0 (raw), 300, 3600 or 86400")
    channel: Text | None = None
    limit: int = Field(2000, ge=1, le=20_000)


@router.get("/api/devices", **answers(DevicePage))
def devices(asked: Annotated[DeviceFilters, Query()], use: Use, who: Who) -> Response:
    """Devices that this person may see."""
    wanted = asked.model_dump(exclude={"limit", "offset"})
    with read_scope(use.engine) as session:
        items, total = queries.device_page(session, who.actor, use.hub.states, wanted, asked.limit, asked.offset)
    more = asked.offset + len(items)
    return respond({"items": items, "total": total, "next": more if more < total else None})


@router.get("/api/devices/{device_id}", **answers(DeviceDetail))
def device(device_id: str, use: Use, who: Who) -> Response:
    """One device with its newest values and, for rain gauges, the rolling sums."""
    return respond(desk.one_device(use, who, device_id))


@router.get("/api/devices/{device_id}/readings", **answers(DeviceSeries))
def readings(device_id: str, asked: Annotated[SeriesFilters, Query()], use: Use, who: Who) -> Response:
    """A series of one quantity."""
    end = asked.end or use.clock.now()
    wanted = desk.SeriesWanted(
        start=asked.start or end - timedelta(hours=24), end=end, quantity=asked.quantity, step=asked.step,
        channel=asked.channel, limit=asked.limit,
    )  # fmt: skip
    return respond(desk.readings_of(use, who, device_id, wanted))


@router.post(
    "/api/devices/{device_id}/accept",
    dependencies=[allow(*EDITED_BY)],
    openapi_extra=takes(DeviceEdit),
    **answers(DeviceDetail),
)
async def accept(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Take a device out of quarantine: from now on its readings feed the rules."""
    edit = await body(request, DeviceEdit)
    edit.status = "accepted"
    return respond(await asyncio.to_thread(desk.change_device, use, who, device_id, edit, "device_accept"))


@router.patch(
    "/api/devices/{device_id}",
    dependencies=[allow(*EDITED_BY)],
    openapi_extra=takes(DeviceEdit),
    **answers(DeviceDetail),
)
async def change(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Change a device's registration; ingest follows within seconds."""
    edit = await body(request, DeviceEdit)
    return respond(await asyncio.to_thread(desk.change_device, use, who, device_id, edit, "device_change"))


@router.post("/api/devices/{device_id}/credential", dependencies=[allow("admin")], **answers(DeviceCredential))
def new_credential(device_id: str, use: Use, who: Who) -> Response:
    """A user and password of the device's own for MQTT and HTTP, shown this once; an earlier one ends.  Audited."""
    return respond(desk.new_credential(use, who, device_id))


@router.delete("/api/devices/{device_id}/credential", dependencies=[allow("admin")], **answers(CredentialGone))
def revoke_credential(device_id: str, use: Use, who: Who) -> Response:
    """Take the device's own credential away; connections that use it end within seconds.  Audited."""
    desk.revoke_credential(use, who, device_id)
    return respond({"device_id": device_id, "own_credential": False})


@router.get("/api/sources/refusals", dependencies=[allow("admin", "operator", "dispatcher")], **answers(RefusalList))
def refusals(use: Use) -> Response:
    """What each source refused: counts by code, and the last messages that name no known device."""
    return respond({"items": source_refusals(use.hub.states)})


@router.post(
    "/api/devices/{device_id}/commands",
    dependencies=[allow(*COMMANDED_BY)],
    openapi_extra=takes(DeviceAction),
    **answers(DeviceCommandResult),
)
async def command(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Send a command to the device (duty_check, clock_sync, restart, query_now) and wait for its answer; audited."""
    sent = await body(request, DeviceAction)
    return respond(await desk.command_device(use, who, device_id, sent))
