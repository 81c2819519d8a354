"""``GET /api/cases/{case_id}/cap.xml``: a case as an OASIS CAP 1.2 alert."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from dashboard.api.deps import Use, Who, sends
from dashboard.services import Services
from events.cases.access import may_see
from events.correlation.scoring import happening_of_key
from events.interchange import cap
from events.interchange.cap_course import CapMove, course
from events.taxonomy.classes import class_names
from storage.session import read_scope
from storage.tables.cases import Case, CaseTransition
from storage.tables.registry import Department, Division, Site

router = APIRouter(tags=["cases"])


@router.get("/api/cases/{case_id}/cap.xml", **sends("application/cap+xml"))
def as_cap(case_id: str, use: Use, who: Who) -> Response:
    """The case as an OASIS CAP 1.2 alert."""
    with read_scope(use.engine) as session:
        case = session.get(Case, case_id)
        if case is None or case.confidential or not may_see(session, who.actor, case_id):
            raise NotFound(what="case", key=case_id)
        document = cap.alert_xml(_alert(session, use, case))
    return Response(document, media_type=cap.MEDIA_TYPE)


def _alert(session: Session, use: Services, case: Case) -> cap.Alert:
    moves = session.scalars(
        select(CaseTransition).where(CaseTransition.case_id == case.case_id).order_by(CaseTransition.seq)
    )
    told = course(
        case.opened_at,
        case.state,
        [CapMove(seq=m.seq, command=m.command, at=m.at, to_state=m.to_state) for m in moves],
    )
    now = told[-1]
    department = session.get(Department, case.department_id) if case.department_id else None
    return cap.Alert(
        case_id=case.case_id,
        number=case.number,
        version=now.seq,
        title=case.title,
        description=case.description,
        severity=case.severity,
        happening=happening_of_key(case.happening_key).removeprefix("area-"),
        class_code=case.class_code,
        class_version=case.class_version,
        event=class_names().get((case.class_code, case.class_version), ""),
        state=now.state,
        sent=now.sent,
        onset=case.opened_at,
        expires=case.deadline_at,
        lon=case.lon,
        lat=case.lat,
        area=_place(session, case),
        division_code=case.division_code,
        sender_name=department.name if department and len(told) > 1 else "",
        confirmed=now.confirmed,
        confidence=case.confidence,
        web=f"{use.settings.public_url}/cases/{case.case_id}",
        exercise=bool(use.settings.subject_prefix),
        note=_merged_into(session, case) if now.state == "merged" else "",
        earlier=tuple((cap.identifier(case.case_id, m.seq), m.sent) for m in told[:-1]),
    )


def _merged_into(session: Session, case: Case) -> str:
    """Where the happening goes on: one of them is told once."""
    other = session.get(Case, case.merged_into_id) if case.merged_into_id else None
    return f"continued by {other.number} / 已并入 {other.number}" if other is not None else ""


def _place(session: Session, case: Case) -> str:
    """Where it is, in words: the site, else the divisions from the district down, else the coordinates."""
    site = session.get(Site, case.site_id) if case.site_id else None
    if site is not None:
        return site.name
    code = case.division_code or ""
    names = [session.get(Division, code[:n]) for n in (6, 9, 12) if len(code) >= n]
    found = "".join(d.name for d in names if d is not None)
    if found:
        return found
    return f"{case.lat:.5f}, {case.lon:.5f}" if case.lat is not None and case.lon is not None else ""
