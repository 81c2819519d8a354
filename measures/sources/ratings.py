"""Ratings (好差评) as a source: stars, reasons and departments, as far as the rated case may be seen."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.access import visible_cases
from measures.conditions import Field
from measures.source import Asked, Shown, Source, department_names
from storage.tables.cases import Case
from storage.tables.persons import CaseRating


def fields(_asked: Asked) -> Mapping[str, Field]:
    """What ratings are filtered and grouped by; ``counted`` is false where an appeal was upheld."""
    return {
        "stars": Field(CaseRating.stars, "number", "星级", "stars"),
        "counted": Field(CaseRating.counted, "flag", "计入", "counted"),
        "followed": Field(CaseRating.bad_case_id.is_not(None), "flag", "已立差评案", "followed by a case"),
        "department": Field(CaseRating.department_id, "text", "部门", "department"),
        "definition": Field(Case.definition_id, "text", "案件类型", "kind of case"),
        "rated": Field(CaseRating.rated_at, "time", "评价时间", "rated"),
    }


def _visible(_session: Session, actor: Actor) -> ColumnElement[bool]:
    return visible_cases(actor)


SOURCE = Source(
    id="ratings", zh="好差评", en="ratings",
    table=CaseRating.__table__.join(Case.__table__, Case.case_id == CaseRating.case_id),
    key=CaseRating.rating_id, fields=fields, visible=_visible, newest=CaseRating.rated_at,
    shown=(
        Shown("number", Case.number, "编号", "number"), Shown("title", Case.title, "标题", "title"),
        Shown("stars", CaseRating.stars, "星级", "stars"), Shown("comment", CaseRating.comment, "意见", "comment"),
        Shown("rated", CaseRating.rated_at, "评价时间", "rated"),
    ),
    names={"department": department_names},
)  # fmt: skip
