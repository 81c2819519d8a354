"""Devices: one with all that is known, a change, its own credential, a command; judged by the person's rights."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import nats.errors
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import DeviceCommand, DeviceCommandResult, decode
from dashboard import queries
from dashboard.api.deps import audit, must_be
from dashboard.api.params import fields
from dashboard.auth import Principal
from dashboard.errors import Unavailable
from dashboard.services import Services
from ingest.credentials import credential, digest_of, new_secret
from ingest.router import read_mappings
from storage.devices import commands_of, finish_command, health_history, log_command, set_credential
from storage.readings import latest, rain_sums, series, series_of
from storage.session import read_scope, session_scope
from storage.tables.registry import Department, Device, Site

COMMANDED_BY = ("admin", "operator", "dispatcher")
EDITED_BY = ("admin", "operator")
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


@dataclass(frozen=True)
class SeriesWanted:
    """Which series is wanted: ``step`` 0 raw, 300, 3600 or 86400 s; an empty quantity is the first there is."""

    start: datetime
    end: datetime
    quantity: str = ""
    step: int = 0
    channel: str | None = None
    limit: int = 2000


def one_device(use: Services, who: Principal, device_id: str) -> dict[str, Any]:
    """One device with its newest values, history and, for rain gauges, the rolling sums."""
    with read_scope(use.engine) as session:
        shown = queries.device_detail(session, who.actor, use.hub.states, device_id)
        shown["latest"] = latest(session, device_id)
        shown["health_history"] = health_history(session, device_id, limit=20)
        shown["commands"] = commands_of(session, device_id, limit=20)
        if any(quantity == "rain_mm" for quantity, _ in series_of(session, device_id)):
            sums = rain_sums(session, device_id, use.clock.now())
            shown["rain_sums_mm"] = {f"{hours}h": round(mm, 2) for hours, mm in sums.items()}
    return shown


def readings_of(use: Services, who: Principal, device_id: str, wanted: SeriesWanted) -> dict[str, Any]:
    """``{"device_id", "quantity", "quantities", "points"}`` of a device that this person may see."""
    if not timedelta(0) < wanted.end - wanted.start <= MAX_SPAN:
        raise InputInvalid(field="from", detail="is not before 'to', or lies too far back", how="ask for ≤ 800 days")
    with read_scope(use.engine) as session:
        queries.device_detail(session, who.actor, use.hub.states, device_id)
        known = series_of(session, device_id)
        quantity = wanted.quantity or (known[0][0] if known else "")
        points = series(
            session, device_id, quantity, wanted.start, wanted.end, wanted.step, channel=wanted.channel,
            limit=wanted.limit,
        )  # fmt: skip
    quantities = sorted({q for q, _ in known})
    return {"device_id": device_id, "quantity": quantity, "quantities": quantities, "points": points}


def change_device(use: Services, who: Principal, device_id: str, edit: DeviceEdit, action: str) -> dict[str, Any]:
    """Change a device's registration; ingest follows within seconds.  ``action`` stands in the audit chain."""
    must_be(who, *EDITED_BY)
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
        return queries.device_detail(session, who.actor, use.hub.states, device_id)


def new_credential(use: Services, who: Principal, device_id: str) -> dict[str, Any]:
    """A user and password of the device's own for MQTT and HTTP, shown this once; an earlier one ends.  Audited."""
    must_be(who, "admin")
    secret = new_secret()
    with session_scope(use.engine) as session:
        device = set_credential(session, device_id, digest_of(secret))
        audit(session, use, who, "device_credential", {"device_id": device_id})
    return credential(device, secret, read_mappings(use.settings.data_dir / "mappings"))


def revoke_credential(use: Services, who: Principal, device_id: str) -> None:
    """Take the device's own credential away; connections that use it end within seconds.  Audited."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        set_credential(session, device_id, None)
        audit(session, use, who, "device_credential_revoked", {"device_id": device_id})


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


async def command_device(use: Services, who: Principal, device_id: str, sent: DeviceAction) -> DeviceCommandResult:
    """Send a command to the device (one of ``ACTIONS``) and wait for its answer; audited."""
    must_be(who, *COMMANDED_BY)
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
    return result


def _source(use: Services, who: Principal, device_id: str) -> str:
    with read_scope(use.engine) as session:
        return str(queries.device_detail(session, who.actor, use.hub.states, device_id)["source"])


def _note(use: Services, who: Principal, action: str, what: DeviceCommand | DeviceCommandResult) -> None:
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
