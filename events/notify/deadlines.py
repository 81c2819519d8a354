"""Deadlines: a notice before, at and after each, once each, in the time that the limit is counted in.

What is swept are the clocks that cases show, and those of their parts.  Who must meet one is told of each case; the key
of such a notice holds case, deadline and phase, so that a moved deadline gives new notices and a restart none.  A role
(dispatchers, managers) is told of the first at once and then at most once in ``ROLE_EVERY_S``, of everything since
together: how far it was told is remembered in the transaction of the notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.clock import BEIJING, Clock
from core.legal_time.calendar import WorkCalendar, statutory_and
from core.legal_time.shift import shifted
from events.cases.access import discreet_title
from events.cases.definition import Definition
from events.cases.kinds_in_force import definitions_in_force
from events.correlation.rule_memory import BatchMemory
from events.notify.notices import NoticeDraft, QuietHours, write_notices
from events.notify.phases import NATURAL, Phase, all_phases, key_of, phases_of
from events.notify.recipients import NoticeTarget, turn_targets
from events.notify.running_deadlines import BATCH, Running, earliest, joined, running
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, Notice

PHASES = NATURAL
POLL_S = 10.0
ROLE_EVERY_S = 600.0
MAX_LISTED = 20
STATE = "@deadlines"
ROLES = ("dispatcher", "manager")
ROLES_TOGETHER = frozenset({"dispatcher", "operator"})  # hear of everything since together
Due = tuple[Case, Phase]


class DeadlineSweep:
    """Writes the notices that are due."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        channels: Sequence[str] = ("in_app",),
        quiet: QuietHours | None = None,
        *,
        definitions: Mapping[str, Definition] | None = None,
        calendars: Mapping[str, WorkCalendar] | None = None,
    ) -> None:
        self._quiet = quiet
        self._engine = engine
        self._clock = clock
        self._channels = channels
        self._swept_to: datetime | None = None
        self._given = definitions
        self._calendars = calendars or statutory_and({})

    @property
    def _calendar(self) -> WorkCalendar:
        return self._calendars["default"]  # as it is now: the district may change it

    @property
    def _definitions(self) -> Mapping[str, Definition]:
        return definitions_in_force() if self._given is None else self._given

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
            begins = {role: _told_to(session, role, now) for role in ROLES}
            came = self._came_since(session, [since - timedelta(seconds=2 * POLL_S), *begins.values()], now)
            due = self._due(came, since, now)
            roles = self._roles_due(came, begins, now)
            drafts = [draft for running, phase in due for draft in self._notices(session, running, phase)]
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
        found = []
        with read_scope(self._engine) as session:
            for phase in self._phases().values():
                low, high = self._window(phase, after, until)
                for deadline_at in earliest(session, low, high):
                    found.append(shifted(deadline_at, phase.by, self._calendar, back=phase.sign < 0))
        return min((at for at in found if after < at < until), default=None)

    def _phases(self) -> dict[tuple[int, float, str], Phase]:
        return all_phases(list(self._definitions.values()))

    def _window(self, phase: Phase, since: datetime, now: datetime) -> tuple[datetime, datetime]:
        """Between which deadlines those lie for which ``phase`` came between ``since`` and ``now``."""
        if not phase.sign:
            return since, now
        back = phase.sign > 0
        return tuple(shifted(at, phase.by, self._calendar, back=back) for at in (since, now))  # type: ignore[return-value]

    def _came_since(self, session: Session, begins: Sequence[datetime], now: datetime) -> list[Running]:
        """Every deadline of which some phase came between one of ``begins`` and ``now``."""
        phases = self._phases().values()
        return list(running(session, joined(self._window(phase, at, now) for phase in phases for at in set(begins))))

    def _running(
        self, came: Sequence[Running], phase: Phase, since: datetime, now: datetime
    ) -> Iterator[tuple[Running, Phase]]:
        """Those of ``came`` for which ``phase`` came between ``since`` and ``now``, with their own phase."""
        low, high = self._window(phase, since, now) if came else (now, now)
        for each in came:
            if not low < each.deadline_at <= high:
                continue
            definition = self._definitions.get(each.case.definition_id)
            for own in phases_of(definition, each.kind, each.unit):
                if key_of(own) == key_of(phase) and self._came(each, own):
                    yield each, own

    def _came(self, running: Running, phase: Phase) -> bool:
        """Nobody is told "an hour left" of a limit of half an hour."""
        if phase.sign >= 0 or running.started_at is None:
            return True
        return shifted(running.deadline_at, phase.by, self._calendar, back=True) >= running.started_at

    def _due(self, came: Sequence[Running], since: datetime, now: datetime) -> list[tuple[Running, Phase]]:
        """What those who must meet a deadline are told now: of each the newest phase alone.

        Nobody wants "due in an hour" an hour late.
        """
        due: dict[tuple[str, str], tuple[datetime, Running, Phase]] = {}
        for phase in self._phases().values():
            for each, own in self._running(came, phase, since - timedelta(seconds=2 * POLL_S), now):
                at = shifted(each.deadline_at, own.by, self._calendar, back=own.sign < 0)
                key = (each.case.case_id, each.department_id or "")
                if key not in due or due[key][0] <= at:
                    due[key] = (at, each, own)
        return [(running, phase) for _, running, phase in due.values()]

    def _notices(self, session: Session, running: Running, phase: Phase) -> list[NoticeDraft]:
        case = running.case
        definition = self._definitions.get(case.definition_id)
        own = definition.states[case.state].turn if definition is not None and case.state in definition.states else None
        if running.department_id:
            to = [NoticeTarget(department_id=running.department_id)]
        elif own is not None and definition is not None:
            to = turn_targets(session, case, definition)
            if definition.remind is None:  # roles hear of everything at once
                to = [target for target in to if target.role not in ROLES_TOGETHER]
        else:
            to = []
        if not to:
            return lead_notices(case, phase)
        return [_notice(case, running.deadline_at, phase, target) for target in to]

    def _roles_due(
        self, came: Sequence[Running], begins: Mapping[str, datetime], now: datetime
    ) -> dict[str, list[Due]]:
        """What each role was not told yet, the newest phase of each case."""
        found: dict[str, dict[str, Due]] = {}
        for role, since in begins.items():
            for phase in self._phases().values():
                for each, own in self._running(came, phase, since, now):
                    case = each.case
                    definition = self._definitions.get(case.definition_id)
                    if case.confidential or (definition is not None and definition.remind is not None):
                        continue
                    unowned = role == "dispatcher" and not case.department_id and not own.role
                    if own.role == role or unowned:
                        found.setdefault(role, {})[case.case_id] = (case, own)
        return {role: sorted(some.values(), key=_gravest) for role, some in found.items()}

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


def _told_to(session: Session, role: str, now: datetime) -> datetime:
    """Up to when ``role`` was told; a day ago where it never was."""
    state = BatchMemory(session).recall(STATE, role)
    return datetime.fromisoformat(str(state["upto"])) if "upto" in state else now - timedelta(days=1)


def _untold(session: Session, drafts: Sequence[NoticeDraft]) -> list[NoticeDraft]:
    """Those of ``drafts`` whose key nobody used."""
    known: set[str] = set()
    for start in range(0, len(drafts), BATCH):
        keys = [draft.key for draft in drafts[start : start + BATCH]]
        known |= set(session.scalars(select(Notice.notice_key).where(Notice.notice_key.in_(keys))))
    return [draft for draft in drafts if draft.key not in known]


def _gravest(due: Due) -> tuple[int, datetime]:
    case, _ = due
    assert case.deadline_at is not None
    return -case.severity, case.deadline_at


def role_notice(role: str, due: Sequence[Due], now: datetime) -> NoticeDraft:
    """One notice for ``due`` (the gravest first): one case by its title, several counted and listed."""
    (worst, phase) = due[0]
    lines = [f"{_body(case, case.deadline_at)} {each.heading}" for case, each in due[:MAX_LISTED]]
    if len(due) > MAX_LISTED:
        lines.append(f"… {len(due) - MAX_LISTED} 起 / more")
    alone = len(due) == 1
    return NoticeDraft(
        key=f"deadlines:{role}:{now.isoformat()}",
        kind=f"deadline_{phase.name}"[:24] if alone else "deadlines",
        title=f"{phase.heading}: {discreet_title(worst)}" if alone else f"{len(due)} 起案件到期或超期 / cases are due",
        body=_body(worst, worst.deadline_at) if alone else "\n".join(lines),
        case_id=worst.case_id,
        role=role,
        severity=worst.severity,
    )


def lead_notices(case: Case, phase: Phase) -> list[NoticeDraft]:
    """The notice of ``case`` in ``phase`` to the lead department; none while it has no department."""
    if not case.department_id or case.deadline_at is None:
        return []
    return [
        _notice(case, case.deadline_at, phase, NoticeTarget(department_id=case.department_id, user_id=case.handler_id))
    ]


def _notice(case: Case, deadline_at: datetime, phase: Phase, to: NoticeTarget) -> NoticeDraft:
    return NoticeDraft(
        key=f"{case.case_id}:{deadline_at.isoformat()}:{phase.name}:{to.department_id or to.user_id or to.role}",
        kind=f"deadline_{phase.name}"[:24],
        title=f"{phase.heading}: {discreet_title(case)}",
        body=_body(case, deadline_at),
        case_id=case.case_id,
        department_id=to.department_id,
        user_id=to.user_id,
        role="" if to.department_id or to.user_id else to.role,
        severity=case.severity,
    )


def _body(case: Case, deadline_at: datetime | None) -> str:
    assert deadline_at is not None
    return f"{case.number} {discreet_title(case)} {deadline_at.astimezone(BEIJING):%m-%d %H:%M}"
