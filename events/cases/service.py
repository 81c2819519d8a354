"""The only door through which a case is opened or moved.

``execute`` runs one command in a transaction of its own; ``execute_in``, ``open_in`` and ``note`` work inside the
caller's, so that the worker can put an observation, a rule's memory and a case's move into one.  Every move writes,
in that one transaction: the case, its parts and clocks, a transition, a link of the audit chain and an outbox row.

A move is judged by :func:`events.cases.lifecycle.advance`; this module only fetches what that needs and stores what
it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.deed import LONGEST, Deed, Told, judged
from core.errors import NotFound
from core.ids import derived_id, new_id
from core.legal_time.calendar import WorkCalendar, statutory_and
from core.records import JSON, SYSTEM, Actor, Command, EvidenceRef, Severity
from events.cases.access import visible_cases
from events.cases.clocks import Clocks
from events.cases.course.own_data import keep_fields
from events.cases.course.relations import PARTY, CaseState, may
from events.cases.course.triggers import any_open_child, fires
from events.cases.course.turn_keys import before_move, fresh, keep_turn
from events.cases.course.whole_form import with_form_answers
from events.cases.deeds import check_seen, deed_of, stale
from events.cases.definition import COMMON_FIELDS, NEW, Definition
from events.cases.definition_parts import ClockMoves, Trigger, effect_name, effect_params
from events.cases.definition_store import definition_of
from events.cases.drafts import CaseDraft, Route
from events.cases.errors import CommandUnknown, EffectMissing, IdempotencyConflict, MoveForbidden, StaleCase
from events.cases.kinds_in_force import definitions_in_force
from events.cases.lifecycle import Transition, advance, allowed, check_form
from events.cases.numbers import next_number
from events.cases.opening import add_belongings, case_of, check_place, draft_of
from events.cases.queries import summary_in_hand, summary_of
from events.cases.read_models import CaseView
from events.cases.recording import record, reseal
from events.cases.state import CaseRows, asks, case_state, parts_of
from events.cases.transition import Work, add_evidence
from events.cases.verbs.asking import routed
from events.cases.verbs.effects import EFFECTS, Effect
from events.cases.verbs.papers import file_documents
from events.correlation.happening import CurrentBook, place, reason_text
from events.correlation.scoring import Decision
from events.evidence import audit_log
from events.evidence.claims import with_stored_evidence
from events.evidence.document_claims import with_stored_documents
from events.taxonomy.classes import limit_of
from storage.record_validity import record_in_force
from storage.session import read_scope, session_scope
from storage.tables.cases import (
    Case,
    CaseTransition,
)


class CaseService:
    """Opens and moves cases.

    ``district``: first part of case numbers.  ``definitions`` by id, default those in force.  ``calendars`` by id;
    ``default`` is China's statutory one when none is given.  ``effects`` adds those that need more
    than cases (:func:`events.runtime.wiring.case_service` gives them all).  Holds no state: share it between threads.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        district: str = "220105",
        definitions: Mapping[str, Definition] | None = None,
        calendars: Mapping[str, WorkCalendar] | None = None,
        effects: Mapping[str, Effect] | None = None,
        record_valid: Callable[[Session, str, str, datetime], bool] | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.district = district
        self._definitions = definitions
        given = calendars or {}
        self.calendars: Mapping[str, WorkCalendar] = given if "default" in given else statutory_and(given)
        self._lock_query = lru_cache(maxsize=1024)(self._build_lock_query)  # building it costs more than running it
        self.effects = {**EFFECTS, **(effects or {})}
        self.record_valid: Callable[[Session, str, str, datetime], bool] = record_valid or record_in_force
        self.book = CurrentBook()

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """By id, as they are in force at this moment."""
        return definitions_in_force() if self._definitions is None else self._definitions

    # commands ------------------------------------------------------------
    def execute(self, command: Command, actor: Actor, told: Told | None = None) -> CaseView:
        """Carry out ``command`` in a transaction of its own; the case as it stands after it.

        ``report`` (``case_id`` "") opens a case from ``data``.  Typed errors: :mod:`events.cases.errors`, ``NotFound``
        (also for cases the actor may not see), ``InputInvalid``.  Nothing is changed when one is raised.
        """
        try:
            with session_scope(self.engine) as session:
                return self.execute_in(session, command, actor, told)
        except IntegrityError:
            if command.idempotency_key is None:
                raise
            # Its twin was committed in between; now it is found.
            with session_scope(self.engine) as session:
                return self.execute_in(session, command, actor, told)

    def execute_in(self, session: Session, command: Command, actor: Actor, told: Told | None = None) -> CaseView:
        """:meth:`execute` inside the caller's transaction; ``told``: when and where a phone says it was done."""
        if command.name == "report":
            return self._report(session, command, actor, told)
        case = self._locked(session, command.case_id, actor)
        replay = self._replay(session, case, command)
        if replay is not None:
            return replay
        if command.expected_version is not None and command.expected_version != case.version:
            raise self._stale(session, case)
        deed = None
        if told is not None:
            check_seen(session, case, told, actor)
            deed = deed_of(session, case, told, self._stamp(case))
        self._move(session, CaseRows.load(session, case), command, actor, deed)
        return self._answer(session, case)

    def check_allowed(self, case_id: str, name: str, actor: Actor) -> None:
        """Before anything else of a command is read: ``NotFound`` for a case that ``actor`` may not see,
        ``MoveForbidden`` when the person may not give the command ``name`` in the state that the case is in."""
        with read_scope(self.engine) as session:
            query = select(Case).where(Case.case_id == case_id, visible_cases(actor, self.definitions))
            case = session.scalars(query).one_or_none()
            if case is None:
                raise NotFound(what="case", key=case_id)
            definition = definition_of(session, case, self.definitions)
            if name not in allowed(case_state(session, case, self.clock.now()), actor, definition):
                raise MoveForbidden(command=name, detail="your role or its state does not allow it", who="see allowed")

    def open_case(self, session: Session, draft: CaseDraft, why: Mapping[str, JSON] | None = None) -> CaseView:
        """Open a case for a rule inside the caller's transaction, as ``system``; ``why`` adds to the draft's."""
        if why:
            draft = msgspec.structs.replace(draft, why={**draft.why, **why})
        case = self.open_in(session, draft, SYSTEM)
        return summary_in_hand(session, case)

    def open_in(self, session: Session, draft: CaseDraft, actor: Actor = SYSTEM) -> Case:
        """Open a case; then register and dispatch it when the draft is sure enough and the definition allows.

        Returns the row, attached to ``session``.
        """
        case = self.create(session, draft, actor, {})
        rows = CaseRows(case, [], [])
        automatic = self.definition(draft.definition_id).automatic
        if draft.auto_register and automatic.get("register"):
            self._automatic(session, rows, automatic["register"], {})
        if draft.auto_register and draft.route is not None and automatic.get("dispatch"):
            route = draft.route
            data = dispatch_data(route)
            case.why = {**case.why, "routing": list(route.steps)}
            self._automatic(session, rows, automatic["dispatch"], data)
        session.flush()  # the row stands where its transitions say, whatever the caller does next
        return case

    def escalate_in(self, session: Session, case: Case, severity: Severity, reason: dict[str, JSON]) -> None:
        """Raise the severity of an open case (the worker saw it get worse)."""
        if severity > case.severity:
            before, case.severity = case.severity, int(severity)
            self.note(session, case, SYSTEM, "escalate", {"from": before, "to": int(severity), "why": reason})

    def note(
        self, session: Session, case: Case, actor: Actor, command: str, data: Mapping[str, JSON], key: str | None = None
    ) -> None:
        """Record something that happened to a case without moving it: a transition to the same state."""
        definition = definition_of(session, case, self.definitions)
        state = definition.states[case.state]
        transition = Transition(
            command=command, from_state=case.state, to_state=case.state, stage=state.stage, open=case.open
        )
        parts = parts_of(session, case.case_id)
        record(session, case, transition, actor, self._stamp(case), key, dict(data), parts)
        session.flush()

    def definition(self, definition_id: str) -> Definition:
        """The definition, or a typed error naming those there are."""
        found = self.definitions.get(definition_id)
        if found is None:
            raise NotFound(what="case definition", key=definition_id)
        return found

    # open ----------------------------------------------------------------
    def create(
        self,
        session: Session,
        draft: CaseDraft,
        actor: Actor,
        extra: Mapping[str, JSON],
        key: str = "",
        case_id: str = "",
    ) -> Case:
        """The case of ``draft`` in its first state; ``key`` and ``case_id`` when they are fixed beforehand."""
        definition = self.definition(draft.definition_id)
        now = self.clock.now()
        case = case_of(session, draft, definition, actor, now)
        case.case_id = case_id or new_id()
        case.number = next_number(session, self.district, now, definition.numbering)
        case.why = {**draft.why, **extra}
        limit = msgspec.to_builtins(draft.limit) if draft.limit else self.class_limit(session, case)
        if limit:
            case.form = {**case.form, "limit": limit}
        session.add(case)
        session.flush()  # its row comes before those that refer to it
        audit_log.begin(session, case.case_id)
        fresh(session, case)
        add_belongings(session, case, draft, actor, now)
        first = Transition(command="report", from_state="", to_state=case.state, stage=case.stage, open=True)
        shown = {"title": case.title, "evidence": [ref.sha256 for ref in draft.evidence]}
        shown |= {"recorded": extra["recorded"]} if "recorded" in extra else {}
        record(session, case, first, actor, now, key or None, shown, [])
        keep_turn(session, case, definition, [])
        return case

    def class_limit(self, session: Session, case: Case) -> dict[str, JSON] | None:
        """The handling limit that the case's class sets, None when the class says nothing."""
        limit = limit_of(session, case.class_code, case.class_version)
        return msgspec.to_builtins(limit) if limit is not None else None

    def _report(self, session: Session, command: Command, actor: Actor, told: Told | None) -> CaseView:
        data = dict(command.data)
        definition = self.definition(str(data.pop("definition_id", "city_management")))
        spec = definition.commands.get("report")
        if spec is None:
            raise CommandUnknown(
                definition=definition.definition_id, command="report", known=", ".join(definition.commands)
            )
        if not may(actor, CaseState(state=NEW, now=self.clock.now()), spec.who):
            raise MoveForbidden(command="report", detail="your role does not allow it", who="see the definition")
        key = command.idempotency_key or ""
        case_id = derived_id("report", actor.user_id, key) if key else new_id()
        wish = Command(name="report", case_id="", actor_id=actor.user_id, data=data, files=command.files)
        wish = with_stored_evidence(session, wish, actor, case_id, self.clock.now())
        wish = with_stored_documents(session, wish, actor, case_id, self.clock.now(), definition.documents)
        wish = with_form_answers(definition, wish, self.clock.now(), self.calendars["default"])
        data = dict(wish.data)
        check_form(definition, wish)
        if key:
            earlier = session.get(Case, case_id)
            if earlier is not None:
                return msgspec.structs.replace(summary_of(session, earlier.case_id), replayed=True)
        draft = draft_of(definition, data)
        check_place(definition, draft)
        now = self.clock.now()
        recorded = {"recorded": judged(told, now, now - LONGEST, draft.location).facts()} if told is not None else {}
        case = self.create(session, draft, actor, recorded, key, case_id)
        self._begin(session, case, definition, data, actor)
        return self._answer(session, case)

    def _begin(
        self, session: Session, case: Case, definition: Definition, data: Mapping[str, JSON], actor: Actor
    ) -> None:
        """What follows a report: its own data, its place among the others, and the definition's first command."""
        rows = CaseRows(case, [], [])
        spec = definition.commands["report"]
        fields = {n: data[n] for n in (*spec.required, *spec.optional) if n in case.form and n not in ("limit",)}
        keep_fields(session, case, fields, "report", actor.user_id, self.clock.now())
        self._reported(session, rows, definition, data, actor)
        if definition.correlate:
            before = (case.class_code, case.class_version)
            decision = self.place(session, case, (data.get("location") or {}).get("accuracy_m"))
            if (case.class_code, case.class_version) != before:
                reseal(session, case, self._stamp(case))
            if decision.verdict == "attach" and decision.best is not None and "merge" in definition.automatic:
                join = {"other_case_id": decision.best.case_id, "reason": reason_text(decision)}
                self._automatic(session, rows, definition.automatic["merge"], join)
                return
        follow = definition.automatic.get("on_report")
        nowhere = follow and "route" in definition.commands[follow].effect_names and not routed(
            session, definition, case, data
        )
        if follow and not nowhere:
            spec = definition.commands[follow]
            names = (*spec.required, *spec.optional)
            self._automatic(session, rows, follow, {k: v for k, v in data.items() if k in names and v is not None})

    def spawn(
        self, session: Session, definition_id: str, data: Mapping[str, JSON], actor: Actor, parent: Case
    ) -> Case:
        """Open a case out of another one, as if it were reported with ``data``."""
        why: dict[str, JSON] = {"spawn": {"from": parent.case_id, "number": parent.number}}
        return self.open_for(session, definition_id, data, actor, why, parent)

    def open_for(
        self,
        session: Session,
        definition_id: str,
        data: Mapping[str, JSON],
        actor: Actor,
        why: Mapping[str, JSON],
        parent: Case | None = None,
        evidence: tuple[EvidenceRef, ...] = (),
    ) -> Case:
        """Open a case as if it were reported with ``data``, for somebody whom the definition's ``who`` need not name:
        another case's parties, people without an account."""
        definition = self.definition(definition_id)
        spec = definition.commands["report"]
        names = {*spec.required, *spec.optional, *COMMON_FIELDS}
        body = {k: v for k, v in data.items() if k in names and v is not None}
        wish = Command(name="report", case_id="", actor_id=actor.user_id, data=body)
        wish = with_form_answers(definition, wish, self.clock.now(), self.calendars["default"])
        check_form(definition, wish)
        body = dict(wish.data)
        draft = msgspec.structs.replace(draft_of(definition, body), evidence=evidence)
        division = data.get("division_code")
        if isinstance(division, str):
            draft = msgspec.structs.replace(draft, division_code=division)
        if parent is not None:
            draft = msgspec.structs.replace(
                draft,
                parent_case_id=parent.case_id,
                division_code=parent.division_code,
                grid_code=parent.grid_code,
            )
        case = self.create(session, draft, actor, why)
        self._begin(session, case, definition, body, actor)
        return case

    def party_answers(
        self,
        session: Session,
        case: Case,
        name: str,
        data: Mapping[str, JSON],
        files: tuple[EvidenceRef, ...],
        who: Mapping[str, JSON],
    ) -> None:
        """A party without an account gave the command ``name`` by a code: told in the file as his; ``who``: what is
        known of him (name, hash of the signature, link)."""
        now = self._stamp(case)
        for ref in files:
            add_evidence(session, case.case_id, ref, "other", "outside", now)
        party = Actor(user_id="outside", name="群众", roles=(PARTY,))
        self.note(session, case, party, "party_answer", dict(who))
        wish = Command(name=name, case_id=case.case_id, actor_id=party.user_id, data=dict(data))
        self._move(session, CaseRows.load(session, case), wish, party)
        session.flush()

    def recurred(self, session: Session, case: Case, reason: str) -> None:
        """It is reported again after the work was reported finished: back to work, where the definition says so."""
        definition = definition_of(session, case, self.definitions)
        name = definition.automatic.get("recur", "")
        spec = definition.commands.get(name)
        if spec is not None and any(case.state in move.from_ for move in spec.moves):
            self._automatic(session, CaseRows.load(session, case), name, {"reason": reason})

    def relapse_in(self, session: Session, case: Case, reason: str, path: Route | None) -> bool:
        """It came back soon after the case was closed: the same case goes on, where its definition says so."""
        definition = definition_of(session, case, self.definitions)
        recheck = definition.recheck
        if recheck is None or not recheck.relapse or case.closed_at is None:
            return False
        if (self.clock.now() - case.closed_at).total_seconds() > recheck.relapse_s:
            return False
        spec = definition.commands[recheck.relapse]
        if recheck.relapse_from and case.state not in recheck.relapse_from:
            return False
        if case.form.get("false_alarm") or not any(case.state in move.from_ for move in spec.moves):
            return False
        rows = CaseRows.load(session, case)
        self._automatic(session, rows, recheck.relapse, {"reason": reason[:2000]})
        dispatch = definition.automatic.get("dispatch")
        if path is not None and dispatch and any(case.state in m.from_ for m in definition.commands[dispatch].moves):
            self._automatic(session, rows, dispatch, dispatch_data(path))
        return True

    def place(self, session: Session, case: Case, accuracy_m: float | None = None) -> Decision:
        """Give a case opened by hand its happening, and say where it belongs among the open ones (in its ``why``)."""
        decision = place(session, case, self.book(session), accuracy_m)
        if not case.form.get("limit"):
            limit = self.class_limit(session, case)
            case.form = {**case.form, "limit": limit} if limit else case.form
        return decision

    def _answer(self, session: Session, case: Case) -> CaseView:
        """What the command's sender is told; from here on the row stands where its transitions say."""
        session.flush()
        return summary_in_hand(session, case)

    def _automatic(self, session: Session, rows: CaseRows, name: str, data: dict[str, JSON]) -> None:
        command = Command(name=name, case_id=rows.case.case_id, actor_id=SYSTEM.user_id, data=data)
        self._move(session, rows, command, SYSTEM)

    # move ----------------------------------------------------------------
    def _locked(self, session: Session, case_id: str, actor: Actor) -> Case:
        """The case, locked until the transaction ends; ``NotFound`` also when the actor may not see it."""
        case = session.scalars(self._lock_query(actor), {"wanted": case_id}).one_or_none()
        if case is None:
            raise NotFound(what="case", key=case_id)
        return case

    def _build_lock_query(self, actor: Actor) -> Select[Case]:
        query = select(Case).where(Case.case_id == bindparam("wanted"), visible_cases(actor, self.definitions))
        return query.with_for_update(of=Case).execution_options(populate_existing=True)

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
        return stale(session, case, last)

    def _move(
        self, session: Session, rows: CaseRows, command: Command, actor: Actor, deed: Deed | None = None
    ) -> None:
        case, parts, clocks = rows.case, rows.parts, rows.clocks
        command = with_stored_evidence(session, command, actor, case.case_id, self.clock.now())
        definition = definition_of(session, case, self.definitions)
        command = with_stored_documents(
            session, command, actor, case.case_id, self.clock.now(), definition.documents
        )
        state = case_state(
            session, case, self.clock.now(), parts, clocks, photographs=asks(definition, command, "evidence"),
            children=asks(definition, command, "children_closed"), documents=asks(definition, command, "documents"),
            records=self._records(session, case, definition, command),
        )
        transition = advance(state, command, actor, definition, self.calendars["default"])
        before_move(session, case, definition, parts)
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
            reason_data={"recorded": deed.facts()} if deed is not None else {},
            params={},
            done_at=deed.recorded_at if deed is not None and deed.believed and transition.clocks.deed else None,
        )
        self._carry_out(work)
        transition, was_open = work.transition, case.open
        keep = definition.commands[command.name].keep
        kept = {name: transition.data[name] for name in keep if name in transition.data}
        if kept:
            self.keep_fields(session, case, kept, command.name, actor)
        case.state, case.stage, case.open = transition.to_state, transition.stage, transition.open
        case.closed_at = None if transition.open else case.closed_at or at
        work.clocks.apply(transition.clocks, at, work.done_at, work.own_assignment())
        data = {**transition.data, **work.reason_data}
        record(session, case, transition, actor, at, command.idempotency_key, data, parts)
        keep_turn(session, case, definition, parts)
        if was_open and not case.open and case.parent_case_id:
            self._child_closed(session, case)

    def _carry_out(self, work: Work) -> None:
        """What the transition does besides moving."""
        for effect in work.transition.effects:
            name = effect_name(effect)
            if name not in self.effects:
                raise EffectMissing(effect=name)
            work.params = effect_params(effect)
            self.effects[name](work)
        if work.data.get("documents") and "file_documents" not in map(effect_name, work.transition.effects):
            file_documents(work)  # what was taken is never lost

    def _reported(
        self, session: Session, rows: CaseRows, definition: Definition, data: Mapping[str, JSON], actor: Actor
    ) -> None:
        """The effects and clocks that a definition gives to ``report`` itself."""
        spec, case = definition.commands["report"], rows.case
        if not spec.effects and spec.clocks == ClockMoves() and not data.get("documents"):
            return
        at = self._stamp(case)
        transition = Transition(
            command="report", from_state="", to_state=case.state, stage=case.stage, open=True, effects=spec.effects,
            clocks=spec.clocks, data=dict(data),
        )  # fmt: skip
        work = Work(
            session=session, service=self, case=case, definition=definition,
            state=case_state(session, case, at, rows.parts, rows.clocks), transition=transition, actor=actor, at=at,
            clocks=Clocks(session, case, definition, self.calendars, rows.clocks, rows.parts), assignments=rows.parts,
            reason_data={}, params={},
        )  # fmt: skip
        self._carry_out(work)
        work.clocks.apply(spec.clocks, at)
        keep_turn(session, case, definition, rows.parts)
        reseal(session, case, at)

    def _child_closed(self, session: Session, child: Case) -> None:
        """The last child of a case has closed: what its definition wants then happens."""
        session.flush()
        parent = session.get(Case, child.parent_case_id, with_for_update=True)
        if parent is None or not parent.open:
            return
        definition = definition_of(session, parent, self.definitions)
        for trigger in definition.triggers:
            if trigger.on != "children_closed" or not fires(trigger, definition, parent.state):
                continue
            if not any_open_child(session, parent.case_id):
                self.trigger_in(session, parent, trigger, "")
                return

    def trigger_in(self, session: Session, case: Case, trigger: Trigger, key: str) -> None:
        """Give the command of a trigger, as ``system``; ``key`` makes it happen once."""
        command = Command(
            name=trigger.command, case_id=case.case_id, actor_id=SYSTEM.user_id, idempotency_key=key or None,
            data=dict(trigger.data),
        )  # fmt: skip
        self._move(session, CaseRows.load(session, case), command, SYSTEM)

    def order_in(self, session: Session, case: Case, name: str, data: Mapping[str, JSON]) -> None:
        """Give a command as ``system`` inside the caller's transaction."""
        self._automatic(session, CaseRows.load(session, case), name, dict(data))

    def keep_fields(
        self, session: Session, case: Case, values: Mapping[str, JSON], command: str, actor: Actor
    ) -> None:
        """Make ``values`` the case's own data."""
        case.form = {**case.form, **values}
        keep_fields(session, case, values, command, actor.user_id, self.clock.now())

    def _records(
        self, session: Session, case: Case, definition: Definition, command: Command
    ) -> dict[str, bool] | None:
        """Whether the records that ``record_valid`` guards look at are in force now."""
        spec = definition.commands.get(command.name)
        guards = [g for g in spec.guards if g.get("guard") == "record_valid"] if spec is not None else []
        own, now = {**case.form, **command.data}, self.clock.now()
        return {
            str(g["field"]): bool(key) and self.record_valid(session, str(g.get("register", "")), str(key), now)
            for g in guards
            for key in (own.get(str(g["field"])),)
        } or None

    def _stamp(self, case: Case) -> datetime:
        """Now, but always later than the case's last transition, whatever the machine's clock does."""
        return max(self.clock.now(), case.updated_at + timedelta(microseconds=1))


def dispatch_data(route: Route) -> dict[str, Any]:
    """A route as the data of the command that gives a case out."""
    data: dict[str, Any] = {"department_id": route.lead.department_id}
    data |= {k: v for k, v in (("duty", route.lead.duty), ("user_id", route.lead.user_id)) if v}
    if route.assisting:
        data["assisting"] = [msgspec.to_builtins(part) for part in route.assisting]
    return data
