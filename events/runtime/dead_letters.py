"""Messages that could not be processed: kept where an administrator sees them, with the reason."""

from __future__ import annotations

from datetime import datetime

from nats.aio.msg import Msg
from sqlalchemy import Engine

from core.ids import derived_id
from events.correlation.rule_memory import insert_into
from storage.session import session_scope
from storage.tables.observations import DeadLetter

MAX_PAYLOAD = 64 * 1024


def put_aside(
    engine: Engine, stream: str, message: Msg, payload: bytes, error: Exception, tries: int, now: datetime
) -> None:
    """Write ``payload`` (of ``message``) to ``dead_letter``; the same one twice is one row."""
    shown = payload[:MAX_PAYLOAD].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    sequence = message.metadata.sequence.stream
    with session_scope(engine) as session:
        session.execute(
            insert_into(session, DeadLetter).on_conflict_do_nothing(index_elements=["dead_letter_id"]),
            {
                "dead_letter_id": derived_id(stream, sequence, payload),
                "stream": stream,
                "subject": message.subject[:250],
                "payload": shown,
                "error": f"{type(error).__name__}: {error}"[:2000],
                "deliveries": max(tries, message.metadata.num_delivered),
                "happened_at": now,
            },
        )
