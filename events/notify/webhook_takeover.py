"""An older ``webhooks.json`` as outgoing connections, which are changed on the page and show their deliveries.

What waits for a receiver goes with it.  An address that connections may not call (a private network that
``YIWANG_CONNECTION_NETWORKS`` does not name) stays in the file and is told as before.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import datetime

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.bounds import Bounds
from core.errors import YiwangError
from core.exchange import seal_secrets
from core.network.outgoing import PushParams
from core.records import Record
from core.settings import Settings
from events.notify.webhooks import Subscriber, checked_subscribers
from storage.session import session_scope
from storage.tables.cases import Outbox
from storage.tables.exchange import Connection, ConnectionVersion


class WebhookTaken(Record, frozen=True):
    """A receiver: the connection that it became, or why it stayed in the file."""

    name: str
    connection_id: str = ""
    waiting: int = 0  # deliveries that went with it
    problem: str = ""


def take_over(engine: Engine, settings: Settings, now: datetime) -> list[WebhookTaken]:
    """Make a connection of every subscriber that can be one; the file keeps the others, or is renamed ``.taken``."""
    subscribers, wrong = checked_subscribers(settings)
    if wrong:
        raise wrong[0]  # the file is written anew below: what cannot be read would be lost
    found: list[WebhookTaken] = []
    for name, one in subscribers.items():
        try:
            asyncio.run(Bounds.parse(settings.connection_networks).url("url", one.url))
        except YiwangError as error:
            found.append(WebhookTaken(name=name, problem=str(error)))
            continue
        with session_scope(engine) as session:
            taken = _connection(session, one, settings, now)
            found.append(WebhookTaken(name=name, connection_id=taken, waiting=_move_waiting(session, name, taken)))
    if subscribers:
        _leave(settings, [subscribers[one.name] for one in found if one.problem])
    return found


def _connection(session: Session, one: Subscriber, settings: Settings, now: datetime) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-")[:30] or "webhook"
    name, number = slug, 2
    while session.get(Connection, name) is not None:
        name, number = f"{slug}-{number}", number + 1
    params = PushParams(
        url=one.url, commands=list(one.commands), classes=one.classes, departments=one.departments,
        min_severity=max(1, min(4, one.min_severity)), sign="yiwang",
    )  # fmt: skip
    body = {"params": msgspec.to_builtins(params), "mapping": {}, "interval_s": 60.0}
    secret = {"signing_secret": one.secret}
    session.add(
        Connection(
            connection_id=name,
            name=one.name,
            kind="push",
            direction="out",
            enabled=True,
            version=1,
            revision=1,
            sealed=seal_secrets(name, secret, settings.records_key),
            secret_names=list(secret),
            updated_at=now,
        )  # fmt: skip
    )
    session.flush()
    session.add(
        ConnectionVersion(
            connection_id=name, version=1, body=body, note="webhooks.json", saved_at=now, saved_by="system"
        )
    )
    return name


def _move_waiting(session: Session, subscriber: str, connection_id: str) -> int:
    waiting = session.scalars(
        select(Outbox).where(
            Outbox.topic == "webhook", Outbox.sent_at.is_(None), Outbox.body["subscriber"].as_string() == subscriber
        )
    ).all()
    for row in waiting:
        row.body = {"subscriber": connection_id, "connection": True, "payload": row.body.get("event")}
    return len(waiting)


def _leave(settings: Settings, rest: list[Subscriber]) -> None:
    path = settings.data_dir / "webhooks.json"
    if not rest:
        path.rename(path.with_suffix(".json.taken"))
        return
    text = json.dumps([msgspec.to_builtins(one) for one in rest], ensure_ascii=False, indent=1)
    beside = path.with_suffix(".json.new")
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
