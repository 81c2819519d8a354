"""Deadlines: a notice before, at and after each, once each.

What is swept is a case's running deadline (``case_file.deadline_at``); the key of a notice holds case, deadline
and phase, so that a moved deadline gives new notices and a restart none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from core.clock import BEIJING, Clock
from core.records import Record
from events.notices import NoticeDraft, QuietHours, write_notices
from storage.session import read_scope, session_scope
from storage.tables.cases import Case

POLL_S = 5.0
BATCH = 500


class Phase(Record, frozen=True):
    """When a notice is due, relative to the deadline, and whom besides the lead department it goes to."""

    name: str
    offset_s: float
    heading: str
    role: str = ""


PHASES = (
    Phase(name="before_1h", offset_s=-3600, heading="1小时后到期 / Due in an hour"),
    Phase(name="before_15min", offset_s=-900, heading="15分钟后到期 / Due in 15 minutes"),
    Phase(name="at", offset_s=0, heading="已到期 / Due now", role="dispatcher"),
    Phase(name="after_1h", offset_s=3600, heading="超期1小时 / Overdue by an hour", role="dispatcher"),
    Phase(name="after_24h", offset_s=86400, heading="超期1天 / Overdue by a day", role="manager"),
)


class DeadlineSweep:
    """Writes the notices that are due."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        channels: Sequence[str] = ("in_app",),
        quiet: QuietHours | None = None,
    ) -> None:
        self._quiet = quiet
        self._engine = engine
        self._clock = clock
        self._channels = channels
        self._swept_to: datetime | None = None

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await asyncio.to_thread(self.sweep)
            await asyncio.sleep(POLL_S)

    def sweep(self) -> int:
        """Write what became due since the last sweep (at the first: the newest phase that is due); how many."""
        now = self._clock.now()
        due: dict[str, list[NoticeDraft]] = {}  # the newest phase alone: nobody wants "due in an hour" an hour late
        with read_scope(self._engine) as session:
            for phase in PHASES:
                due_at = now - timedelta(seconds=phase.offset_s)
                since = (self._swept_to or now - timedelta(days=1)) - timedelta(seconds=phase.offset_s + 2 * POLL_S)
                cases = session.scalars(
                    select(Case)
                    .where(Case.open.is_(True), Case.deadline_at > since, Case.deadline_at <= due_at)
                    .order_by(Case.deadline_at)
                    .limit(BATCH)
                )
                for case in cases:
                    due[case.case_id] = due_notices(case, phase)
        drafts = [draft for some in due.values() for draft in some]
        written = 0
        if drafts:
            with session_scope(self._engine) as session:
                written = len(write_notices(session, drafts, self._channels, now, self._quiet))
        self._swept_to = now
        return written


def due_notices(case: Case, phase: Phase) -> list[NoticeDraft]:
    """The notices of ``case`` in ``phase``: to the lead department (or the dispatchers), and to the phase's role."""
    assert case.deadline_at is not None
    key = f"{case.case_id}:{case.deadline_at.isoformat()}:{phase.name}"
    local = case.deadline_at.astimezone(BEIJING)
    title = f"{phase.heading}: {case.title}"
    body = f"{case.number} {case.title} {local:%m-%d %H:%M}"
    base = {"kind": f"deadline_{phase.name}"[:24], "title": title, "body": body, "case_id": case.case_id}
    drafts = []
    if case.department_id:
        drafts.append(
            NoticeDraft(
                key=f"{key}:lead",
                department_id=case.department_id,
                user_id=case.handler_id,
                severity=case.severity,
                **base,
            )
        )
    role = phase.role or ("" if case.department_id else "dispatcher")
    if role:
        drafts.append(NoticeDraft(key=f"{key}:{role}", role=role, severity=case.severity, **base))
    return drafts
