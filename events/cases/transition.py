"""One transition being carried out: what effects work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from core.clock import Clock
from core.ids import new_id
from core.records import JSON, Actor, EvidenceRef, Severity
from events.cases.clocks import Clocks
from events.cases.course.relations import CaseState, part_of
from events.cases.definition import Definition
from events.cases.drafts import CaseDraft, Route
from events.cases.errors import GuardFailed
from events.cases.lifecycle import Transition
from events.evidence import row_seal
from storage.tables.cases import Case, CaseAssignment, CaseEvidence

LIVE = ("dispatched", "accepted", "finished")  # parts that are not over


class Cases(Protocol):
    """What an effect may ask of the case service, inside the transition's transaction."""

    clock: Clock

    def create(self, session: Session, draft: CaseDraft, actor: Actor, extra: Mapping[str, JSON]) -> Case: ...

    def open_in(self, session: Session, draft: CaseDraft, actor: Actor) -> Case: ...

    def other_case(self, session: Session, case_id: str, actor: Actor) -> Case: ...

    def place(self, session: Session, case: Case) -> object: ...

    def class_limit(self, session: Session, case: Case) -> dict[str, JSON] | None: ...

    def escalate_in(self, session: Session, case: Case, severity: Severity, reason: dict[str, JSON]) -> None: ...

    def note(self, session: Session, case: Case, actor: Actor, command: str, data: Mapping[str, JSON]) -> None: ...

    def recurred(self, session: Session, case: Case, reason: str) -> None: ...

    def relapse_in(self, session: Session, case: Case, reason: str, path: Route | None) -> bool: ...

    def order_in(self, session: Session, case: Case, name: str, data: Mapping[str, JSON]) -> None: ...

    def spawn(
        self, session: Session, definition_id: str, data: Mapping[str, JSON], actor: Actor, parent: Case
    ) -> Case: ...

    def keep_fields(
        self, session: Session, case: Case, values: Mapping[str, JSON], command: str, actor: Actor
    ) -> None: ...


@dataclass
class Work:
    """One transition being carried out, inside its transaction."""

    session: Session
    service: Cases
    case: Case
    definition: Definition
    state: CaseState
    transition: Transition
    actor: Actor
    at: datetime
    clocks: Clocks
    assignments: list[CaseAssignment]  # all parts of the case, by dispatch
    reason_data: dict[str, Any]
    params: dict[str, Any]  # of the effect that is being carried out
    done_at: datetime | None = None  # when the work was done, if that counts and differs from ``at``

    @property
    def data(self) -> dict[str, Any]:
        return self.transition.data

    def put(self, **changes: Any) -> None:
        """Change the case's form (a JSON column is seen as changed only when assigned)."""
        form = {**self.case.form, **changes}
        self.case.form = {k: v for k, v in form.items() if v is not None}

    def parts(self, *roles: str) -> list[CaseAssignment]:
        """The case's assignments that are not over, of ``roles``."""
        return [row for row in self.assignments if row.state in LIVE and (not roles or row.role in roles)]

    def own_assignment(self) -> str | None:
        """The id of the part in which the actor acts; None where he acts for the whole."""
        own = part_of(self.actor, self.state)
        row = self._part(own.role, own.department_id) if own is not None else None
        return row.assignment_id if row is not None else None

    def _part(self, role: str, department: str | None) -> CaseAssignment | None:
        """The department's part in that role, one that is not finished before one that is."""
        rows = [row for row in self.parts(role) if row.department_id == department]
        return min(rows, key=lambda row: row.state == "finished", default=None)

    def own_part(self) -> CaseAssignment:
        """The actor's department's part, or the lead's when somebody acts for it."""
        own = part_of(self.actor, self.state)
        role, department = (own.role, own.department_id) if own is not None else ("lead", self.case.department_id)
        row = self._part(role, department)
        if row is not None:
            return row
        raise GuardFailed(
            command=self.transition.command,
            detail="your department has no part in this case, and it is with nobody",
            how="ask the dispatcher to give it out again",
        )


def add_evidence(session: Session, case_id: str, ref: EvidenceRef, purpose: str, by: str, at: datetime) -> None:
    """One evidence row; the next link of the case's chain tells of it."""
    row = CaseEvidence(
        evidence_id=new_id(),
        case_id=case_id,
        purpose=purpose,
        kind=ref.kind,
        uri=ref.uri,
        sha256=ref.sha256,
        media_type=ref.media_type,
        taken_at=ref.taken_at,
        added_at=at,
        added_by=by,
        size_bytes=ref.size_bytes,
        lon=ref.location.lon if ref.location else None,
        lat=ref.location.lat if ref.location else None,
        accuracy_m=ref.accuracy_m,
    )
    session.add(row)
    row_seal.note_added(session, row)
