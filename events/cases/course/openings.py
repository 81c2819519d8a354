"""How a case comes to be: from a draft, from a report, out of another case; and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from core.ids import new_id
from core.records import JSON, SYSTEM, Actor, Command, EvidenceRef
from events.cases.course.draft_rows import add_belongings, case_of, draft_of
from events.cases.course.moves import CaseMoves
from events.cases.course.own_data import keep_fields
from events.cases.course.turn_keys import fresh, keep_turn
from events.cases.course.whole_form import with_form_answers
from events.cases.definition import COMMON_FIELDS, Definition
from events.cases.definition_store import definition_of
from events.cases.drafts import CaseDraft, Route
from events.cases.lifecycle import Transition, check_form
from events.cases.numbers import next_number
from events.cases.recording import record, reseal
from events.cases.state import CaseRows
from events.cases.verbs.asking import routed
from events.correlation.happening import place, reason_text
from events.correlation.scoring import Decision
from events.evidence import audit_log
from events.taxonomy.classes import limit_of
from storage.tables.cases import Case


class CaseOpenings(CaseMoves):
    """What opens cases, and takes up those that come back.  Each method works inside the caller's transaction."""

    def open_in(self, session: Session, draft: CaseDraft, actor: Actor = SYSTEM) -> Case:
        """Open a case; then register and dispatch it when the draft is sure enough and the definition allows.

        Returns the row, attached to ``session``.
        """
        case = self.create(session, draft, actor, {})
        rows = CaseRows(case, [], [])
        automatic = self.definition(draft.definition_id).automatic
        if draft.auto_register and automatic.get("register"):
            self.automatic(session, rows, automatic["register"], {})
        if draft.auto_register and draft.route is not None and automatic.get("dispatch"):
            route = draft.route
            data = dispatch_data(route)
            case.why = {**case.why, "routing": list(route.steps)}
            self.automatic(session, rows, automatic["dispatch"], data)
        session.flush()  # the row stands where its transitions say, whatever the caller does next
        return case

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

    def place(self, session: Session, case: Case, accuracy_m: float | None = None) -> Decision:
        """Give a case opened by hand its happening, and say where it belongs among the open ones (in its ``why``)."""
        decision = place(session, case, self.book(session), accuracy_m)
        if not case.form.get("limit"):
            limit = self.class_limit(session, case)
            case.form = {**case.form, "limit": limit} if limit else case.form
        return decision

    def begin(
        self, session: Session, case: Case, definition: Definition, data: Mapping[str, JSON], actor: Actor
    ) -> None:
        """What follows a report: its own data, its place among the others, and the definition's first command."""
        rows = CaseRows(case, [], [])
        spec = definition.commands["report"]
        fields = {n: data[n] for n in (*spec.required, *spec.optional) if n in case.form and n not in ("limit",)}
        keep_fields(session, case, fields, "report", actor.user_id, self.clock.now())
        self.reported(session, rows, definition, data, actor)
        if definition.correlate:
            before = (case.class_code, case.class_version)
            decision = self.place(session, case, (data.get("location") or {}).get("accuracy_m"))
            if (case.class_code, case.class_version) != before:
                reseal(session, case, self.stamp(case))
            if decision.verdict == "attach" and decision.best is not None and "merge" in definition.automatic:
                join = {"other_case_id": decision.best.case_id, "reason": reason_text(decision)}
                self.automatic(session, rows, definition.automatic["merge"], join)
                return
        follow = definition.automatic.get("on_report")
        nowhere = (
            follow
            and "route" in definition.commands[follow].effect_names
            and not routed(session, definition, case, data)
        )
        if follow and not nowhere:
            spec = definition.commands[follow]
            names = (*spec.required, *spec.optional)
            self.automatic(session, rows, follow, {k: v for k, v in data.items() if k in names and v is not None})

    def spawn(self, session: Session, definition_id: str, data: Mapping[str, JSON], actor: Actor, parent: Case) -> Case:
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
        self.begin(session, case, definition, body, actor)
        return case

    def recurred(self, session: Session, case: Case, reason: str) -> None:
        """It is reported again after the work was reported finished: back to work, where the definition says so."""
        definition = definition_of(session, case, self.definitions)
        name = definition.automatic.get("recur", "")
        spec = definition.commands.get(name)
        if spec is not None and any(case.state in move.from_ for move in spec.moves):
            self.automatic(session, CaseRows.load(session, case), name, {"reason": reason})

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
        self.automatic(session, rows, recheck.relapse, {"reason": reason[:2000]})
        dispatch = definition.automatic.get("dispatch")
        if path is not None and dispatch and any(case.state in m.from_ for m in definition.commands[dispatch].moves):
            self.automatic(session, rows, dispatch, dispatch_data(path))
        return True


def dispatch_data(route: Route) -> dict[str, Any]:
    """A route as the data of the command that gives a case out."""
    data: dict[str, Any] = {"department_id": route.lead.department_id}
    data |= {k: v for k, v in (("duty", route.lead.duty), ("user_id", route.lead.user_id)) if v}
    if route.assisting:
        data["assisting"] = [msgspec.to_builtins(part) for part in route.assisting]
    return data
