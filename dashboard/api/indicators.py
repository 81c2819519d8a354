"""Indicators (综合评价): the table, the cases behind a number, export as CSV and XLSX."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid
from dashboard.api.deps import Use, Who, allow, respond
from dashboard.api.params import moment, text, whole
from dashboard.services import Services
from events.cases.queries import summary_of
from events.indicators.evaluation import Grouping, Question, Table, cases_behind, evaluate
from events.indicators.export import as_csv, as_xlsx
from storage.session import read_scope

router = APIRouter(tags=["indicators"])

READERS = ("admin", "operator", "dispatcher", "manager", "viewer")
LONGEST = timedelta(days=3 * 366)


def question_of(request: Request, now: datetime) -> Question:
    """from, to (default the last 30 days), by, definition, department, division, class_code."""
    query = request.query_params
    end = moment(query, "to") or now
    start = moment(query, "from") or end - timedelta(days=30)
    if not timedelta(0) < end - start <= LONGEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 3 years")
    by = text(query, "by") or "department"
    if by not in get_args(Grouping):
        raise InputInvalid(field="by", detail=f"{by!r} is unknown", how=f"use: {', '.join(get_args(Grouping))}")
    return Question(
        opened_from=start,
        opened_to=end,
        by=by,  # type: ignore[arg-type]  # checked above
        definition=text(query, "definition") or "city_management",
        department=text(query, "department"),
        division=text(query, "division"),
        class_code=text(query, "class_code"),
    )


def _table(request: Request, use: Services, who: Any) -> Table:
    now = use.clock.now()
    with read_scope(use.engine) as session:
        return evaluate(session, who.actor, question_of(request, now), now)


@router.get("/api/indicators", dependencies=[allow(*READERS)])
def indicators(request: Request, use: Use, who: Who) -> Response:
    """A line per group with counts, rates and score; all together; the formulas."""
    table = _table(request, use, who)
    definitions = [
        {"id": f.id, "name": f.name, "formula": f"{f.over} / {f.under}", "over": f.over, "under": f.under,
         "better": f.better} for f in table.formulas
    ]  # fmt: skip
    return respond({"items": table.lines, "total": table.total, "definitions": definitions, "question": table.question})


@router.get("/api/indicators/cases", dependencies=[allow(*READERS)])
def behind(request: Request, use: Use, who: Who) -> Response:
    """The cases that a number counts: ``indicator`` (its upper number) or ``measure``, and ``key`` of the group."""
    now = use.clock.now()
    question = question_of(request, now)
    query = request.query_params
    measure = text(query, "measure")
    with read_scope(use.engine) as session:
        if measure is None:
            wanted = text(query, "indicator")
            formulas = {f.id: f.over for f in evaluate(session, who.actor, question, now).formulas}
            if wanted not in formulas:
                raise InputInvalid(
                    field="indicator", detail=f"{wanted!r} is unknown", how=f"use: {', '.join(formulas)}"
                )
            measure = formulas[wanted]
        limit = whole(query, "limit", 200, 1, 500)
        key = (text(query, "key") or "") if "key" in query else None  # "" is the group of those that belong to none
        ids = cases_behind(session, who.actor, question, measure, key, now, limit)
        items = [summary_of(session, case_id) for case_id in ids]
    return respond({"items": items, "measure": measure, "next": None})


@router.get("/api/indicators.csv", dependencies=[allow(*READERS)])
def csv_file(request: Request, use: Use, who: Who) -> Response:
    """The table as CSV (UTF-8 with a mark, so that spreadsheet programs read Chinese)."""
    return _download(as_csv(_table(request, use, who), who.language), "text/csv; charset=utf-8", "indicators.csv")


@router.get("/api/indicators.xlsx", dependencies=[allow(*READERS)])
def xlsx_file(request: Request, use: Use, who: Who) -> Response:
    """The table as an Excel workbook, with the formulas."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _download(as_xlsx(_table(request, use, who), who.language), kind, "indicators.xlsx")


def _download(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
