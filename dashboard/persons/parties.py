"""The parties of a case who have no account: who was asked, who has answered and signed."""

from __future__ import annotations

from datetime import datetime

import msgspec
from fastapi import APIRouter, Response
from sqlalchemy import select

from core.codes.telephone import mobile_of
from core.errors import NotFound
from dashboard.api.deps import Use, Who, answers, respond
from events.cases.access import visible_cases
from storage.session import read_scope
from storage.tables.cases import Case
from storage.tables.files import CaseSubject

router = APIRouter(tags=["people without an account"])


class CasePartyView(msgspec.Struct):
    """``texted``: has a mobile number, so that a text message reaches him; ``signed_name``: as he signed."""

    subject_id: str
    name: str
    role: str
    texted: bool
    asked_at: datetime | None
    answered_at: datetime | None
    signed_name: str


class CasePartyList(msgspec.Struct):
    items: list[CasePartyView]


@router.get("/api/cases/{case_id}/parties", **answers(CasePartyList))
def parties(case_id: str, use: Use, who: Who) -> Response:
    """Those without an account whom the case is about; numbers stay in the file."""
    with read_scope(use.engine) as session:
        seen = select(Case.case_id).where(Case.case_id == case_id, visible_cases(who.actor))
        if session.scalar(seen) is None:
            raise NotFound(what="case", key=case_id)
        rows = session.scalars(
            select(CaseSubject).where(CaseSubject.case_id == case_id, CaseSubject.kind != "user")
            .order_by(CaseSubject.added_at, CaseSubject.name, CaseSubject.subject_id)
        )  # fmt: skip
        return respond(CasePartyList([_view(row) for row in rows]))


def _view(row: CaseSubject) -> CasePartyView:
    return CasePartyView(
        row.subject_id, row.name, row.role, mobile_of(row.contact) is not None, row.asked_at, row.answered_at,
        str(row.answer.get("signed_name") or ""),
    )  # fmt: skip
