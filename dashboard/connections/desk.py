"""Connections: the list, one with its versions, a change as a new version, secrets (written, never read), keys."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core import plugins
from core.errors import InputInvalid, NotFound, YiwangError
from core.exchange import ConnectionConfig, seal_secrets
from core.sealing import Seal
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.connections.deliveries import deliveries, delivery_state
from dashboard.services import Services
from ingest.connections.mapped import mapping_of
from storage.connections import connection_config
from storage.session import read_scope, session_scope
from storage.tables.exchange import Connection, ConnectionVersion, ExchangeOrder
from storage.tables.people import User

_ID = re.compile(r"[a-z][a-z0-9-]{1,39}\Z")
MOST_SECRET = 8000
KEY_BYTES = 32


class NewConnection(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/connections``: its id (also the address of a push), name and kind."""

    connection_id: str
    name: str
    kind: str


class Version(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/connections/{id}``: the whole new version.  ``account``: whose rights its orders have."""

    params: dict[str, Any]
    mapping: dict[str, Any] = {}
    interval_s: float = 60.0
    name: str = ""
    account: str = ""
    department_id: str = ""
    note: str = ""
    before: int | None = None


class Secrets(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/connections/{id}/secrets``: name → value; an empty value takes one away."""

    values: dict[str, str]


def kinds(language: str) -> list[dict[str, Any]]:
    """Every kind of connection: title, help, direction, its parameters (JSON Schema, with names) and secrets."""
    found = []
    for kind in plugins.usable("connection"):
        said = plugins.about("connection", kind)
        names = {name: getattr(words, language) for name, words in said.params.items()}
        found.append(
            {"kind": kind, "title": getattr(said, language), "help": getattr(said.help, language),
             "direction": said.direction, "transport": said.transport, "interval_s": said.interval_s,
             "secrets": list(said.secrets), "names": names,
             "params": msgspec.json.schema(plugins.load("connection", kind).Params)}
        )  # fmt: skip
    return found


def connection_list(use: Services, who: Principal) -> list[dict[str, Any]]:
    """Every connection with what it last did."""
    must_be(who, "admin")
    with read_scope(use.engine) as session:
        rows = [_shown(row) for row in session.scalars(select(Connection).order_by(Connection.connection_id))]
        query = (
            select(ExchangeOrder.connection_id, ExchangeOrder.state, func.count())
            .group_by(ExchangeOrder.connection_id, ExchangeOrder.state)
        )  # fmt: skip
        orders = {(c, state): int(n) for c, state, n in session.execute(query)}
        for row in rows:
            row["live"] = delivery_state(session, row["connection_id"]) if row["direction"] == "out" else {}
    for row in rows:
        row["orders_refused"] = orders.get((row["connection_id"], "refused"), 0)
        row["orders_taken"] = orders.get((row["connection_id"], "taken"), 0)
    return rows


def connection(use: Services, who: Principal, connection_id: str) -> dict[str, Any]:
    """One connection: its version in force, all versions, the orders that were refused."""
    must_be(who, "admin")
    with read_scope(use.engine) as session:
        row = _row(session, connection_id)
        versions: list[dict[str, Any]] = [
            {"version": v.version, "body": v.body, "note": v.note, "saved_at": v.saved_at, "saved_by": v.saved_by}
            for v in session.scalars(
                select(ConnectionVersion)
                .where(ConnectionVersion.connection_id == connection_id)
                .order_by(ConnectionVersion.version.desc())
                .limit(50)
            )
        ]
        refused = [
            {"number": o.number, "error": o.error, "body": o.body, "received_at": o.received_at, "case_id": o.case_id}
            for o in session.scalars(
                select(ExchangeOrder)
                .where(ExchangeOrder.connection_id == connection_id, ExchangeOrder.error != "")
                .order_by(ExchangeOrder.received_at.desc())
                .limit(100)
            )
        ]
        current: dict[str, Any] = next((v["body"] for v in versions if v["version"] == row.version), {})
        out = row.direction == "out"
        told, live = (deliveries(session, connection_id), delivery_state(session, connection_id)) if out else ([], {})
        shown = {"versions": versions, "orders_with_errors": refused, "deliveries": told, "live": live}
        return {**_shown(row), **current, **shown}


def config_of(use: Services, connection_id: str, version: Version | None = None) -> ConnectionConfig:
    """The connection as its carrier knows it, perhaps with a version that is not saved yet (for a trial)."""
    with read_scope(use.engine) as session:
        row = _row(session, connection_id)
        if version is not None:
            body = {"params": version.params, "mapping": version.mapping, "interval_s": version.interval_s}
            return connection_config(row, body)
        found = session.get(ConnectionVersion, (connection_id, row.version))
        return connection_config(row, found.body if found is not None else {})


def make(use: Services, who: Principal, sent: NewConnection) -> dict[str, Any]:
    """A new connection, switched off and without a version."""
    must_be(who, "admin")
    if not _ID.fullmatch(sent.connection_id):
        how = "use a-z, 0-9 and -, 2 to 40 characters, beginning with a letter"
        raise InputInvalid(field="connection_id", detail=f"{sent.connection_id[:60]!r} is no such name", how=how)
    said = plugins.about("connection", sent.kind)
    if not 0 < len(sent.name.strip()) <= 120:
        raise InputInvalid(field="name", detail="is empty or too long", how="name the sender")
    with session_scope(use.engine) as session:
        if session.get(Connection, sent.connection_id) is not None:
            raise InputInvalid(field="connection_id", detail=f"{sent.connection_id!r} is taken", how="choose another")
        row = Connection(
            connection_id=sent.connection_id, name=sent.name.strip(), kind=sent.kind, version=0, revision=1,
            direction=said.direction or "in", enabled=False, updated_at=use.clock.now(),
            updated_by=who.actor.user_id, secret_names=[], key_sha256="", account="", department_id="",
        )  # fmt: skip
        session.add(row)
        audit(session, use, who, "connection_create", msgspec.to_builtins(sent))
        return _shown(row)


def save(use: Services, who: Principal, connection_id: str, sent: Version) -> dict[str, Any]:
    """A new version, in force within seconds; what does not fit is refused with its field."""
    must_be(who, "admin")
    if not 1 <= sent.interval_s <= 7 * 86400:
        raise InputInvalid(field="interval_s", detail="is not between 1 second and 7 days", how="correct it")
    with session_scope(use.engine) as session:
        row = _row(session, connection_id, lock=True)
        if sent.before is not None and sent.before != row.version:
            raise InputInvalid(field="before", detail=f"version {row.version} was saved meanwhile", how="load it again")
        check(row, sent)
        if sent.account and session.get(User, sent.account) is None:
            raise NotFound(what="user", key=sent.account)
        body = {"params": sent.params, "mapping": sent.mapping, "interval_s": sent.interval_s}
        row.version = 1 + (session.scalar(
            select(func.max(ConnectionVersion.version)).where(ConnectionVersion.connection_id == connection_id)
        ) or 0)  # fmt: skip
        session.add(
            ConnectionVersion(connection_id=connection_id, version=row.version, body=body, note=sent.note[:200],
                              saved_at=use.clock.now(), saved_by=who.actor.user_id)
        )  # fmt: skip
        row.name, row.account = sent.name.strip()[:120] or row.name, sent.account or row.account
        row.department_id = sent.department_id or row.department_id
        _touch(use, who, row)
        audit(session, use, who, "connection_save", {"connection_id": connection_id, "version": row.version})
        return {**_shown(row), **body}


def check(row: Connection, sent: Version) -> None:
    """Parameters and mapping must be usable: ``PluginParamsInvalid``, ``MappingInvalid``."""
    plugins.parse_params("connection", row.kind, sent.params)
    if plugins.about("connection", row.kind).direction == "in":
        mapping_of(ConnectionConfig(connection_id=row.connection_id, kind=row.kind, mapping=sent.mapping))


def restore(use: Services, who: Principal, connection_id: str, version: int) -> dict[str, Any]:
    """An earlier version again, as a new one."""
    with read_scope(use.engine) as session:
        found = session.get(ConnectionVersion, (connection_id, version))
        if found is None:
            raise NotFound(what="version", key=f"{connection_id}/{version}")
        body = dict(found.body)
    sent = Version(params=body.get("params", {}), mapping=body.get("mapping", {}), interval_s=body["interval_s"],
                   note=f"← {version}")  # fmt: skip
    return save(use, who, connection_id, sent)


def switch(use: Services, who: Principal, connection_id: str, on: bool) -> dict[str, Any]:
    """Switch on (a version must have been saved) or off."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        row = _row(session, connection_id, lock=True)
        if on and not row.version:
            raise InputInvalid(field="version", detail="nothing was saved yet", how="fill in the form and save it")
        row.enabled = on
        _touch(use, who, row)
        audit(session, use, who, "connection_switch", {"connection_id": connection_id, "on": on})
        return _shown(row)


def keep_secrets(use: Services, who: Principal, connection_id: str, sent: Secrets) -> dict[str, Any]:
    """Keep secrets, encrypted; they are never shown again."""
    must_be(who, "admin")
    key = use.settings.records_key
    with session_scope(use.engine) as session:
        row = _row(session, connection_id, lock=True)
        known = plugins.about("connection", row.kind).secrets
        for name, value in sent.values.items():
            if name not in known:
                raise InputInvalid(field=name, detail="is no secret of this kind", how=f"use: {', '.join(known)}")
            if len(value) > MOST_SECRET:
                raise InputInvalid(field=name, detail=f"longer than {MOST_SECRET} characters", how="shorten it")
        values = _opened(row, key) | {n: v for n, v in sent.values.items() if v}
        values = {n: v for n, v in values.items() if sent.values.get(n) != ""}
        row.sealed = seal_secrets(connection_id, values, key) if values else None
        row.secret_names = sorted(values)
        _touch(use, who, row)
        names = sorted(sent.values)
        audit(session, use, who, "connection_secrets", {"connection_id": connection_id, "names": names})
        return _shown(row)


def _opened(row: Connection, key: str) -> dict[str, str]:
    try:
        return {n: str(v) for n, v in Seal(key).open(f"connection:{row.connection_id}", row.sealed).items()}
    except YiwangError:
        return {}  # sealed with a key that is gone: typed anew


def make_key(use: Services, who: Principal, connection_id: str) -> dict[str, Any]:
    """A key for a sender that calls us; it stands in the answer, this once, and the former one ends."""
    must_be(who, "admin")
    key = secrets.token_urlsafe(KEY_BYTES)
    with session_scope(use.engine) as session:
        row = _row(session, connection_id, lock=True)
        if plugins.about("connection", row.kind).transport != "push":
            raise InputInvalid(field="kind", detail=f"{row.kind} is not called by its sender", how="it needs no key")
        row.key_sha256 = hashlib.sha256(key.encode()).hexdigest()
        _touch(use, who, row)
        audit(session, use, who, "connection_key", {"connection_id": connection_id})
    return {"connection_id": connection_id, "key": key, "path": f"/push/{connection_id}"}


def revoke_key(use: Services, who: Principal, connection_id: str) -> dict[str, Any]:
    """End the key: calls with it are refused within seconds."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        row = _row(session, connection_id, lock=True)
        row.key_sha256 = ""
        _touch(use, who, row)
        audit(session, use, who, "connection_key_revoke", {"connection_id": connection_id})
        return _shown(row)


def remove(use: Services, who: Principal, connection_id: str) -> None:
    """Take a connection away with its versions; its orders and their cases stay."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        row = _row(session, connection_id, lock=True)
        session.execute(delete(ConnectionVersion).where(ConnectionVersion.connection_id == connection_id))
        session.delete(row)
        audit(session, use, who, "connection_remove", {"connection_id": connection_id})


def _touch(use: Services, who: Principal, row: Connection) -> None:
    row.revision += 1
    row.updated_at, row.updated_by = use.clock.now(), who.actor.user_id


def _row(session: Session, connection_id: str, *, lock: bool = False) -> Connection:
    row = session.get(Connection, connection_id, with_for_update=lock)
    if row is None:
        raise NotFound(what="connection", key=connection_id)
    return row


def _shown(row: Connection) -> dict[str, Any]:
    return {"connection_id": row.connection_id, "name": row.name, "kind": row.kind, "direction": row.direction,
            "enabled": row.enabled, "version": row.version, "secrets": list(row.secret_names or []),
            "has_key": bool(row.key_sha256), "account": row.account, "department_id": row.department_id,
            "updated_at": row.updated_at, "updated_by": row.updated_by}  # fmt: skip
