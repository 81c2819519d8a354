"""The payer's cases of a benefit, and what their ends say about the grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.records import SYSTEM
from events.cases.service import CaseService
from records.benefits.refusing import Refuser, refuse
from storage.tables.cases import Case, CaseTransition
from storage.tables.items import BenefitGrant

KIND = "benefit_grant"
ANSWERS = {"confirmed": "confirmed", "not_entitled": "rejected", "declined": "refused", "lapsed": "gone"}


class CasesOfPayers:
    """The records' port on the case engine."""

    def __init__(self, service: CaseService) -> None:
        self._service = service

    def open(self, session: Session, title: str, department_id: str, body: Mapping[str, Any]) -> str:
        """Open a case of the kind ``benefit_grant`` for the department."""
        data = {**body, "title": title, "department_id": department_id}
        why = {"benefit": {"id": body["benefit"], "record": body["record_id"]}}
        return self._service.open_for(session, KIND, data, SYSTEM, why).case_id

    def end(self, session: Session, case_id: str, command: str, reason: str) -> None:
        """Give the case ``command`` while it is open."""
        case = session.get(Case, case_id)
        if case is not None and case.open:
            self._service.order_in(session, case, command, {"reason": reason})


def take_answers(session: Session, clock: Clock) -> int:
    """Grants whose case ended meanwhile: what the payer found counts, a refusal is kept.  Answers how many."""
    waiting = (
        select(BenefitGrant, Case)
        .join(Case, Case.case_id == BenefitGrant.case_id)
        .where(BenefitGrant.state == "proposed", Case.open.is_(False))
        .order_by(BenefitGrant.grant_id)
        .limit(1000)
    )
    found = list(session.execute(waiting).all())
    for grant, case in found:
        grant.state, grant.changed_at = ANSWERS.get(case.state, "gone"), clock.now()
        if case.state == "declined":
            reason = str(case.form.get("reason") or KIND)
            refuse(session, grant.benefit_id, grant.record_id, reason, _refuser(session, case, clock))
    return len(found)


def _refuser(session: Session, case: Case, clock: Clock) -> Refuser:
    """Who noted in the case that the person refuses."""
    sql = select(CaseTransition).where(CaseTransition.case_id == case.case_id, CaseTransition.to_state == case.state)
    last = session.scalars(sql.order_by(CaseTransition.seq.desc()).limit(1)).first()
    return Refuser(last.actor_id if last else SYSTEM.user_id, last.at if last else clock.now(), "case")
