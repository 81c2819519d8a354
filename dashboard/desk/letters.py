"""Dead letters: messages that could not be processed, looked at and settled by administrators."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import Observation, Reading
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.services import Services
from events.runtime.outbox import OUTBOX
from storage.session import read_scope, session_scope
from storage.tables.cases import Outbox
from storage.tables.observations import DeadLetter

_SHOWN = ("dead_letter_id", "stream", "subject", "error", "deliveries", "happened_at", "resolved_at", "resolved_by")
MOST_PAYLOAD = 4000


def dead_letters(use: Services, who: Principal, *, resolved: bool, limit: int) -> list[dict[str, Any]]:
    """The settled ones, or those that wait, newest first; payloads are cut."""
    must_be(who, "admin")
    query = select(DeadLetter).order_by(DeadLetter.happened_at.desc())
    query = query.where(DeadLetter.resolved_at.is_not(None) if resolved else DeadLetter.resolved_at.is_(None))
    with read_scope(use.engine) as session:
        return [{n: getattr(d, n) for n in _SHOWN} | {"payload": d.payload[:MOST_PAYLOAD]}
                for d in session.scalars(query.limit(limit))]  # fmt: skip


def settle(use: Services, who: Principal, dead_letter_id: str) -> None:
    """Mark a dead letter as settled."""
    must_be(who, "admin")
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(DeadLetter, dead_letter_id)
        if row is None:
            raise NotFound(what="dead letter", key=dead_letter_id)
        row.resolved_at, row.resolved_by = now, who.actor.user_id
        audit(session, use, who, "dead_letter_resolve", {"dead_letter_id": dead_letter_id})


async def redeliver(use: Services, who: Principal, dead_letter_id: str) -> None:
    """Send a dead letter again, after what it failed on was mended; it counts as settled then."""
    must_be(who, "admin")
    letter = await asyncio.to_thread(_letter, use, dead_letter_id)
    if letter.stream != OUTBOX:
        await _publish(use, letter)
    await asyncio.to_thread(_settle, use, who, letter)


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


def _settle(use: Services, who: Principal, letter: DeadLetter) -> None:
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
