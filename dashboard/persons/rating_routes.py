"""Ratings (好差评) of a case and of all cases that a person may see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import select

from core.errors import NotFound
from dashboard.api.deps import Use, Who, answers, respond
from dashboard.api.filters import Filters, Text
from dashboard.persons.ratings import RatingGroup, RatingPage, rating_page
from dashboard.reception.ratings import rating_of
from events.cases.access import visible_cases
from storage.session import read_scope
from storage.tables.cases import Case

router = APIRouter(tags=["people without an account"])


class RatingView(msgspec.Struct):
    """``counted`` false: an appeal was upheld."""

    stars: int
    reasons: list[str]
    comment: str
    rated_at: datetime
    bad_case_id: str | None
    counted: bool


class RatingAnswer(msgspec.Struct):
    rating: RatingView | None


class RatingFilters(Filters):
    """Filters of ``GET /api/ratings``."""

    group: RatingGroup = Field(
        "all", description="bad: two stars or fewer; following, late: the case that follows is open, over a clock; "
        "appealed: waits for the second look; upheld: out of the count",
    )  # fmt: skip
    department: Text | None = None
    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1_000_000)


@router.get("/api/ratings", **answers(RatingPage))
def ratings(asked: Annotated[RatingFilters, Query()], use: Use, who: Who) -> Response:
    """Ratings of the cases this person may see, newest first, with what became of the bad ones."""
    with read_scope(use.engine) as session:
        return respond(rating_page(
            session, who.actor, use.cases.definitions, use.clock.now(), group=asked.group, department=asked.department,
            limit=asked.limit, offset=asked.offset,
        ))  # fmt: skip


@router.get("/api/cases/{case_id}/rating", **answers(RatingAnswer))
def rating(case_id: str, use: Use, who: Who) -> Response:
    """The rating of a case, null while there is none; ``counted`` false after an appeal that was upheld."""
    with read_scope(use.engine) as session:
        case = select(Case).where(Case.case_id == case_id, visible_cases(who.actor))
        if session.scalars(case).one_or_none() is None:
            raise NotFound(what="case", key=case_id)
        found = rating_of(session, case_id)
        view = None
        if found is not None:
            reasons = [str(each) for each in found.reasons]
            view = RatingView(
                found.stars, reasons, found.comment, found.rated_at, found.bad_case_id, found.counted
            )  # fmt: skip
        return respond(RatingAnswer(view))
