"""The only door through which a case is opened or moved.

``execute`` runs one command in a transaction of its own; ``execute_in``, ``open_in`` and ``note`` work inside the
caller's, so that the worker can put an observation, a rule's memory and a case's move into one.  Every move writes,
in that one transaction: the case, its parts and clocks, a transition, a link of the audit chain and an outbox row.

A move is judged by :func:`events.lifecycle.advance`; this module only fetches what that needs and stores what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import InputInvalid, NotFound
from core.ids import derived_id, new_id
from core.records import JSON, SYSTEM, Actor, CaseChanged, Command, EvidenceRef, GeoPoint, Severity
from events import audit
from events.access import visible_cases
from events.calendar import WorkCalendar, statutory_calendar
from events.case_errors import CommandUnknown, IdempotencyConflict, MoveForbidden, StaleCase
from events.casekinds import NEW, Definition, shipped_definitions
from events.clocks import Clocks
from events.drafts import CaseDraft
from events.effects import EFFECTS, LIVE, Work, add_evidence
from events.grid import locate
from events.kindstore import definition_of
from events.lifecycle import CaseState, PartState, Transition, advance, check_form, may
from events.numbers import next_number
from events.readmodels import CaseView
from events.taxonomy import limit_of
from events.views import summary_of
from storage.session import session_scope
from storage.tables.cases import (
    Case,
    CaseAssignment,
    CaseClock,
    CaseEvidence,
    CaseObservation,
    CaseParty,
    CaseTransition,
    Outbox,
)
from storage.tables.people import User
from storage.tables.registry import Site


class CaseService:
    """Opens and moves cases.

    ``district``: first part of case numbers.  ``definitions`` by id, default those we ship.  ``calendars`` by id;
    ``default`` is China's statutory one when none is given.  Holds no state between calls: share it between threads.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        district: str = "220105",
        definitions: Mapping[str, Definition] | None = None,
        calendars: Mapping[str, WorkCalendar] | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.district = district
        self.definitions = dict(shipped_definitions() if definitions is None else definitions)
        self.calendars = {"default": statutory_calendar(), **(calendars or {})}

    # commands ------------------------------------------------------------
    def execute(self, command: Command, actor: Actor) -> CaseView:
        """Carry out ``command`` in a transaction of its own; the case as it stands after it.

        ``report`` (``case_id`` "") opens a case from ``data``.  Typed errors: :mod:`events.case_errors`, ``NotFound``
        (also for cases the actor may not see), ``InputInvalid``.  Nothing is changed when one is raised.
        """
        with session_scope(self.engine) as session:
            return self.execute_in(session, command, actor)

    def execute_in(self, session: Session, command: Command, actor: Actor) -> CaseView:
        """:meth:`execute` inside the caller's transaction."""
        if command.name == "report":
            return self._report(session, command, actor)
        case = self._locked(session, command.case_id, actor)
        replay = self._replay(session, case, command)
        if replay is not None:
            return replay
        if command.expected_version is not None and command.expected_version != case.version:
            raise self._stale(session, case)
        self._move(session, case, command, actor)
        return summary_of(session, case.case_id)

    def open_case(self, session: Session, draft: CaseDraft, why: Mapping[str, JSON] | None = None) -> CaseView:
        """Open a case for a rule inside the caller's transaction, as ``system``; ``why`` adds to the draft's."""
        if why:
            draft = msgspec.structs.replace(draft, why={**draft.why, **why})
        case = self.open_in(session, draft, SYSTEM)
        session.flush()
        return summary_of(session, case.case_id)

    def open_in(self, session: Session, draft: CaseDraft, actor: Actor = SYSTEM) -> Case:
        """Open a case; then register and dispatch it when the draft is sure enough and the definition allows.

        Returns the row, attached to ``session``.
        """
        case = self.create(session, draft, actor, {})
        automatic = self.definition(draft.definition_id).automatic
        if draft.auto_register and automatic.get("register"):
            self._automatic(session, case, automatic["register"], {})
        if draft.auto_register and draft.route is not None and automatic.get("dispatch"):
            route = draft.route
            data: dict[str, Any] = {"department_id": route.lead.department_id}
            data |= {k: v for k, v in (("duty", route.lead.duty), ("user_id", route.lead.user_id)) if v}
            if route.assisting:
                data["assisting"] = [msgspec.to_builtins(part) for part in route.assisting]
            case.why = {**case.why, "routing": list(route.steps)}
            self._automatic(session, case, automatic["dispatch"], data)
        return case

    def escalate_in(self, session: Session, case: Case, severity: Severity, reason: dict[str, JSON]) -> None:
        """Raise the severity of an open case (the worker saw it get worse)."""
        if severity > case.severity:
            before, case.severity = case.severity, int(severity)
            self.note(session, case, SYSTEM, "escalate", {"from": before, "to": int(severity), "why": reason})

    def note(self, session: Session, case: Case, actor: Actor, command: str, data: Mapping[str, JSON]) -> None:
        """Record something that happened to a case without moving it: a transition to the same state."""
        definition = definition_of(session, case, self.definitions)
        state = definition.states[case.state]
        transition = Transition(
            command=command, from_state=case.state, to_state=case.state, stage=state.stage, open=case.open
        )
        parts = parts_of(session, case.case_id)
        self._record(session, case, transition, actor, self._stamp(case), None, dict(data), parts)

    def definition(self, definition_id: str) -> Definition:
        """The definition, or a typed error naming those there are."""
        found = self.definitions.get(definition_id)
        if found is None:
            raise NotFound(what="case definition", key=definition_id)
        return found

    # open ----------------------------------------------------------------
    def create(
        self, session: Session, draft: CaseDraft, actor: Actor, extra: Mapping[str, JSON], key: str = ""
    ) -> Case:
        """The case of ``draft`` in its first state; ``key`` makes the case's id repeatable."""
        definition = self.definition(draft.definition_id)
        now = self.clock.now()
        division, grid = draft.division_code, draft.grid_code
        point = self._place(session, draft)
        if point is not None and (division is None or grid is None):
            found_division, found_grid = locate(session, point)
            division, grid = division or found_division, grid or found_grid
        state = definition.initial
        case = Case(
            case_id=derived_id("report", actor.user_id, key) if key else new_id(),
            number=next_number(session, self.district, now),
            definition_id=definition.definition_id,
            definition_version=definition.version,
            stage=definition.states[state].stage,
            state=state,
            open=True,
            version=0,
            severity=int(draft.severity),
            class_code=draft.class_code,
            class_version=draft.class_version,
            kind=draft.kind,
            title=draft.title[:200],
            description=draft.description,
            source_type=draft.source_type,
            source_id=draft.source_id,
            site_id=draft.site_id,
            lon=point.lon if point else None,
            lat=point.lat if point else None,
            division_code=division,
            grid_code=grid,
            confidence=draft.confidence,
            happening_key=draft.happening_key,
            parent_case_id=draft.parent_case_id,
            confidential=draft.confidential or definition.confidential,
            reporter_id=None if actor.user_id == SYSTEM.user_id else actor.user_id,
            opened_at=now,
            updated_at=now,
            form=dict(draft.form),
            why={**draft.why, **extra},
            bounces=0,
            reworks=0,
            reopened=0,
            urged=0,
        )
        limit = msgspec.to_builtins(draft.limit) if draft.limit else self.class_limit(session, case)
        if limit:
            case.form = {**case.form, "limit": limit}
        session.add(case)
        session.flush()
        self._belongings(session, case, draft, actor, now)
        first = Transition(command="report", from_state="", to_state=state, stage=case.stage, open=True)
        shown = {"title": case.title, "evidence": [ref.sha256 for ref in draft.evidence]}
        self._record(session, case, first, actor, now, key or None, shown, [])
        return case

    def _belongings(self, session: Session, case: Case, draft: CaseDraft, actor: Actor, now: datetime) -> None:
        for ref in draft.evidence:
            add_evidence(session, case.case_id, ref, "finding", actor.user_id, now)
        for observation_id in dict.fromkeys(draft.observation_ids):
            session.add(
                CaseObservation(
                    case_id=case.case_id, observation_id=observation_id, linked_at=now, score=1.0, reason={}
                )
            )
        for user_id in dict.fromkeys(draft.parties):
            session.add(CaseParty(case_id=case.case_id, user_id=user_id, role="party", added_at=now))

    def class_limit(self, session: Session, case: Case) -> dict[str, JSON] | None:
        """The handling limit that the case's class sets, None when the class says nothing."""
        limit = limit_of(session, case.class_code, case.class_version)
        return msgspec.to_builtins(limit) if limit is not None else None

    def _place(self, session: Session, draft: CaseDraft) -> GeoPoint | None:
        if draft.location is not None:
            return draft.location
        site = session.get(Site, draft.site_id) if draft.site_id else None
        if draft.site_id and site is None:
            raise NotFound(what="site", key=draft.site_id)
        return GeoPoint(lon=site.lon, lat=site.lat) if site is not None else None

    def _report(self, session: Session, command: Command, actor: Actor) -> CaseView:
        data = dict(command.data)
        definition = self.definition(str(data.pop("definition_id", "city_management")))
        spec = definition.commands.get("report")
        if spec is None:
            raise CommandUnknown(
                definition=definition.definition_id, command="report", known=", ".join(definition.commands)
            )
        if not may(actor, CaseState(state=NEW, now=self.clock.now()), spec.who):
            raise MoveForbidden(command="report", detail="your role does not allow it", who="see the definition")
        check_form(definition, Command(name="report", case_id="", actor_id=actor.user_id, data=data))
        key = command.idempotency_key or ""
        if key:
            earlier = session.get(Case, derived_id("report", actor.user_id, key))
            if earlier is not None:
                return msgspec.structs.replace(summary_of(session, earlier.case_id), replayed=True)
        draft = _draft(definition, data)
        case = self.create(session, draft, actor, {}, key)
        follow = definition.automatic.get("on_report")
        if follow:
            spec = definition.commands[follow]
            names = (*spec.required, *spec.optional)
            self._automatic(session, case, follow, {k: v for k, v in data.items() if k in names and v is not None})
        return summary_of(session, case.case_id)

    def _automatic(self, session: Session, case: Case, name: str, data: dict[str, JSON]) -> None:
        command = Command(name=name, case_id=case.case_id, actor_id=SYSTEM.user_id, data=data)
        self._move(session, case, command, SYSTEM)

    # move ----------------------------------------------------------------
    def _locked(self, session: Session, case_id: str, actor: Actor) -> Case:
        """The case, locked until the transaction ends; ``NotFound`` also when the actor may not see it."""
        query = select(Case).where(Case.case_id == case_id, visible_cases(actor, self.definitions))
        case = session.scalars(query.with_for_update(of=Case).execution_options(populate_existing=True)).one_or_none()
        if case is None:
            raise NotFound(what="case", key=case_id)
        return case

    def other_case(self, session: Session, case_id: str, actor: Actor) -> Case:
        """Another case that a command names, locked."""
        return self._locked(session, case_id, actor)

    def _replay(self, session: Session, case: Case, command: Command) -> CaseView | None:
        if command.idempotency_key is None:
            return None
        earlier = session.scalars(
            select(CaseTransition).where(
                CaseTransition.case_id == case.case_id, CaseTransition.idempotency_key == command.idempotency_key
            )
        ).one_or_none()
        if earlier is None:
            return None
        if earlier.command != command.name:
            raise IdempotencyConflict(key=command.idempotency_key, earlier=earlier.command)
        return msgspec.structs.replace(summary_of(session, case.case_id), replayed=True)

    def _stale(self, session: Session, case: Case) -> StaleCase:
        last = session.scalars(
            select(CaseTransition).where(CaseTransition.case_id == case.case_id).order_by(CaseTransition.seq.desc())
        ).first()
        if last is None:
            raise NotFound(what="transition of case", key=case.case_id)
        user = session.get(User, last.actor_id)
        return StaleCase(
            moved_by=last.actor_id,
            moved_by_name=user.name if user is not None else last.actor_id,
            moved_at=last.at.isoformat(timespec="seconds"),
            by_command=last.command,
            version=case.version,
            state=case.state,
        )

    def _move(self, session: Session, case: Case, command: Command, actor: Actor) -> None:
        definition = definition_of(session, case, self.definitions)
        parts, clocks = parts_of(session, case.case_id), clocks_of(session, case.case_id)
        state = case_state(
            session, case, self.clock.now(), parts, clocks, photographs=_asks_photograph(definition, command)
        )
        transition = advance(state, command, actor, definition)
        at = self._stamp(case)
        work = Work(
            session=session,
            service=self,
            case=case,
            definition=definition,
            state=state,
            transition=transition,
            actor=actor,
            at=at,
            clocks=Clocks(session, case, definition, self.calendars, clocks, parts),
            assignments=parts,
            reason_data={},
        )
        for effect in transition.effects:
            EFFECTS[effect](work)
        case.state, case.stage, case.open = transition.to_state, transition.stage, transition.open
        case.closed_at = None if transition.open else case.closed_at or at
        work.clocks.apply(transition.clocks, at)
        data = {**transition.data, **work.reason_data}
        self._record(session, case, transition, actor, at, command.idempotency_key, data, parts)

    def _stamp(self, case: Case) -> datetime:
        """Now, but always later than the case's last transition, whatever the machine's clock does."""
        return max(self.clock.now(), case.updated_at + timedelta(microseconds=1))

    def _record(
        self,
        session: Session,
        case: Case,
        transition: Transition,
        actor: Actor,
        at: datetime,
        key: str | None,
        data: dict[str, Any],
        parts: list[CaseAssignment],
    ) -> None:
        """Version, transition, audit link and outbox row."""
        case.version += 1
        case.updated_at = at
        session.add(
            CaseTransition(
                case_id=case.case_id,
                seq=case.version,
                command=transition.command,
                from_state=transition.from_state,
                to_state=transition.to_state,
                actor_id=actor.user_id,
                at=at,
                reason=transition.reason,
                data=data,
                idempotency_key=key,
            )
        )
        body = {
            "number": case.number,
            "version": case.version,
            "from": transition.from_state,
            "to": transition.to_state,
            "reason": transition.reason,
            "data": data,
            "department_id": case.department_id,
            "deadline_at": audit.stamp(case.deadline_at) if case.deadline_at else None,
        }
        audit.append(session, case.case_id, at, actor.user_id, transition.command, body)
        change = CaseChanged(
            case_id=case.case_id,
            number=case.number,
            version=case.version,
            stage=case.stage,
            state=case.state,
            command=transition.command,
            severity=Severity(case.severity),
            class_code=case.class_code,
            title=case.title,
            changed_at=at,
            department_ids=tuple(dict.fromkeys(p.department_id for p in parts if p.state in LIVE)),
            location=GeoPoint(lon=case.lon, lat=case.lat) if case.lon is not None and case.lat is not None else None,
            site_id=case.site_id,
        )
        session.add(
            Outbox(outbox_id=new_id(), topic="case", body=msgspec.to_builtins(change), created_at=at, attempts=0)
        )


def parts_of(session: Session, case_id: str) -> list[CaseAssignment]:
    """All parts of a case, those that are over too, by dispatch."""
    query = select(CaseAssignment).where(CaseAssignment.case_id == case_id)
    return list(session.scalars(query.order_by(CaseAssignment.dispatched_at, CaseAssignment.assignment_id)))


def clocks_of(session: Session, case_id: str) -> list[CaseClock]:
    """All clocks of a case, by start."""
    query = select(CaseClock).where(CaseClock.case_id == case_id)
    return list(session.scalars(query.order_by(CaseClock.started_at, CaseClock.clock_id)))


def case_state(
    session: Session,
    case: Case,
    now: datetime,
    parts: list[CaseAssignment] | None = None,
    clocks: list[CaseClock] | None = None,
    *,
    photographs: bool = True,
) -> CaseState:
    """What the engine needs to know of a stored case; ``photographs`` False: the command does not ask for any."""
    rows = parts_of(session, case.case_id) if parts is None else parts
    running = clocks_of(session, case.case_id) if clocks is None else clocks
    live = [r for r in rows if r.state in LIVE]
    parties: tuple[str, ...] = ()
    if case.confidential:
        parties = tuple(session.scalars(select(CaseParty.user_id).where(CaseParty.case_id == case.case_id)))
    return CaseState(
        state=case.state,
        now=now,
        department_id=case.department_id,
        handler_id=case.handler_id,
        reporter_id=case.reporter_id,
        division_code=case.division_code,
        parts=tuple(
            PartState(department_id=r.department_id, role=r.role, state=r.state, user_id=r.user_id) for r in live
        ),
        parties=parties,
        evidence=_photographs(session, case, live) if photographs else {},
        pending=case.form.get("pending", {}),
        remembered=str(case.form.get("remembered", "")),
        bounces=case.bounces,
        deadlines={row.kind: row.deadline_at for row in running if row.stopped_at is None},
        worked_by=tuple(
            {case.handler_id or "", *(r.user_id or "" for r in rows if r.role != "check" and r.accepted_at)} - {""}
        ),
    )


def _photographs(session: Session, case: Case, live: list[CaseAssignment]) -> dict[str, int]:
    """Files by purpose since the work was last given out or sent back."""
    since = max((r.dispatched_at for r in live if r.role == "lead"), default=case.opened_at)
    if case.reworks and case.checked_at is not None:
        since = max(since, case.checked_at)
    rows = session.execute(
        select(CaseEvidence.purpose, func.count().label("n"))
        .where(CaseEvidence.case_id == case.case_id, CaseEvidence.added_at >= since)
        .group_by(CaseEvidence.purpose)
    )
    return {row.purpose: row.n for row in rows}


def _asks_photograph(definition: Definition, command: Command) -> bool:
    spec = definition.commands.get(command.name)
    return spec is not None and any(guard.get("guard") == "evidence" for guard in spec.guards)


def _draft(definition: Definition, data: dict[str, Any]) -> CaseDraft:
    """A reported case as a draft; fields of the definition's own go into its form."""
    known = {f.name for f in msgspec.structs.fields(CaseDraft)}
    own = {k: v for k, v in data.items() if k in known and k not in ("auto_register", "route", "why") and v is not None}
    rest = {k: v for k, v in data.items() if k not in known and k != "why"}
    try:
        return msgspec.convert(
            {**own, "definition_id": definition.definition_id, "form": {**own.get("form", {}), **rest}}, CaseDraft
        )
    except msgspec.ValidationError as error:
        raise InputInvalid(field="report", detail=str(error), how="send the fields of the report form") from error


__all__ = ["CaseService", "EvidenceRef", "case_state"]
