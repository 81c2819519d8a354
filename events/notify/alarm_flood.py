"""Alarm-flood control: what is new reaches the operators at a rate that people can bear, and nothing is left out.

Target (EEMUA 191): at most one new alarm per operator per ten minutes on average.  New cases wait in a queue that is
the case table itself; when one of the operators on duty was told nothing for ten minutes, *everything* that waits is
told to that one in one notice, grouped by what it is, the most severe first (an empty roster: to the role).  A red case
goes to all of them and waits ``RED_WAIT_S`` at most, twice as long after each notice of the last ten minutes: the first
one rings at once, a hundred are a handful of notices.  The list and the map show everything at once all the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from core.clock import Clock
from events.correlation.rule_memory import BatchMemory
from events.dispatching.duty_roster import on_duty
from events.notify.notices import NoticeDraft, write_notices
from storage.session import session_scope
from storage.tables.cases import Case

POLL_S = 5.0
WINDOW_S = 600.0
RED_WAIT_S = 15.0
GATHER_S = 10.0  # cases that come within this time of one another are told together
RED_WAIT_MAX_S = 240.0
LATE_COMMIT_S = 2.0  # a case stamped before another may be committed after it: so young ones are left for the next look
MAX_LISTED = 20
STATE = ("@alarms", "operators")
COMMAND_CENTRE = "dept-command"
ROLE = ""  # in the memory: everybody who holds the role, while nobody stands on the roster


@dataclass(frozen=True)
class Waiting:
    """A new case nobody was told of."""

    case_id: str
    number: str
    title: str
    kind: str
    severity: int
    opened_at: datetime
    parent_case_id: str | None


def may_tell(sent: Sequence[float], now: float, waiting: Sequence[Waiting], now_at: datetime) -> bool:
    """Whether an operator is told now.  ``sent``: times of the notices this operator had (unix s)."""
    if not waiting:
        return False
    had = sum(t > now - WINDOW_S for t in sent)
    red_wait_s = min(RED_WAIT_S * 2**had, RED_WAIT_MAX_S)
    if any(w.severity >= 4 and (now_at - w.opened_at).total_seconds() >= red_wait_s for w in waiting):
        return True
    return not had and max((now_at - w.opened_at).total_seconds() for w in waiting) >= GATHER_S


def grouped(waiting: Sequence[Waiting]) -> tuple[str, str]:
    """Title and body of one notice for all of ``waiting``: one case by its title, several by what they are."""
    ordered = sorted(waiting, key=lambda w: (-w.severity, w.opened_at))
    if len(ordered) == 1:
        return f"新案件 / New case: {ordered[0].title}", f"{ordered[0].number} {ordered[0].title}"
    kinds = Counter(_what(w.title) for w in ordered)
    parts = "，".join(f"{kind}×{count}" for kind, count in kinds.most_common(6))
    lines = [f"{w.number} {w.title}" for w in ordered[:MAX_LISTED]]
    if len(ordered) > MAX_LISTED:
        lines.append(f"… {len(ordered) - MAX_LISTED} 起 / more")
    return f"{len(ordered)} 起新案件 / new cases: {parts}", "\n".join(lines)


class AlarmControl:
    """Tells the operators of new cases."""

    def __init__(self, engine: Engine, clock: Clock, channels: Sequence[str] = ("in_app",)) -> None:
        self._engine = engine
        self._clock = clock
        self._channels = tuple(channels)

    async def run(self) -> None:
        """Control for ever."""
        while True:
            await asyncio.to_thread(self.sweep)
            await asyncio.sleep(POLL_S)

    def sweep(self) -> int:
        """Tell what may be told now; how many cases that were.  Notice and memory are one transaction."""
        now = self._clock.now()
        with session_scope(self._engine) as session:
            memory = BatchMemory(session)
            state = dict(memory.recall(*STATE))
            since = datetime.fromisoformat(state["upto"]) if "upto" in state else now - timedelta(hours=1)
            waiting = _waiting(session, since, now - timedelta(seconds=LATE_COMMIT_S))
            sent = _recent(state.get("sent", {}), now)
            operators = [person.user_id for person in on_duty(session, COMMAND_CENTRE, now)] or [ROLE]
            turn = min(operators, key=lambda user_id: (len(sent.get(user_id, ())), sent.get(user_id, [0.0])[-1]))
            if not may_tell(sent.get(turn, ()), now.timestamp(), waiting, now):
                return 0
            everybody = waiting_worst(waiting).severity >= 4
            number = int(state.get("number", 0)) + 1
            self._tell(session, waiting, number, None if everybody or turn == ROLE else turn, now)
            for user_id in operators if everybody else [turn]:
                sent.setdefault(user_id, []).append(now.timestamp())
            upto = max(w.opened_at for w in waiting)
            memory.remember(*STATE, {"upto": upto.isoformat(), "sent": sent, "number": number})
            memory.write_back(now)
            return len(waiting)

    def _tell(
        self, session: Session, waiting: Sequence[Waiting], number: int, user_id: str | None, now: datetime
    ) -> None:
        title, body = grouped(waiting)
        worst = waiting_worst(waiting)
        draft = NoticeDraft(
            key=f"alarms:{number}",
            kind="new_case" if len(waiting) == 1 else "new_cases",
            title=title,
            body=body,
            case_id=worst.case_id,
            user_id=user_id,
            role="operator",
            severity=worst.severity,
        )
        write_notices(session, [draft], self._channels, now)


def waiting_worst(waiting: Sequence[Waiting]) -> Waiting:
    """The gravest of ``waiting``, the oldest of several."""
    return min(waiting, key=lambda w: (-w.severity, w.opened_at))


def _what(title: str) -> str:
    """What happened, without the place before it and the measured value behind it."""
    words = [word for word in title.split(" ")[1:] if not any(c.isdigit() for c in word) and not word.isascii()]
    return " ".join(words) or title


def _recent(sent: object, now: datetime) -> dict[str, list[float]]:
    """Times of notices in the window by operator; a memory of an older version counts for the role."""
    by_user = sent if isinstance(sent, dict) else {ROLE: sent if isinstance(sent, list) else []}
    since = now.timestamp() - WINDOW_S
    kept = {str(user): [float(t) for t in times if float(t) > since] for user, times in by_user.items()}
    return {user: times for user, times in kept.items() if times}


def _waiting(session: Session, since: datetime, until: datetime) -> list[Waiting]:
    """Cases opened after ``since``; our own broken equipment is the technicians' matter, not the operators'."""
    rows = session.scalars(
        select(Case)
        .where(
            Case.opened_at > since,
            Case.opened_at <= until,
            Case.confidential.is_(False),
            Case.merged_into_id.is_(None),
            or_(Case.happening_key.is_(None), ~Case.happening_key.like("equipment@%")),
        )
        .order_by(Case.opened_at)
        .limit(2000)
    )
    return [
        Waiting(
            case_id=row.case_id,
            number=row.number,
            title=row.title,
            kind=row.kind,
            severity=row.severity,
            opened_at=row.opened_at,
            parent_case_id=row.parent_case_id,
        )
        for row in rows
    ]
