"""Devices: list, one device, its series; accept from quarantine; commands to the device."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import nats.errors
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import DeviceCommand, DeviceCommandResult, decode
from dashboard import queries
from dashboard.api.deps import Use, Who, allow, audit, respond, takes
from dashboard.api.params import bbox, body, fields, moment, text, whole
from dashboard.errors import Unavailable
from dashboard.refusals import source_refusals
from dashboard.services import Services
from ingest.credentials import credential, digest_of, new_secret
from ingest.router import read_mappings
from storage.devices import commands_of, finish_command, health_history, log_command, set_credential
from storage.readings import latest, rain_sums, series, series_of
from storage.session import read_scope, session_scope
from storage.tables.registry import Department, Device, Site

router = APIRouter(tags=["devices"])

ACTIONS = ("duty_check", "clock_sync", "restart", "query_now")
LONGEST_S = 60.0
MAX_SPAN = timedelta(days=800)


class DeviceEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/devices/{id}/accept`` and ``PATCH /api/devices/{id}``: only what shall change."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    device_type: str | msgspec.UnsetType = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET
    site_id: str | None | msgspec.UnsetType = msgspec.UNSET
    department_id: str | None | msgspec.UnsetType = msgspec.UNSET
    lon: float | None | msgspec.UnsetType = msgspec.UNSET
    lat: float | None | msgspec.UnsetType = msgspec.UNSET
    coord_sys: str | msgspec.UnsetType = msgspec.UNSET
    expected_interval_s: float | None | msgspec.UnsetType = msgspec.UNSET
    calibration: dict[str, dict[str, float]] | msgspec.UnsetType = msgspec.UNSET
    ranges: dict[str, tuple[float, float]] | msgspec.UnsetType = msgspec.UNSET


class DeviceAction(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/devices/{id}/commands``."""

    name: str
    params: dict[str, Any] = {}
    timeout_s: float = 30.0


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
    with read_scope(use.engine) as session:
        shown = queries.device_detail(session, who.actor, use.hub.states, device_id)
        shown["latest"] = latest(session, device_id)
        shown["health_history"] = health_history(session, device_id, limit=20)
        shown["commands"] = commands_of(session, device_id, limit=20)
        if any(quantity == "rain_mm" for quantity, _ in series_of(session, device_id)):
            sums = rain_sums(session, device_id, use.clock.now())
            shown["rain_sums_mm"] = {f"{hours}h": round(mm, 2) for hours, mm in sums.items()}
    return respond(shown)


@router.get("/api/devices/{device_id}/readings")
def readings(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """A series: quantity, from, to (default the last 24 h), step (0 raw, 300, 3600, 86400 s), channel, limit."""
    query = request.query_params
    end = moment(query, "to") or use.clock.now()
    start = moment(query, "from") or end - timedelta(hours=24)
    _span(start, end)
    with read_scope(use.engine) as session:
        queries.device_detail(session, who.actor, use.hub.states, device_id)
        known = series_of(session, device_id)
        quantity = text(query, "quantity") or (known[0][0] if known else "")
        points = series(
            session,
            device_id,
            quantity,
            start,
            end,
            whole(query, "step", 0, 0, 86400),
            channel=text(query, "channel"),
            limit=whole(query, "limit", 2000, 1, 20_000),
        )
    quantities = sorted({q for q, _ in known})
    return respond({"device_id": device_id, "quantity": quantity, "quantities": quantities, "points": points})


def _span(start: datetime, end: datetime) -> None:
    if not timedelta(0) < end - start <= MAX_SPAN:
        raise InputInvalid(field="from", detail="is not before 'to', or lies too far back", how="ask for ≤ 800 days")


@router.post(
    "/api/devices/{device_id}/accept", dependencies=[allow("admin", "operator")], openapi_extra=takes(DeviceEdit)
)
async def accept(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Take a device out of quarantine: from now on its readings feed the rules."""
    edit = await body(request, DeviceEdit)
    edit.status = "accepted"
    return await asyncio.to_thread(_edit, use, who, device_id, edit, "device_accept")


@router.patch("/api/devices/{device_id}", dependencies=[allow("admin", "operator")], openapi_extra=takes(DeviceEdit))
async def change(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Change a device's registration; ingest follows within seconds."""
    edit = await body(request, DeviceEdit)
    return await asyncio.to_thread(_edit, use, who, device_id, edit, "device_change")


def _edit(use: Services, who: Any, device_id: str, edit: DeviceEdit, action: str) -> Response:
    changes = fields(edit)
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(Device, device_id)
        if row is None:
            raise NotFound(what="device", key=device_id)
        _check_edit(session, changes)
        if changes.get("status") == "accepted" and row.status != "accepted":
            row.accepted_by, row.accepted_at = who.actor.user_id, now
        for name, value in changes.items():
            setattr(row, name, [list(v) for v in value] if isinstance(value, list) else value)
        row.revision += 1
        audit(session, use, who, action, {"device_id": device_id, **changes})
    with read_scope(use.engine) as session:
        return respond(queries.device_detail(session, who.actor, use.hub.states, device_id))


@router.post("/api/devices/{device_id}/credential", dependencies=[allow("admin")])
def new_credential(device_id: str, use: Use, who: Who) -> Response:
    """A user and password of the device's own for MQTT and HTTP, shown this once; an earlier one ends.  Audited."""
    secret = new_secret()
    with session_scope(use.engine) as session:
        device = set_credential(session, device_id, digest_of(secret))
        audit(session, use, who, "device_credential", {"device_id": device_id})
    return respond(credential(device, secret, read_mappings(use.settings.data_dir / "mappings")))


@router.delete("/api/devices/{device_id}/credential", dependencies=[allow("admin")])
def revoke_credential(device_id: str, use: Use, who: Who) -> Response:
    """Take the device's own credential away; connections that use it end within seconds.  Audited."""
    with session_scope(use.engine) as session:
        set_credential(session, device_id, None)
        audit(session, use, who, "device_credential_revoked", {"device_id": device_id})
    return respond({"device_id": device_id, "own_credential": False})


@router.get("/api/sources/refusals", dependencies=[allow("admin", "operator", "dispatcher")])
def refusals(use: Use) -> Response:
    """What each source refused: counts by code, and the last messages that name no known device."""
    return respond({"items": source_refusals(use.hub.states)})


def _check_edit(session: Session, changes: dict[str, Any]) -> None:
    words = {"status": ("accepted", "quarantine", "disabled"), "coord_sys": ("wgs84", "gcj02", "bd09", "cgcs2000")}
    for name, known in words.items():
        if name in changes and changes[name] not in known:
            raise InputInvalid(field=name, detail=f"{changes[name]!r} is unknown", how=f"use: {', '.join(known)}")
    for name, model in (("site_id", Site), ("department_id", Department)):
        if changes.get(name) and session.get(model, changes[name]) is None:
            raise NotFound(what=name.removesuffix("_id"), key=changes[name])
    for name, limit in (("lon", 180), ("lat", 90)):
        if changes.get(name) is not None and not -limit <= changes[name] <= limit:
            raise InputInvalid(field=name, detail=f"{changes[name]} is out of range", how="send degrees")


@router.post(
    "/api/devices/{device_id}/commands",
    dependencies=[allow("admin", "operator", "dispatcher")],
    openapi_extra=takes(DeviceAction),
)
async def command(device_id: str, request: Request, use: Use, who: Who) -> Response:
    """Send a command to the device (duty_check, clock_sync, restart, query_now) and wait for its answer; audited."""
    sent = await body(request, DeviceAction)
    if sent.name not in ACTIONS:
        raise InputInvalid(field="name", detail=f"{sent.name!r} is unknown", how=f"use: {', '.join(ACTIONS)}")
    if not 1 <= sent.timeout_s <= LONGEST_S:
        raise InputInvalid(field="timeout_s", detail="is out of range", how=f"send 1 … {LONGEST_S:.0f}")
    source = await asyncio.to_thread(_source, use, who, device_id)
    wish = DeviceCommand(
        command_id=new_id(),
        device_id=device_id,
        name=sent.name,  # type: ignore[arg-type]  # checked above
        requested_by=who.actor.user_id,
        requested_at=use.clock.now(),
        timeout_s=sent.timeout_s,
        params=sent.params,
    )
    await asyncio.to_thread(_note, use, who, "device_command", wish)
    result = await _ask(use, source, wish)
    await asyncio.to_thread(_note, use, who, "device_command_result", result)
    return respond(result)


def _source(use: Services, who: Any, device_id: str) -> str:
    with read_scope(use.engine) as session:
        return str(queries.device_detail(session, who.actor, use.hub.states, device_id)["source"])


def _note(use: Services, who: Any, action: str, what: DeviceCommand | DeviceCommandResult) -> None:
    with session_scope(use.engine) as session:
        if isinstance(what, DeviceCommand):
            log_command(session, what)
        else:
            finish_command(session, what)
        audit(session, use, who, action, msgspec.to_builtins(what))


async def _ask(use: Services, source: str, wish: DeviceCommand) -> DeviceCommandResult:
    if use.hub.bus is None:
        raise Unavailable(what="the bus", detail="not connected yet")
    try:
        answer = await use.hub.bus.request(f"cmd.{source}", wish, wish.timeout_s + 2)
    except (TimeoutError, nats.errors.Error) as error:
        return DeviceCommandResult(
            command_id=wish.command_id, ok=False, detail=f"no answer: {error}", finished_at=use.clock.now()
        )
    return decode(DeviceCommandResult, answer)
