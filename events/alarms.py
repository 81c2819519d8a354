"""Alarm-flood control: what is new reaches the operators at a rate that people can bear, and nothing is left out.

Target (EEMUA 191): at most one new alarm per operator per ten minutes on average.  New cases wait in a queue that is
the case table itself; when the budget of the operators on duty allows, *everything* that waits is told in one notice,
grouped by kind, the most severe first.  A red case never waits longer than ``RED_WAIT_S``: it goes out with whatever
waits, and what it costs is taken from the budget to come.  The list and the map show everything at once all the same.
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
from events.duty import on_duty
from events.memory import BatchMemory
from events.notices import NoticeDraft, write_notices
from storage.session import session_scope
from storage.tables.cases import Case

POLL_S = 5.0
WINDOW_S = 600.0
RED_WAIT_S = 15.0
GATHER_S = 10.0  # cases that come within this time of one another are told together
MAX_LISTED = 20
STATE = ("@alarms", "operators")
COMMAND_CENTRE = "dept-command"


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


def may_tell(sent: Sequence[float], now: float, operators: int, waiting: Sequence[Waiting], now_at: datetime) -> bool:
    """Whether the operators are told now.  ``sent``: times of their notices (unix s)."""
    if not waiting:
        return False
    oldest = max((now_at - w.opened_at).total_seconds() for w in waiting)
    if any(w.severity >= 4 and (now_at - w.opened_at).total_seconds() >= RED_WAIT_S for w in waiting):
        return True
    if oldest < GATHER_S:
        return False
    return sum(t > now - WINDOW_S for t in sent) < max(1, operators)


def grouped(waiting: Sequence[Waiting]) -> tuple[str, str]:
    """Title and body of one notice for all of ``waiting``: one case by its title, several by kind and number."""
    ordered = sorted(waiting, key=lambda w: (-w.severity, w.opened_at))
    if len(ordered) == 1:
        return f"新案件 / New case: {ordered[0].title}", f"{ordered[0].number} {ordered[0].title}"
    kinds = Counter(w.kind or "other" for w in ordered)
    parts = ", ".join(f"{kind}×{count}" for kind, count in kinds.most_common(6))
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
            waiting = _waiting(session, since)
            sent = [float(t) for t in state.get("sent", []) if float(t) > now.timestamp() - WINDOW_S]
            if not may_tell(sent, now.timestamp(), operators_on_duty(session, now), waiting, now):
                return 0
            number = int(state.get("number", 0)) + 1
            self._tell(session, waiting, number, now)
            upto = max(w.opened_at for w in waiting)
            body = {"upto": upto.isoformat(), "sent": [*sent, now.timestamp()], "number": number}
            memory.remember(*STATE, body)
            memory.write_back(now)
            return len(waiting)

    def _tell(self, session: Session, waiting: Sequence[Waiting], number: int, now: datetime) -> None:
        title, body = grouped(waiting)
        worst = max(waiting, key=lambda w: w.severity)
        draft = NoticeDraft(
            key=f"alarms:{number}",
            kind="new_case" if len(waiting) == 1 else "new_cases",
            title=title,
            body=body,
            case_id=worst.case_id,
            role="operator",
            severity=worst.severity,
        )
        write_notices(session, [draft], self._channels, now)


def operators_on_duty(session: Session, now: datetime) -> int:
    """How many share the alarms: those on the command centre's roster now; one when it is empty."""
    return max(1, len(on_duty(session, COMMAND_CENTRE, now)))


def _waiting(session: Session, since: datetime) -> list[Waiting]:
    """Cases opened after ``since``; our own broken equipment is the technicians' matter, not the operators'."""
    rows = session.scalars(
        select(Case)
        .where(
            Case.opened_at > since,
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

