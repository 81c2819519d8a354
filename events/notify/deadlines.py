"""Deadlines: a notice before, at and after each, once each.

What is swept is a case's running deadline (``case_file.deadline_at``).  The lead department (its person on duty) is
told of each case; the key of such a notice holds case, deadline and phase, so that a moved deadline gives new notices
and a restart none.  A role (dispatchers, managers) is told of the first at once and then at most once in
``ROLE_EVERY_S``, of everything since together: how far it was told is remembered in the transaction of the notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING, Clock
from core.records import Record
from events.cases.access import discreet_title
from events.correlation.rule_memory import BatchMemory
from events.notify.notices import NoticeDraft, QuietHours, write_notices
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, Notice

POLL_S = 5.0
BATCH = 500  # cases read at a time; every one is read
ROLE_EVERY_S = 600.0
MAX_LISTED = 20
STATE = "@deadlines"


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
ROLES = ("dispatcher", "manager")
Due = tuple[Case, Phase]


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
        since = self._swept_to or now - timedelta(days=1)
        with read_scope(self._engine) as session:
            due = _due(session, since, now)
            roles = _roles_due(session, now)
            drafts = [draft for case, phase in due.values() for draft in lead_notices(case, phase)]
            if self._swept_to is None:  # after a start most was told before
                drafts = _untold(session, drafts)
        written = 0
        if drafts or roles:
            with session_scope(self._engine) as session:
                written = len(write_notices(session, drafts, self._channels, now, self._quiet))
                written += sum(self._tell_role(session, role, some, now) for role, some in roles.items())
        self._swept_to = now
        return written

    def next_at(self, after: datetime, until: datetime) -> datetime | None:
        """The first instant later than ``after`` and before ``until`` at which something falls due."""
        with read_scope(self._engine) as session:
            moments = [(session.scalar(_next_deadline(phase, after, until)), phase.offset_s) for phase in PHASES]
        return min((moment + timedelta(seconds=s) for moment, s in moments if moment is not None), default=None)

    def _tell_role(self, session: Session, role: str, due: Sequence[Due], now: datetime) -> int:
        """One notice to ``role`` for all of ``due``, unless the role was told a moment ago; how many were written."""
        memory = BatchMemory(session)
        state = dict(memory.recall(STATE, role))
        told_at = datetime.fromisoformat(state["upto"]) if "upto" in state else None
        if told_at is not None and (now - told_at).total_seconds() < ROLE_EVERY_S:
            return 0
        draft = role_notice(role, due, now)
        memory.remember(STATE, role, {"upto": now.isoformat()})
        memory.write_back(now)
        return len(write_notices(session, [draft], self._channels, now, self._quiet))


def _next_deadline(phase: Phase, after: datetime, until: datetime) -> Select[datetime | None]:
    shift = timedelta(seconds=phase.offset_s)
    return select(func.min(Case.deadline_at)).where(
        Case.open.is_(True), Case.deadline_at > after - shift, Case.deadline_at < until - shift
    )


def _cases(session: Session, phase: Phase, since: datetime, now: datetime) -> Iterator[Case]:
    """Open cases for which ``phase`` came between ``since`` and ``now``."""
    low, high = since - timedelta(seconds=phase.offset_s), now - timedelta(seconds=phase.offset_s)
    query = (
        select(Case)
        .where(Case.open.is_(True), Case.deadline_at > low, Case.deadline_at <= high)
        .order_by(Case.deadline_at, Case.case_id)
    )
    yield from session.scalars(query.execution_options(yield_per=BATCH))


def _due(session: Session, since: datetime, now: datetime) -> dict[str, Due]:
    """What the departments are told now: of each case the newest phase alone.

    Nobody wants "due in an hour" an hour late.
    """
    due: dict[str, Due] = {}
    for phase in PHASES:
        for case in _cases(session, phase, since - timedelta(seconds=2 * POLL_S), now):
            due[case.case_id] = (case, phase)
    return due


def _untold(session: Session, drafts: Sequence[NoticeDraft]) -> list[NoticeDraft]:
    """Those of ``drafts`` whose key nobody used."""
    known: set[str] = set()
    for start in range(0, len(drafts), BATCH):
        keys = [draft.key for draft in drafts[start : start + BATCH]]
        known |= set(session.scalars(select(Notice.notice_key).where(Notice.notice_key.in_(keys))))
    return [draft for draft in drafts if draft.key not in known]


def _roles_due(session: Session, now: datetime) -> dict[str, list[Due]]:
    """What each role was not told yet, the newest phase of each case."""
    found: dict[str, dict[str, Due]] = {}
    memory = BatchMemory(session)
    for role in ROLES:
        state = memory.recall(STATE, role)
        since = datetime.fromisoformat(str(state["upto"])) if "upto" in state else now - timedelta(days=1)
        for phase in PHASES:
            if phase.role not in ("", role):
                continue
            for case in _cases(session, phase, since, now):
                if phase.role == role or (role == "dispatcher" and not case.department_id):
                    found.setdefault(role, {})[case.case_id] = (case, phase)
    return {role: sorted(some.values(), key=_gravest) for role, some in found.items()}


def _gravest(due: Due) -> tuple[int, datetime]:
    case, _ = due
    assert case.deadline_at is not None
    return -case.severity, case.deadline_at


def role_notice(role: str, due: Sequence[Due], now: datetime) -> NoticeDraft:
    """One notice for ``due`` (the gravest first): one case by its title, several counted and listed."""
    (worst, phase) = due[0]
    lines = [f"{_body(case)} {each.heading}" for case, each in due[:MAX_LISTED]]
    if len(due) > MAX_LISTED:
        lines.append(f"… {len(due) - MAX_LISTED} 起 / more")
    alone = len(due) == 1
    return NoticeDraft(
        key=f"deadlines:{role}:{now.isoformat()}",
        kind=f"deadline_{phase.name}"[:24] if alone else "deadlines",
        title=f"{phase.heading}: {discreet_title(worst)}" if alone else f"{len(due)} 起案件到期或超期 / cases are due",
        body=_body(worst) if alone else "\n".join(lines),
        case_id=worst.case_id,
        role=role,
        severity=worst.severity,
    )


def lead_notices(case: Case, phase: Phase) -> list[NoticeDraft]:
    """The notice of ``case`` in ``phase`` to the lead department; none while it has no department."""
    if not case.department_id or case.deadline_at is None:
        return []
    return [
        NoticeDraft(
            key=f"{case.case_id}:{case.deadline_at.isoformat()}:{phase.name}:lead",
            kind=f"deadline_{phase.name}"[:24],
            title=f"{phase.heading}: {discreet_title(case)}",
            body=_body(case),
            case_id=case.case_id,
            department_id=case.department_id,
            user_id=case.handler_id,
            severity=case.severity,
        )
    ]


def _body(case: Case) -> str:
    assert case.deadline_at is not None
    return f"{case.number} {discreet_title(case)} {case.deadline_at.astimezone(BEIJING):%m-%d %H:%M}"
