"""What goes out: each receiver of notices and events with what waits for it, and what was given up sent again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from fastapi import APIRouter, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import Observation, Reading
from dashboard.answers.office import ChannelStates
from dashboard.api.deps import Done, Use, Who, allow, answers, audit, respond
from dashboard.services import Services
from events.notify.channel import quiet_hours, switched_on
from events.notify.webhooks import read_subscribers
from events.runtime.outbox import OUTBOX, receiver_of
from storage.session import read_scope, session_scope
from storage.tables.cases import Outbox
from storage.tables.observations import DeadLetter

router = APIRouter(tags=["interfaces"])

TO_A_RECEIVER = ("notice", "webhook")
LOOKED_AT = 5000  # waiting rows that are counted


@router.get("/api/channels", dependencies=[allow("admin")], **answers(ChannelStates))
def channels(use: Use) -> Response:
    """Each receiver of notices and of webhooks: what waits, since when, how often it failed, its last error."""
    names = [receiver_of("notice", {"channel": kind}) for kind in switched_on(use.settings)]
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
    return respond({"items": list(items.values()), "quiet_hours": quiet_hours(use.settings), "next": None})


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


@router.post("/api/dead-letters/{dead_letter_id}/redeliver", dependencies=[allow("admin")], **answers(Done))
async def redeliver(dead_letter_id: str, use: Use, who: Who) -> Response:
    """Send a dead letter again, after what it failed on was mended; it counts as settled then."""
    letter = await asyncio.to_thread(_letter, use, dead_letter_id)
    if letter.stream != OUTBOX:
        await _publish(use, letter)
    await asyncio.to_thread(_settle, use, who, letter)
    return respond({"ok": True})


def _letter(use: Services, dead_letter_id: str) -> DeadLetter:
    with read_scope(use.engine) as session:
        row = session.get(DeadLetter, dead_letter_id)
        if row is None:
            raise NotFound(what="dead letter", key=dead_letter_id)
        if row.resolved_at is not None:
            raise InputInvalid(field="dead_letter_id", detail="is settled already", how="look at the list again")
        session.expunge(row)
        return row


async def _publish(use: Services, letter: DeadLetter) -> None:
    """Put the message onto its stream again, when it is one that the worker could read at all."""
    bus = use.hub.bus
    if bus is None:
        raise InputInvalid(field="bus", detail="does not answer", how="try again in a minute")
    kinds: dict[str, type[Observation] | type[Reading]] = {"OBS": Observation, "READ": Reading}
    kind = kinds.get(letter.stream)
    try:
        if kind is None:
            raise ValueError(f"nothing can be sent to {letter.stream}")
        record = msgspec.json.decode(letter.payload.encode(), type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        how = "it cannot be read as it is: settle it, and mend the sender"
        raise InputInvalid(field="payload", detail=str(error), how=how) from error
    if isinstance(record, Observation):
        await bus.publish(bus.observation_subject(record), record, new_id())
    else:
        await bus.publish(bus.reading_subject(record), record, new_id())


def _settle(use: Services, who: Any, letter: DeadLetter) -> None:
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(DeadLetter, letter.dead_letter_id, with_for_update=True)
        if row is None or row.resolved_at is not None:
            return
        if letter.stream == OUTBOX:
            topic = letter.subject.partition(":")[0]
            body = json.loads(letter.payload)
            session.add(Outbox(outbox_id=new_id(), topic=topic, body=body, created_at=now, attempts=0))
        row.resolved_at, row.resolved_by = now, who.actor.user_id
        audit(session, use, who, "dead_letter_redeliver", {"dead_letter_id": letter.dead_letter_id})
