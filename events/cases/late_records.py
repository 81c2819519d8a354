"""What can no longer be carried out is kept in the file with its photographs; the case's state stays as it is."""

from __future__ import annotations

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from core.deed import Told
from core.errors import NotFound
from core.records import Actor, Command, EvidenceRef
from events.cases.access import visible_cases
from events.cases.deeds import deed_of
from events.cases.service import CaseService
from events.cases.transition import add_evidence
from storage.tables.cases import Case, CaseAssignment, CaseTransition

COMMAND = "late_record"


def keep_late(
    service: CaseService, session: Session, wish: Command, actor: Actor, told: Told, refused: str,
    files: list[EvidenceRef],
) -> None:  # fmt: skip
    """Keep ``wish``, which was ``refused`` (an error's code), as a record; sent again it changes nothing.

    For whoever may see the case, or once took part in it or whose department did: work done on site is evidence,
    whoever has the case now.
    """
    case = _locked(session, wish.case_id, actor)
    key = wish.idempotency_key
    earlier = select(CaseTransition.seq).where(
        CaseTransition.case_id == case.case_id, CaseTransition.command == COMMAND, CaseTransition.idempotency_key == key
    )
    if key is not None and session.scalar(earlier) is not None:
        return
    now = max(service.clock.now(), case.updated_at)
    for ref in files:
        add_evidence(session, case.case_id, ref, "other", actor.user_id, now)
    facts = {
        "command": wish.name,
        "sent": wish.data,
        "refused": refused,
        "recorded": deed_of(session, case, told, now).facts(),
        "evidence": [ref.sha256 for ref in files],
    }
    service.note(session, case, actor, COMMAND, facts, key)


def _locked(session: Session, case_id: str, actor: Actor) -> Case:
    acted = exists().where(CaseTransition.case_id == Case.case_id, CaseTransition.actor_id == actor.user_id)
    own = [CaseAssignment.user_id == actor.user_id]
    if actor.department_id:
        # it was the department's when it was done
        own.append(and_(CaseAssignment.department_id == actor.department_id, Case.confidential.is_(False)))
    part = exists().where(CaseAssignment.case_id == Case.case_id, or_(*own)).correlate(Case)
    case = session.scalars(
        select(Case)
        .where(Case.case_id == case_id, or_(visible_cases(actor), acted.correlate(Case), part))
        .with_for_update(of=Case)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    return case
