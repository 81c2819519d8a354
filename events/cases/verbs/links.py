"""Effects that tie cases together and part them again: split, merge, unmerge, distinct."""

from __future__ import annotations

from sqlalchemy import select

from core.errors import InputInvalid
from core.records import Severity
from events.cases.drafts import CaseDraft
from events.cases.transition import Work
from events.correlation.distinct import declare_distinct
from storage.tables.cases import Case, CaseObservation


def split(work: Work) -> None:
    """Open one child a title; the parent stays as the bracket around them."""
    children = []
    for title in work.data["titles"]:
        draft = CaseDraft(
            title=title,
            definition_id=work.case.definition_id,
            kind=work.case.kind,
            class_code=work.case.class_code,
            class_version=work.case.class_version,
            severity=work.case.severity,  # type: ignore[arg-type]
            site_id=work.case.site_id,
            division_code=work.case.division_code,
            grid_code=work.case.grid_code,
            source_type=work.case.source_type,
            source_id=work.case.source_id,
            confidence=work.case.confidence,
            confidential=work.case.confidential,
            parent_case_id=work.case.case_id,
        )
        child = work.service.create(work.session, draft, work.actor, {"split": {"from": work.case.case_id}})
        child.lon, child.lat = work.case.lon, work.case.lat
        children.append(child.case_id)
    work.reason_data["children"] = children


def merge(work: Work) -> None:
    """Fold the case into another: its observations count there too, each link saying where it came from."""
    other = work.service.other_case(work.session, work.data["other_case_id"], work.actor)
    if other.case_id == work.case.case_id or other.merged_into_id is not None or not other.open:
        raise InputInvalid(
            field="other_case_id", detail="is this case itself, merged or closed", how="name the open case that stays"
        )
    if other.definition_id != work.case.definition_id or other.confidential != work.case.confidential:
        raise InputInvalid(field="other_case_id", detail="is another kind of case", how="name a case of the same kind")
    work.case.merged_into_id = other.case_id
    known = set(
        work.session.scalars(select(CaseObservation.observation_id).where(CaseObservation.case_id == other.case_id))
    )
    for link in work.session.scalars(select(CaseObservation).where(CaseObservation.case_id == work.case.case_id)):
        if link.observation_id not in known:
            work.session.add(
                CaseObservation(
                    case_id=other.case_id,
                    observation_id=link.observation_id,
                    linked_at=work.at,
                    score=link.score,
                    reason={"merged_from": work.case.case_id, "reason": work.transition.reason},
                )
            )
    work.service.note(
        work.session, other, work.actor, "absorb", {"case_id": work.case.case_id, "number": work.case.number}
    )
    if work.case.severity > other.severity:
        other.why = {**other.why, "raised": {**other.why.get("raised", {}), work.case.case_id: other.severity}}
        because = {"merged": work.case.number}
        work.service.escalate_in(work.session, other, Severity(work.case.severity), because)
    if other.finished_at is not None and work.case.opened_at > other.finished_at:
        work.service.recurred(work.session, other, f"又有人报告 / reported again: {work.case.number}")


def unmerge(work: Work) -> None:
    """Undo a merge: the links that came with it go, the case stands again as it stood."""
    other_id, work.case.merged_into_id = work.case.merged_into_id, None
    for link in work.session.scalars(select(CaseObservation).where(CaseObservation.case_id == other_id)):
        if link.reason.get("merged_from") == work.case.case_id:
            work.session.delete(link)
    other = work.session.get(Case, other_id)
    if other is not None:
        body = {"case_id": work.case.case_id, "number": work.case.number}
        raised = dict(other.why.get("raised", {}))
        before = raised.pop(work.case.case_id, None)
        if before is not None and other.severity == work.case.severity:
            body["severity"], other.severity = before, before
        other.why = {**other.why, "raised": raised} if before is not None else other.why
        declare_distinct(work.case, other, work.actor.user_id, work.at.isoformat(), work.transition.reason)
        work.service.note(work.session, other, work.actor, "release", body)


def distinct(work: Work) -> None:
    """Say that this case and another are two happenings: a proposal refused, for good, on both."""
    other = work.service.other_case(work.session, work.data["other_case_id"], work.actor)
    if other.case_id == work.case.case_id:
        raise InputInvalid(field="other_case_id", detail="is this case itself", how="name the other case")
    declare_distinct(work.case, other, work.actor.user_id, work.at.isoformat(), work.transition.reason)
    body = {"case_id": work.case.case_id, "number": work.case.number, "reason": work.transition.reason}
    work.service.note(work.session, other, work.actor, "distinct", body)
