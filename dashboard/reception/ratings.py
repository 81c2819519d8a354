"""Ratings (好差评): 1 to 5, once for each file, with reasons; at two or fewer stars a case of its own follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import YiwangError
from core.records import Actor
from events.cases.service import CaseService
from storage.tables.cases import Case
from storage.tables.persons import CaseRating

PUBLIC = Actor(user_id="outside", name="群众", roles=("citizen",))
BAD = 2
DEFINITION = "bad_rating"
UPHELD = "upheld"
_REASONS = {
    "slow": "办理太慢", "unsolved": "问题没有解决", "attitude": "态度不好", "untold": "没有告知进展",
    "again": "要求重复提供材料", "fee": "违规收费", "other": "其他",
}  # fmt: skip


class RatedAlready(YiwangError):
    code = "rated_already"
    message = "this file was rated already"
    remedy = "a rating is given once"
    zh = "这件事已经评价过"
    zh_remedy = "只能评价一次"


class NotToBeRated(YiwangError):
    code = "not_to_be_rated"
    message = "this file cannot be rated now"
    remedy = "it can be rated once it is closed"
    zh = "现在还不能评价"
    zh_remedy = "办结后可以评价"


def may_rate(session: Session, case: Case) -> bool:
    """Closed, not itself a bad rating, and not rated yet."""
    return not case.open and case.definition_id != DEFINITION and rating_of(session, case.case_id) is None


def rating_of(session: Session, case_id: str) -> CaseRating | None:
    """The file's rating."""
    return session.scalars(select(CaseRating).where(CaseRating.case_id == case_id)).one_or_none()


def rate(
    session: Session, cases: CaseService, case: Case, rating_id: str, answers: dict[str, Any], now: datetime, link: str
) -> CaseRating:
    """Write the rating and a link of the case's chain; open the case that a bad one calls for."""
    if rating_of(session, case.case_id) is not None:
        raise RatedAlready()
    if not may_rate(session, case):
        raise NotToBeRated()
    stars = int(answers["stars"])
    reasons = [str(each) for each in answers.get("reasons") or []]
    rating = CaseRating(
        rating_id=rating_id, case_id=case.case_id, stars=stars, reasons=reasons,
        comment=str(answers.get("comment") or "")[:2000], department_id=case.department_id or "", by_link=link,
        rated_at=now, counted=True,
    )  # fmt: skip
    session.add(rating)
    session.flush()
    cases.note(session, case, PUBLIC, "rate", {"stars": stars, "reasons": list(reasons)})
    if stars <= BAD:
        words = "、".join(_REASONS.get(each, each) for each in reasons)
        data = {
            "title": f"差评：{case.number}", "stars": stars, "rating_reasons": words[:400], "rated_number": case.number,
            "description": rating.comment,
        }  # fmt: skip
        if case.department_id:
            data["department_id"] = case.department_id
        made = cases.open_for(session, DEFINITION, data, PUBLIC, {"rating": {"of": case.case_id}}, case)
        rating.bad_case_id = made.case_id
    return rating


def leave_the_count(session: Session) -> int:
    """Ratings whose appeal was upheld no longer count; the rows and the log stay."""
    upheld = select(Case.case_id).where(Case.definition_id == DEFINITION, Case.state == UPHELD)
    done = session.execute(
        update(CaseRating)
        .where(CaseRating.counted.is_(True), CaseRating.bad_case_id.in_(upheld))
        .values(counted=False)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0) or 0)
