"""What goes out to one receiver: told, waiting, failed, given up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from events.runtime.outbox import OUTBOX, receiver_of
from storage.tables.cases import Outbox
from storage.tables.observations import DeadLetter

MOST = 100


def deliveries(session: Session, name: str) -> list[dict[str, Any]]:
    """The newest deliveries to the webhook or outgoing connection ``name``; ``state``: told, waiting, given_up."""
    receiver = receiver_of("webhook", {"subscriber": name})
    rows = session.scalars(
        select(Outbox)
        .where(Outbox.topic == "webhook", Outbox.body["subscriber"].as_string() == name)
        .order_by(Outbox.created_at.desc())
        .limit(MOST)
    )
    letters = session.scalars(
        select(DeadLetter)
        .where(DeadLetter.stream == OUTBOX, DeadLetter.subject == receiver, DeadLetter.resolved_at.is_(None))
        .order_by(DeadLetter.happened_at.desc())
        .limit(MOST)
    )
    given_up = [
        {"at": letter.happened_at, "state": "given_up", "attempts": letter.deliveries, "error": letter.error,
         "id": letter.dead_letter_id, "told": _told(None)}
        for letter in letters
    ]  # fmt: skip
    shown = [
        {"at": row.created_at, "state": "told" if row.sent_at else "waiting", "attempts": row.attempts,
         "error": "" if row.sent_at and not row.attempts else str(row.body.get("error") or ""), "id": row.outbox_id,
         "told": _told(row.body)}
        for row in rows
    ]  # fmt: skip
    return given_up + shown


def delivery_state(session: Session, name: str) -> dict[str, Any]:
    """``{"state": ok | failing, "error"}`` of a receiver by what it last took or did not; empty before the first."""
    mine = (Outbox.topic == "webhook", Outbox.body["subscriber"].as_string() == name)
    newest = select(Outbox).where(*mine).order_by(Outbox.created_at.desc()).limit(1)
    stuck = session.scalars(newest.where(Outbox.sent_at.is_(None), Outbox.attempts > 0)).first()
    if stuck is not None:
        return {"state": "failing", "error": str(stuck.body.get("error") or "")}
    told = session.scalars(newest.where(Outbox.sent_at.is_not(None))).first()
    receiver = receiver_of("webhook", {"subscriber": name})
    given_up = session.scalars(
        select(DeadLetter)
        .where(DeadLetter.stream == OUTBOX, DeadLetter.subject == receiver, DeadLetter.resolved_at.is_(None))
        .order_by(DeadLetter.happened_at.desc())
        .limit(1)
    ).first()
    if given_up is not None and (told is None or told.created_at < given_up.happened_at):
        return {"state": "failing", "error": given_up.error}
    return {"state": "ok", "error": ""} if told is not None else {}


def _told(body: dict[str, Any] | None) -> Any:
    """The body that was sent, or the event of a webhook."""
    return None if body is None else body.get("payload") or (body.get("event") or {}).get("subject")
