"""Entries to other platforms: who finds which, and the address that signs the person in there."""

from __future__ import annotations

from typing import Any

import msgspec

from core.errors import Forbidden, InputInvalid, NotFound, YiwangError
from core.exchange import ConnectionConfig
from dashboard.api.deps import audit
from dashboard.auth import Principal
from dashboard.services import Services
from ingest.connections import entry
from ingest.connections.contract import SecretMissing
from storage.connections import read_connections
from storage.session import read_scope, session_scope
from storage.tables.people import User


def entries(use: Services, who: Principal) -> list[dict[str, Any]]:
    """The entries that this person finds, by group: name, group, how one is signed in, where one goes."""
    found = []
    for config, params in _open(use):
        if not params.roles or who.has(*params.roles):
            title = params.title_en if who.language == "en" and params.title_en else config.name
            found.append({"entry_id": config.connection_id, "title": title, "group": params.group,
                          "sign_on": params.sign_on, "path": f"/entries/{config.connection_id}/go"})  # fmt: skip
    return sorted(found, key=lambda e: (e["group"], e["title"]))


def address(use: Services, who: Principal, entry_id: str) -> str:
    """Where the person goes now, with a fresh ticket where the entry has one; every going is in the audit chain."""
    config, params = next(((c, p) for c, p in _open(use) if c.connection_id == entry_id), (None, None))
    if config is None or params is None:
        raise NotFound(what="entry", key=entry_id)
    if params.roles and not who.has(*params.roles):
        raise Forbidden(action="use this entry")
    with session_scope(use.engine) as session:
        person = session.get(User, who.actor.user_id)
        told: dict[str, Any] = {
            "user_id": who.actor.user_id, "login": who.login, "name": person.name if person else "",
            "department_id": who.actor.department_id, "roles": sorted(who.actor.roles),
            "phone": person.phone if person else "",
        }  # fmt: skip
        audit(session, use, who, "entry", {"entry_id": entry_id})
    if params.sign_on == "oidc":
        return entry.address(params, login_hint=told["login"])
    if params.sign_on == "ticket":
        secret = config.secrets(use.settings.records_key).get("ticket_secret", "")
        if not secret:
            raise SecretMissing(secret="ticket_secret")  # noqa: S106 - its name
        if len(secret) < entry.LEAST_SECRET:
            how = f"type one of at least {entry.LEAST_SECRET} characters"
            raise InputInvalid(field="ticket_secret", detail="is too short to sign with", how=how)
        now = int(use.clock.now().timestamp())
        signed = entry.ticket(params, secret, use.settings.public_url, told, now)
        return entry.address(params, **{params.parameter: signed})
    return params.url


def _open(use: Services) -> list[tuple[ConnectionConfig, entry.Params]]:
    found = []
    with read_scope(use.engine) as session:
        configs = [c for c in read_connections(session, "link") if c.enabled and c.kind == "entry"]
    for config in configs:
        try:
            found.append((config, msgspec.convert(config.params, entry.Params)))
        except (msgspec.ValidationError, ValueError, YiwangError):  # it was checked when it was saved
            continue
    return found
