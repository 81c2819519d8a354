"""Which CAP messages a case gives: an Alert when it is opened, an Update when something is told, at last a Cancel.

Until something is told the message stays the same, identifier and all: whoever asks twice gets one alert, not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.records import Record

TELLING = frozenset(
    {
        "verify", "confirm", "dispatch", "transfer", "escalate", "close", "force_close", "reopen", "cancel", "reject",
        "merge", "unmerge",
    }
)  # fmt: skip
CONFIRMING = frozenset({"accept", "verify", "confirm", "finish"})


class CapMove(Record, frozen=True):
    """A transition of the case."""

    seq: int
    command: str
    at: datetime
    to_state: str


class Message(Record, frozen=True):
    """One message: its number within the case, when it was sent, and what stood then."""

    seq: int
    sent: datetime
    state: str
    confirmed: bool = False


def course(opened_at: datetime, state: str, moves: Sequence[CapMove]) -> list[Message]:
    """The messages of a case in their order, the first of them the Alert (number 1).

    Moves made in the same moment as the opening belong to it.  ``state``: the case's, for one without moves.
    """
    found: list[Message] = []
    confirmed = False
    for move in moves:
        confirmed = confirmed or (move.command in CONFIRMING and move.at > opened_at)
        if move.at <= opened_at or not found:
            first = found[0].state if found and move.at > opened_at else move.to_state
            found[:1] = [Message(seq=1, sent=opened_at, state=first)]
        if move.at > opened_at and move.command in TELLING:
            found.append(Message(seq=move.seq, sent=move.at, state=move.to_state, confirmed=confirmed))
    return found or [Message(seq=1, sent=opened_at, state=state)]
