"""How a case moves: a command judged, carried out and recorded, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Engine, String, bindparam
from sqlalchemy.orm import Session

from core.clock import Clock
from core.deed import Deed
from core.errors import NotFound
from core.legal_time.calendar import WorkCalendar, statutory_and
from core.records import JSON, SYSTEM, Actor, Command, Severity
from events.cases.access import visible_cases
from events.cases.clocks import Clocks
from events.cases.course.own_data import keep_fields
from events.cases.course.triggers import any_open_child, fires
from events.cases.course.turn_keys import before_move, keep_turn
from events.cases.definition import Definition
from events.cases.definition_parts import ClockMoves, Trigger, effect_name, effect_params
from events.cases.definition_store import definition_of
from events.cases.errors import EffectMissing
from events.cases.kinds_in_force import definitions_in_force
from events.cases.lifecycle import Transition, advance
from events.cases.queries import keep_names, names_beside
from events.cases.recording import record, reseal
from events.cases.state import CaseRows, asks, case_state, parts_of
from events.cases.transition import Cases, Work
from events.cases.verbs.effects import EFFECTS, Effect
from events.cases.verbs.papers import file_documents
from events.correlation.happening import CurrentBook
from events.evidence import audit_log
from events.evidence.claims import with_stored_evidence
from events.evidence.document_claims import with_stored_documents
from storage.record_validity import record_in_force
from storage.sql.statements import ReadyRows
from storage.tables.cases import Case


class CaseMoves(Cases):
    """What moves cases.  Holds no state: share it between threads."""

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
        self._locking: tuple[object, Callable[..., ReadyRows[Case]]] = (None, self._build_lock_query)
        self.effects = {**EFFECTS, **(effects or {})}
        self.record_valid: Callable[[Session, str, str, datetime], bool] = record_valid or record_in_force
        self.book = CurrentBook()
        self._one_writer = engine.dialect.name == "sqlite"

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """By id, as they are in force at this moment."""
        return definitions_in_force() if self._definitions is None else self._definitions

    def definition(self, definition_id: str) -> Definition:
        """The definition, or a typed error naming those there are."""
        found = self.definitions.get(definition_id)
        if found is None:
            raise NotFound(what="case definition", key=definition_id)
        return found

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
        record(session, case, transition, actor, self.stamp(case), key, dict(data), parts)
        session.flush()

    def escalate_in(self, session: Session, case: Case, severity: Severity, reason: dict[str, JSON]) -> None:
        """Raise the severity of an open case (the worker saw it get worse)."""
        if severity > case.severity:
            before, case.severity = case.severity, int(severity)
            self.note(session, case, SYSTEM, "escalate", {"from": before, "to": int(severity), "why": reason})

    def move(self, session: Session, rows: CaseRows, command: Command, actor: Actor, deed: Deed | None = None) -> None:
        """Carry out ``command`` on a locked case; typed errors of :mod:`events.cases.lifecycle` when it may not be."""
        command = with_stored_evidence(session, command, actor, rows.case.case_id, self.clock.now())
        work = self._work_of(session, rows, command, actor, deed)
        case, definition, at = work.case, work.definition, work.at
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
        record(session, case, transition, actor, at, command.idempotency_key, data, rows.parts)
        keep_turn(session, case, definition, rows.parts)
        if was_open and not case.open and case.parent_case_id:
            self._child_closed(session, case)

    def _work_of(self, session: Session, rows: CaseRows, command: Command, actor: Actor, deed: Deed | None) -> Work:
        """The command, judged: what its effects work on."""
        case, parts, clocks = rows.case, rows.parts, rows.clocks
        definition = definition_of(session, case, self.definitions)
        command = with_stored_documents(session, command, actor, case.case_id, self.clock.now(), definition.documents)
        state = case_state(
            session, case, self.clock.now(), parts, clocks, photographs=asks(definition, command, "evidence"),
            children=asks(definition, command, "children_closed"), documents=asks(definition, command, "documents"),
            parents=asks(definition, command, "not_handler"), records=self._records(session, case, definition, command),
        )  # fmt: skip
        transition = advance(state, command, actor, definition, self.calendars["default"])
        before_move(session, case, definition, parts)
        return Work(
            session=session, service=self, case=case, definition=definition, state=state, transition=transition,
            actor=actor, at=self.stamp(case), assignments=parts, params={},
            clocks=Clocks(session, case, definition, self.calendars, clocks, parts),
            reason_data={"recorded": deed.facts()} if deed is not None else {},
            done_at=deed.recorded_at if deed is not None and deed.believed and transition.clocks.deed else None,
        )  # fmt: skip

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

    def reported(
        self, session: Session, rows: CaseRows, definition: Definition, data: Mapping[str, JSON], actor: Actor
    ) -> None:
        """The effects and clocks that a definition gives to ``report`` itself."""
        spec, case = definition.commands["report"], rows.case
        if not spec.effects and spec.clocks == ClockMoves() and not data.get("documents"):
            return
        at = self.stamp(case)
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
        self.move(session, CaseRows.load(session, case), command, SYSTEM)

    def order_in(self, session: Session, case: Case, name: str, data: Mapping[str, JSON]) -> None:
        """Give a command as ``system`` inside the caller's transaction."""
        self.automatic(session, CaseRows.load(session, case), name, dict(data))

    def automatic(self, session: Session, rows: CaseRows, name: str, data: dict[str, JSON]) -> None:
        """Give a command as ``system``."""
        command = Command(name=name, case_id=rows.case.case_id, actor_id=SYSTEM.user_id, data=data)
        self.move(session, rows, command, SYSTEM)

    def keep_fields(self, session: Session, case: Case, values: Mapping[str, JSON], command: str, actor: Actor) -> None:
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

    def stamp(self, case: Case) -> datetime:
        """Now, but always later than the case's last transition, whatever the machine's clock does."""
        return max(self.clock.now(), case.updated_at + timedelta(microseconds=1))

    def other_case(self, session: Session, case_id: str, actor: Actor) -> Case:
        """Another case that a command names, locked."""
        return self.locked(session, case_id, actor)

    def locked(self, session: Session, case_id: str, actor: Actor) -> Case:
        """The case, locked until the transaction ends; ``NotFound`` also when the actor may not see it."""
        query = self._lock_query()(actor.roles, actor.department_id, actor.division_code)
        found = query.one(session, {"wanted": case_id, "me": actor.user_id})
        if found is None:
            raise NotFound(what="case", key=case_id)
        case, beside = found
        if self._one_writer:
            *beside, seq, link = beside
            audit_log.keep_head(session, case.case_id, seq or 0, link or audit_log.GENESIS)
        keep_names(session, case, beside)
        return case

    def _lock_query(self) -> Callable[..., ReadyRows[Case]]:
        """What locks a case for a person; building it costs more than running it, so it is kept as long as the same
        kinds are in force: a kind that comes says itself who may see its cases."""
        kinds, query = self.definitions, self._locking
        if query[0] is not kinds:
            query = self._locking = (kinds, lru_cache(maxsize=256)(self._build_lock_query))
        return query[1]

    def _build_lock_query(
        self, roles: tuple[str, ...], department_id: str | None, division_code: str | None
    ) -> ReadyRows[Case]:
        """One statement for all who see the same but for what is their own: a thousand phones share a few."""
        anyone = Actor(user_id="", name="", roles=roles, department_id=department_id, division_code=division_code)
        seen = visible_cases(anyone, self.definitions, bindparam("me", "", String()))
        return ReadyRows(
            Case,
            lambda rows: rows.where(Case.case_id == bindparam("wanted", ""), seen).with_for_update(of=Case),
            [*names_beside(), *(audit_log.head_beside(Case.case_id) if self._one_writer else ())],
        )
