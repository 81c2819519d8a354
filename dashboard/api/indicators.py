"""Indicators (综合评价): the table, the cases behind a number, export as CSV and XLSX."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from core.errors import InputInvalid
from dashboard.answers.cases import CasesBehind
from dashboard.answers.duty import IndicatorTable
from dashboard.api.deps import EXPORT, Use, Who, allow, answers, respond, sends
from dashboard.api.filters import PeriodFilter, Text
from dashboard.services import Services
from events.cases.queries import summary_of
from events.indicators.counting import Grouping, IndicatorQuestion
from events.indicators.evaluation import Table, cases_behind, evaluate
from events.indicators.export import as_csv, as_xlsx
from events.indicators.keeping import keep_up
from storage.session import read_scope

router = APIRouter(tags=["indicators"])

READERS = ("admin", "operator", "dispatcher", "manager", "viewer")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = timedelta(days=3 * 366)


class IndicatorFilters(PeriodFilter):
    """What is counted; by default the last 30 days."""

    by: Grouping = "department"
    definition: Text = "city_management"
    department: Text | None = None
    division: Text | None = None
    class_code: Text | None = None


class BehindFilters(IndicatorFilters):
    """Which number: an indicator's upper count, or a measure; of which group."""

    meaningful_when_empty = frozenset({"key"})
    indicator: Text | None = None
    measure: Text | None = None
    key: Text | None = Field(None, description="the group; empty: those that belong to none; left out: all")
    limit: int = Field(200, ge=1, le=500)


def question_of(asked: IndicatorFilters, now: datetime) -> IndicatorQuestion:
    """The question with its span filled in."""
    end = asked.end or now
    start = asked.start or end - timedelta(days=30)
    if not timedelta(0) < end - start <= LONGEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 3 years")
    return IndicatorQuestion(
        opened_from=start, opened_to=end, by=asked.by, definition=asked.definition, department=asked.department,
        division=asked.division, class_code=asked.class_code,
    )  # fmt: skip


def _table(asked: IndicatorFilters, use: Services, who: Any) -> Table:
    now = use.clock.now()
    keep_up(use.engine)
    with read_scope(use.engine) as session:
        return evaluate(session, who.actor, question_of(asked, now), now)


@router.get("/api/indicators", dependencies=[allow(*READERS)], **answers(IndicatorTable))
def indicators(asked: Annotated[IndicatorFilters, Query()], use: Use, who: Who) -> Response:
    """A line per group with counts, rates and score; all together; the formulas."""
    table = _table(asked, use, who)
    definitions = [
        {"id": f.id, "name": f.name, "formula": f"{f.over} / {f.under}", "over": f.over, "under": f.under,
         "better": f.better} for f in table.formulas
    ]  # fmt: skip
    return respond({"items": table.lines, "total": table.total, "definitions": definitions, "question": table.question})


@router.get("/api/indicators/cases", dependencies=[allow(*READERS)], **answers(CasesBehind))
def behind(asked: Annotated[BehindFilters, Query()], use: Use, who: Who) -> Response:
    """The cases that a number counts: ``indicator`` (its upper number) or ``measure``, and ``key`` of the group."""
    now = use.clock.now()
    question, measure = question_of(asked, now), asked.measure
    with read_scope(use.engine) as session:
        if measure is None:
            formulas = {f.id: f.over for f in evaluate(session, who.actor, question, now).formulas}
            if asked.indicator not in formulas:
                raise InputInvalid(
                    field="indicator", detail=f"{asked.indicator!r} is unknown", how=f"use: {', '.join(formulas)}"
                )
            measure = formulas[asked.indicator]
        ids = cases_behind(session, who.actor, question, measure, asked.key, now, asked.limit)
        items = [summary_of(session, case_id) for case_id in ids]
    return respond({"items": items, "measure": measure, "next": None})


@router.get("/api/indicators.csv", dependencies=[allow(*READERS), EXPORT], **sends("text/csv"))
def csv_file(asked: Annotated[IndicatorFilters, Query()], use: Use, who: Who) -> Response:
    """The table as CSV (UTF-8 with a mark, so that spreadsheet programs read Chinese)."""
    return _download(as_csv(_table(asked, use, who), who.language), "text/csv; charset=utf-8", "indicators.csv")


@router.get("/api/indicators.xlsx", dependencies=[allow(*READERS), EXPORT], **sends(XLSX))
def xlsx_file(asked: Annotated[IndicatorFilters, Query()], use: Use, who: Who) -> Response:
    """The table as an Excel workbook, with the formulas."""
    return _download(as_xlsx(_table(asked, use, who), who.language), XLSX, "indicators.xlsx")


def _download(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
