"""What goes out: each receiver of notices and webhooks with what waits for it, and its last deliveries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import SettingsError
from dashboard.api.deps import must_be
from dashboard.auth import Principal
from dashboard.services import Services
from events.notify.configuration import read_configuration
from events.notify.webhooks import Subscriber, checked_subscribers, read_subscribers
from events.runtime.outbox import OUTBOX, receiver_of
from storage.session import read_scope
from storage.tables.cases import Outbox
from storage.tables.observations import DeadLetter

TO_A_RECEIVER = ("notice", "webhook")
LOOKED_AT = 5000  # waiting rows that are counted


def receivers(use: Services, who: Principal) -> list[dict[str, Any]]:
    """Each receiver of notices and of webhooks: what waits, since when, how often it failed, its last error."""
    must_be(who, "admin")
    names = [receiver_of("notice", {"channel": kind}) for kind in sorted(read_configuration(use.settings).channels)]
    names += [receiver_of("webhook", {"subscriber": name}) for name in sorted(read_subscribers(use.settings))]
    items = {name: _receiver(name) for name in names}
    now = use.clock.now()
    with read_scope(use.engine) as session:
        waiting = select(Outbox).where(Outbox.sent_at.is_(None), Outbox.topic.in_(TO_A_RECEIVER))
        for row in session.scalars(waiting.order_by(Outbox.created_at).limit(LOOKED_AT)):
            name = receiver_of(row.topic, row.body)
            entry = items.setdefault(name, _receiver(name))
            entry["waiting" if row.created_at <= now else "held"] += 1  # held: until the quiet hours are over
            entry["oldest"] = entry["oldest"] or row.created_at
            entry["attempts"] = max(entry["attempts"], row.attempts)
            entry["error"] = row.body.get("error") or entry["error"]
        for name, count in _given_up(session):
            items.setdefault(name, _receiver(name))["given_up"] = count
        for topic in TO_A_RECEIVER:
            to = func.coalesce(Outbox.body["channel"].as_string(), Outbox.body["subscriber"].as_string(), "")
            done = select(to, func.max(Outbox.sent_at)).where(Outbox.topic == topic, Outbox.sent_at.is_not(None))
            for to_name, sent_at in session.execute(done.group_by(to)):
                items.setdefault(f"{topic}:{to_name}", _receiver(f"{topic}:{to_name}"))["last_at"] = sent_at
    return list(items.values())


def wrong_settings(use: Services, who: Principal) -> list[SettingsError]:
    """What was left out of ``notify.json`` and ``webhooks.json``."""
    must_be(who, "admin")
    return [*read_configuration(use.settings).problems, *checked_subscribers(use.settings)[1]]


def deliveries(use: Services, who: Principal, receiver: str, limit: int = 30) -> list[dict[str, Any]]:
    """The newest deliveries to one receiver: ``{"created_at", "sent_at", "attempts", "error", "body"}``."""
    must_be(who, "admin")
    topic, _, to = receiver.partition(":")
    named = func.coalesce(Outbox.body["channel"].as_string(), Outbox.body["subscriber"].as_string(), "")
    query = select(Outbox).where(Outbox.topic == topic, named == to).order_by(Outbox.created_at.desc()).limit(limit)
    with read_scope(use.engine) as session:
        return [
            {"created_at": o.created_at, "sent_at": o.sent_at, "attempts": o.attempts,
             "error": str(o.body.get("error") or ""), "body": o.body}
            for o in session.scalars(query)
        ]  # fmt: skip


def subscribers(use: Services, who: Principal) -> dict[str, Subscriber]:
    """The subscribers of webhooks by name; their secrets are for the worker alone."""
    must_be(who, "admin")
    return read_subscribers(use.settings)


def _receiver(name: str) -> dict[str, Any]:
    topic, _, to = name.partition(":")
    return {"receiver": name, "topic": topic, "name": to, "waiting": 0, "held": 0, "attempts": 0, "given_up": 0,
            "oldest": None, "last_at": None, "error": ""}  # fmt: skip


def _given_up(session: Session) -> list[tuple[str, int]]:
    query = (
        select(DeadLetter.subject, func.count())
        .where(DeadLetter.stream == OUTBOX, DeadLetter.resolved_at.is_(None))
        .group_by(DeadLetter.subject)
    )
    return [(str(subject), int(count)) for subject, count in session.execute(query)]
