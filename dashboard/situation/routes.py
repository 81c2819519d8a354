"""The situation report over HTTP: as data, as PDF, as the text of a hand-over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from core.errors import InputInvalid
from dashboard.answers.situation import HandoverDraft
from dashboard.api.deps import CENTRE, EXPORT, Use, Who, allow, answers, respond, sends
from dashboard.api.filters import PeriodFilter
from dashboard.situation.facts import SituationReport, handover_text, situation
from dashboard.situation.pdf import render
from storage.session import read_scope

router = APIRouter(tags=["situation"])
LONGEST = timedelta(days=400)
PDF = "application/pdf"
Asked = Annotated[PeriodFilter, Query()]


def span_of(asked: PeriodFilter, now: datetime) -> tuple[datetime, datetime]:
    """The span; by default the twelve hours until now.

    Raises:
        InputInvalid: it ends before it begins, or is longer than 400 days.
    """
    ends = asked.end or now
    begins = asked.start or ends - timedelta(hours=12)
    if not timedelta(0) < ends - begins <= LONGEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 400 days")
    return begins, ends


def report_of(asked: PeriodFilter, use: Use, who: Who) -> SituationReport:
    """The report that was asked for."""
    begins, ends = span_of(asked, use.clock.now())
    with read_scope(use.engine) as session:
        return situation(session, use, who.actor, who.language, begins, ends)


@router.get("/api/situation", dependencies=[allow(*CENTRE)], **answers(SituationReport))
def situation_data(asked: Asked, use: Use, who: Who) -> Response:
    """The report as data: figures, gravest and open cases, departments, map."""
    return respond(report_of(asked, use, who))


@router.get("/api/situation.pdf", dependencies=[allow(*CENTRE), EXPORT], **sends(PDF))
def situation_pdf(asked: Asked, use: Use, who: Who) -> Response:
    """The report as a PDF of A4 pages."""
    body = render(report_of(asked, use, who), who.language)
    return Response(body, media_type=PDF, headers={"Content-Disposition": 'attachment; filename="situation.pdf"'})


@router.get("/api/situation/handover", dependencies=[allow(*CENTRE)], **answers(HandoverDraft))
def handover_draft(asked: Asked, use: Use, who: Who) -> Response:
    """A draft of the hand-over note of the span: what the next shift has to know."""
    return respond({"note": handover_text(report_of(asked, use, who), who.language)})
