"""Devices in the registry: list, show, accept, quarantine; their health history and the log of their commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from core.errors import InputInvalid, NotFound
from core.records import (
    DeviceCommand,
    DeviceCommandResult,
    DeviceConfig,
    Observation,
    Record,
)
from storage.registry import device_config
from storage.tables.registry import Device, DeviceCommandLog, DeviceHealth, Site

Status = Literal["accepted", "quarantine", "disabled"]


class DeviceSummary(Record, frozen=True):
    """A line of the device list; ``health`` is "unknown" until ingest has judged it."""

    device: DeviceConfig
    site_name: str = ""
    health: str = "unknown"
    health_reason: str = ""
    health_since: datetime | None = None
    first_seen_at: datetime | None = None
    accepted_by: str | None = None
    accepted_at: datetime | None = None


class HealthSpell(Record, frozen=True):
    """A device's health from ``since`` on."""

    state: str
    reason: str
    since: datetime


class CommandEntry(Record, frozen=True):
    """A command and its result; ``ok`` None while it is under way."""

    command_id: str
    device_id: str
    name: str
    requested_by: str
    requested_at: datetime
    params: dict[str, Any] = {}
    finished_at: datetime | None = None
    ok: bool | None = None
    detail: str = ""
    data: dict[str, Any] = {}


def _newest_health() -> Any:
    newest = (
        select(DeviceHealth.device_id, func.max(DeviceHealth.since).label("since"))
        .group_by(DeviceHealth.device_id)
        .subquery()
    )
    return (
        select(DeviceHealth)
        .join(newest, (DeviceHealth.device_id == newest.c.device_id) & (DeviceHealth.since == newest.c.since))
        .subquery()
    )


def list_devices(
    session: Session,
    *,
    status: str | None = None,
    source: str | None = None,
    site_id: str | None = None,
    health: str | None = None,
    query: str = "",
    after: str = "",
    limit: int = 200,
) -> list[DeviceSummary]:
    """Devices by id, ``after`` one of them (for paging); ``query`` looks into id, name and site name."""
    spells = _newest_health()
    spell = aliased(DeviceHealth, spells)
    statement = (
        select(Device, Site.name, spell)
        .outerjoin(Site, Site.site_id == Device.site_id)
        .outerjoin(spell, spell.device_id == Device.device_id)
        .where(Device.device_id > after)
        .order_by(Device.device_id)
        .limit(limit)
    )
    for column, wanted in ((Device.status, status), (Device.source, source), (Device.site_id, site_id)):
        if wanted:
            statement = statement.where(column == wanted)
    if health:
        statement = statement.where(spell.state == health)
    if query:
        pattern = f"%{query}%"
        statement = statement.where(
            or_(Device.device_id.ilike(pattern), Device.name.ilike(pattern), Site.name.ilike(pattern))
        )
    return [_summary(*row) for row in session.execute(statement)]


def _summary(row: Device, site_name: str | None, spell: DeviceHealth | None) -> DeviceSummary:
    return DeviceSummary(
        device=device_config(row),
        site_name=site_name or "",
        health=spell.state if spell else "unknown",
        health_reason=spell.reason if spell else "",
        health_since=spell.since if spell else None,
        first_seen_at=row.first_seen_at,
        accepted_by=row.accepted_by,
        accepted_at=row.accepted_at,
    )


def show_device(session: Session, device_id: str) -> DeviceSummary:
    """One device; :class:`NotFound`."""
    spell = aliased(DeviceHealth, _newest_health())
    row = session.execute(
        select(Device, Site.name, spell)
        .outerjoin(Site, Site.site_id == Device.site_id)
        .outerjoin(spell, spell.device_id == Device.device_id)
        .where(Device.device_id == device_id)
    ).first()
    if row is None:
        raise NotFound(what="device", key=device_id)
    return _summary(*row)


def set_status(session: Session, device_id: str, status: Status, actor_id: str, now: datetime) -> DeviceConfig:
    """Accept, quarantine or disable a device; the registry's bucket follows within seconds.  :class:`NotFound`."""
    row = session.get(Device, device_id, with_for_update=True)
    if row is None:
        raise NotFound(what="device", key=device_id)
    if row.status != status:
        row.status = status
        row.revision += 1
        if status == "accepted":
            row.accepted_by, row.accepted_at = actor_id, now
    session.flush()
    return device_config(row)


def set_credential(session: Session, device_id: str, token_sha256: str | None) -> DeviceConfig:
    """Give a device a credential of its own (the SHA-256 of its secret), or take it away.  :class:`NotFound`."""
    row = session.get(Device, device_id, with_for_update=True)
    if row is None:
        raise NotFound(what="device", key=device_id)
    attributes = {name: value for name, value in row.attributes.items() if name != "token_sha256"}
    row.attributes = attributes | ({"token_sha256": token_sha256} if token_sha256 else {})
    row.revision += 1
    session.flush()
    return device_config(row)


def place_device(
    session: Session,
    device_id: str,
    *,
    name: str | None = None,
    site_id: str | None = None,
    department_id: str | None = None,
) -> DeviceConfig:
    """Give a device a name, a site, a department; ``None`` leaves as it is.

    :class:`NotFound`, :class:`InputInvalid`.
    """
    row = session.get(Device, device_id, with_for_update=True)
    if row is None:
        raise NotFound(what="device", key=device_id)
    if site_id is not None:
        if session.get(Site, site_id) is None:
            raise InputInvalid(field="site_id", detail=f"there is no site {site_id!r}", how="use an existing site's id")
        row.site_id = site_id
    if name is not None:
        row.name = name
    if department_id is not None:
        row.department_id = department_id
    row.revision += 1
    session.flush()
    return device_config(row)


# health ----------------------------------------------------------------------
def record_health(session: Session, observations: Sequence[Observation]) -> int:
    """Write what ``device_health`` observations say into the history; a repeat changes nothing.  Rows written."""
    rows = [
        {
            "device_id": o.source_id,
            "since": o.observed_at,
            "state": str(o.attributes.get("state", "unknown"))[:16],
            "reason": str(o.attributes.get("reason", ""))[:200],
        }
        for o in observations
        if o.kind == "device_health"
    ]
    if not rows:
        return 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(DeviceHealth).on_conflict_do_nothing(index_elements=["device_id", "since"])
    session.execute(statement, rows)
    return len(rows)


def health_history(session: Session, device_id: str, limit: int = 100) -> list[HealthSpell]:
    """The device's health, newest first."""
    rows = session.scalars(
        select(DeviceHealth).where(DeviceHealth.device_id == device_id).order_by(DeviceHealth.since.desc()).limit(limit)
    )
    return [HealthSpell(state=r.state, reason=r.reason, since=r.since) for r in rows]


# commands --------------------------------------------------------------------
def log_command(session: Session, command: DeviceCommand) -> None:
    """Note that ``command`` is being sent, before it is."""
    session.add(
        DeviceCommandLog(
            command_id=command.command_id,
            device_id=command.device_id,
            name=command.name,
            params=command.params,
            requested_by=command.requested_by,
            requested_at=command.requested_at,
        )
    )


def finish_command(session: Session, result: DeviceCommandResult) -> None:
    """Note what came of a command; :class:`NotFound`."""
    row = session.get(DeviceCommandLog, result.command_id)
    if row is None:
        raise NotFound(what="command", key=result.command_id)
    row.ok, row.detail, row.data, row.finished_at = result.ok, result.detail, result.data, result.finished_at


def commands_of(session: Session, device_id: str, limit: int = 50) -> list[CommandEntry]:
    """The device's commands, newest first."""
    rows = session.scalars(
        select(DeviceCommandLog)
        .where(DeviceCommandLog.device_id == device_id)
        .order_by(DeviceCommandLog.requested_at.desc())
        .limit(limit)
    )
    return [
        CommandEntry(
            command_id=r.command_id,
            device_id=r.device_id,
            name=r.name,
            requested_by=r.requested_by,
            requested_at=r.requested_at,
            params=r.params,
            finished_at=r.finished_at,
            ok=r.ok,
            detail=r.detail,
            data=r.data,
        )
        for r in rows
    ]
