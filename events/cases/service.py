"""The only door through which a case is opened or moved.

``execute`` runs one command in a transaction of its own; ``execute_in``, ``open_in`` and ``note`` work inside the
caller's, so that the worker can put an observation, a rule's memory and a case's move into one.  Every move writes,
in that one transaction: the case, its parts and clocks, a transition, a link of the audit chain and an outbox row.

A move is judged by :func:`events.cases.lifecycle.advance`; this module only fetches what that needs and stores what
it says.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.deed import LONGEST, Told, judged
from core.errors import NotFound
from core.ids import derived_id, new_id
from core.records import JSON, SYSTEM, Actor, Command, EvidenceRef
from events.cases.access import visible_cases
from events.cases.course.draft_rows import check_place, draft_of
from events.cases.course.openings import CaseOpenings
from events.cases.course.relations import PARTY, CaseState, may, who_text
from events.cases.course.replays import replayed, was_carried_out
from events.cases.course.whole_form import with_form_answers
from events.cases.deeds import check_seen, deed_of, stale
from events.cases.definition import NEW
from events.cases.definition_store import definition_of
from events.cases.drafts import CaseDraft
from events.cases.errors import CommandUnknown, MoveForbidden, StaleCase
from events.cases.lifecycle import allowed, check_form
from events.cases.queries import summary_in_hand, summary_of
from events.cases.read_models import CaseView
from events.cases.state import CaseRows, case_state
from events.cases.transition import add_evidence
from events.evidence.claims import with_stored_evidence
from events.evidence.document_claims import with_stored_documents
from storage.session import read_scope, session_scope
from storage.sql.statements import put_out
from storage.tables.cases import Case, CaseTransition


class CaseService(CaseOpenings):
    """Opens and moves cases.

    ``district``: first part of case numbers.  ``definitions`` by id, default those in force.  ``calendars`` by id;
    ``default`` is China's statutory one when none is given.  ``effects`` adds those that need more
    than cases (:func:`events.runtime.wiring.case_service` gives them all).  Holds no state: share it between threads.
    """

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
        try:
            case = self.locked(session, command.case_id, actor)
        except NotFound:
            if not was_carried_out(session, command.case_id, command.idempotency_key, actor):
                raise
            case = None
        replay = replayed(session, command, actor, self.definitions)
        if replay is not None:
            return replay
        assert case is not None  # noqa: S101 - not seen, and nothing carried out: raised above
        if command.expected_version is not None and command.expected_version != case.version:
            raise self._stale(session, case)
        deed = None
        if told is not None:
            check_seen(session, case, told, actor)
            deed = deed_of(session, case, told, self.stamp(case))
        rows = CaseRows.load(session, case)
        self.move(session, rows, command, actor, deed)
        put_out(session, case, *rows.parts, *rows.clocks)
        return self._answer(session, case)

    def check_allowed(self, case_id: str, name: str, actor: Actor, key: str | None = None) -> None:
        """Before anything else of a command is read: ``NotFound`` for a case that ``actor`` may not see,
        ``MoveForbidden`` when the person may not give the command ``name`` in the state that the case is in.  What
        was carried out under ``key`` before is allowed again: its answer was lost."""
        with read_scope(self.engine) as session:
            if was_carried_out(session, case_id, key, actor):
                return
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
        now = self.stamp(case)
        for ref in files:
            add_evidence(session, case.case_id, ref, "other", "outside", now)
        party = Actor(user_id="outside", name="群众", roles=(PARTY,))
        self.note(session, case, party, "party_answer", dict(who))
        wish = Command(name=name, case_id=case.case_id, actor_id=party.user_id, data=dict(data))
        self.move(session, CaseRows.load(session, case), wish, party)
        session.flush()

    def _report(self, session: Session, command: Command, actor: Actor, told: Told | None) -> CaseView:
        data = dict(command.data)
        definition = self.definition(str(data.pop("definition_id", "city_management")))
        spec = definition.commands.get("report")
        if spec is None:
            raise CommandUnknown(
                definition=definition.definition_id, command="report", known=", ".join(definition.commands)
            )
        if not may(actor, CaseState(state=NEW, now=self.clock.now()), spec.who):
            raise MoveForbidden(command="report", detail="your role does not allow it", who=who_text(spec.who))
        key = command.idempotency_key or ""
        case_id = derived_id("report", actor.user_id, key) if key else new_id()
        if key and session.get(Case, case_id) is not None:
            return msgspec.structs.replace(summary_of(session, case_id), replayed=True)
        wish = Command(name="report", case_id="", actor_id=actor.user_id, data=data, files=command.files)
        wish = with_stored_evidence(session, wish, actor, case_id, self.clock.now())
        wish = with_stored_documents(session, wish, actor, case_id, self.clock.now(), definition.documents)
        wish = with_form_answers(definition, wish, self.clock.now(), self.calendars["default"])
        data = dict(wish.data)
        check_form(definition, wish)
        draft = draft_of(definition, data)
        check_place(definition, draft)
        now = self.clock.now()
        recorded = {"recorded": judged(told, now, now - LONGEST, draft.location).facts()} if told is not None else {}
        case = self.create(session, draft, actor, recorded, key, case_id)
        self.begin(session, case, definition, data, actor)
        return self._answer(session, case)

    def _stale(self, session: Session, case: Case) -> StaleCase:
        last = session.scalars(
            select(CaseTransition).where(CaseTransition.case_id == case.case_id).order_by(CaseTransition.seq.desc())
        ).first()
        if last is None:
            raise NotFound(what="transition of case", key=case.case_id)
        return stale(session, case, last)

    def _answer(self, session: Session, case: Case) -> CaseView:
        """What the command's sender is told; from here on the row stands where its transitions say."""
        session.flush()
        return summary_in_hand(session, case)
