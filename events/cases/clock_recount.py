"""When the calendar changed, count the running clocks again — and say so in each case's history.

A year's holiday notice appears in November; a deadline counted before it carries a warning.  A district may also
change its working hours.  Clocks that have stopped keep what they were held to.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.legal_time.calendar import WorkCalendar
from core.records import SYSTEM
from events.cases.clocks import Clocks, derive
from events.cases.definition_store import definition_of
from events.cases.service import CaseService
from events.cases.state import clocks_of, parts_of
from events.evidence import audit_log
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry, Case, CaseClock

ACTION = "calendar"
WATCH_S = 3.0


def fingerprint(calendars: Mapping[str, WorkCalendar]) -> str:
    """What the calendars say, as one hash."""
    plain = {
        name: [
            c.timezone,
            [list(p) for p in c.periods],
            *(sorted(days) for days in (c.weekend, c.holidays, c.workdays, c.published)),
        ]
        for name, c in calendars.items()
    }
    return hashlib.sha256(audit_log.canonical(plain)).hexdigest()


def recount(engine: Engine, service: CaseService) -> int:
    """Count running clocks again if the calendars are not those of the last time; how many cases changed."""
    now_is = fingerprint(service.calendars)
    with read_scope(engine) as session:
        if _last(session) == now_is:
            return 0
        changed = [case_id for case_id in _running(session) if _differs(session, service, case_id)]
    for case_id in changed:
        with session_scope(engine) as session:
            _recount_one(session, service, case_id)
    with session_scope(engine) as session:
        body = {"fingerprint": now_is, "recounted": len(changed)}
        audit_log.append(session, audit_log.SYSTEM_CHAIN, service.clock.now(), SYSTEM.user_id, ACTION, body)
    return len(changed)


class CalendarWatch:
    """Counts running clocks again whenever other calendars come into force; one process of all does it.

    ``broken``: is a calendar's file broken now?  Then nothing is counted: a process that starts beside one does not
    know what stood before.
    """

    def __init__(self, engine: Engine, service: CaseService, broken: Callable[[], bool] = lambda: False) -> None:
        self._engine, self._service, self._broken, self._seen = engine, service, broken, ""

    def look(self) -> int:
        """How many cases changed."""
        now_is = fingerprint(self._service.calendars)
        if now_is == self._seen or self._broken():
            return 0
        changed = recount(self._engine, self._service)
        self._seen = now_is
        return changed

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(WATCH_S)


def _last(session: Session) -> str | None:
    body = session.scalar(
        select(AuditEntry.body)
        .where(AuditEntry.chain_id == audit_log.SYSTEM_CHAIN, AuditEntry.action == ACTION)
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    )
    return None if body is None else str(body.get("fingerprint"))


def _running(session: Session) -> list[str]:
    query = select(CaseClock.case_id).where(CaseClock.stopped_at.is_(None)).distinct()
    return list(session.scalars(query.order_by(CaseClock.case_id)))


def _differs(session: Session, service: CaseService, case_id: str) -> bool:
    rows = [row for row in clocks_of(session, case_id) if row.stopped_at is None]
    found = any(row.deadline_at != derive(row, service.calendars).at for row in rows)
    session.expunge_all()
    return found


def _recount_one(session: Session, service: CaseService, case_id: str) -> None:
    case = session.get(Case, case_id, with_for_update=True)
    if case is None:
        return
    parts, rows = parts_of(session, case_id), clocks_of(session, case_id)
    before = {row.kind: row.deadline_at for row in rows if row.stopped_at is None}
    clocks = Clocks(session, case, definition_of(session, case, service.definitions), service.calendars, rows, parts)
    clocks.recount()
    moved = {
        kind: [audit_log.stamp(at) if at else None for at in (before[kind], after)]
        for kind, after in clocks.deadlines().items()
        if after != before[kind]
    }
    service.note(session, case, SYSTEM, "recount", {"deadlines": moved, "because": "the calendar changed"})
