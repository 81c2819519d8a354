"""Ratings as staff read them: which case was rated how, what became of a bad one, who judged an appeal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from core.records import Actor
from dashboard.reception.ratings import BAD, UPHELD
from events.cases.access import visible_cases
from events.cases.definition import Definition
from storage.tables.cases import Case, CaseClock, CaseTransition
from storage.tables.people import User
from storage.tables.persons import CaseRating
from storage.tables.registry import Department

RatingGroup = Literal["all", "bad", "following", "appealed", "late", "upheld"]
APPEALED = "appealed"
_TOLD = ("appeal", "uphold_appeal", "reject_appeal", "confirm_mended", "send_back")


class RatingMove(msgspec.Struct):
    """An appeal, or a second look: ``command`` of the bad-rating case, who gave it, why."""

    command: str
    by: str
    at: datetime
    reason: str


class RatingLine(msgspec.Struct):
    """A rating with the case that it is about, and what follows it (``bad_…``: null or empty where nothing does).

    ``counted`` false: an appeal was upheld.  ``reasons`` are codes, ``bad_state`` is the definition's own.
    """

    rating_id: str
    stars: int
    reasons: list[str]
    comment: str
    rated_at: datetime
    counted: bool
    case_id: str
    number: str
    title: str
    definition_id: str
    department_id: str
    department_name: str
    bad_case_id: str | None = None
    bad_number: str = ""
    bad_state: str = ""
    bad_state_name: dict[str, str] = {}
    bad_open: bool = False
    due_at: datetime | None = None
    moves: list[RatingMove] = []


class RatingPage(msgspec.Struct):
    """``total``: all that fit; ``mean``: of those that count, null where there are none."""

    items: list[RatingLine]
    total: int
    mean: float | None


def rating_page(
    session: Session, actor: Actor, definitions: Mapping[str, Definition], now: datetime, *, group: RatingGroup = "all",
    department: str | None = None, limit: int = 100, offset: int = 0,
) -> RatingPage:  # fmt: skip
    """Ratings of the cases that ``actor`` may see, newest first."""
    bad = aliased(Case)
    wanted = [visible_cases(actor, definitions), *_group(group, bad, now)]
    if department:
        wanted.append(CaseRating.department_id == department)
    rows = (
        select(CaseRating, Case, bad, Department.name)
        .join(Case, Case.case_id == CaseRating.case_id)
        .outerjoin(bad, bad.case_id == CaseRating.bad_case_id)
        .outerjoin(Department, Department.department_id == CaseRating.department_id)
        .where(*wanted)
    )
    counted = func.avg(CaseRating.stars).filter(CaseRating.counted.is_(True))
    total, mean = session.execute(rows.with_only_columns(func.count(), counted)).one()
    shown = rows.order_by(CaseRating.rated_at.desc(), CaseRating.rating_id).limit(limit).offset(offset)
    items = [
        _line(rating, case, follow, name or "", definitions) for rating, case, follow, name in session.execute(shown)
    ]
    _add_course(session, items)
    return RatingPage(items, total, None if mean is None else round(float(mean), 2))


def _group(group: RatingGroup, bad: type[Case], now: datetime) -> Sequence[ColumnElement[bool]]:
    match group:
        case "bad":
            return [CaseRating.stars <= BAD]
        case "following":
            return [bad.open.is_(True)]
        case "appealed":
            return [bad.state == APPEALED]
        case "late":
            return [and_(bad.open.is_(True), bad.deadline_at < now)]
        case "upheld":
            return [bad.state == UPHELD]
        case _:
            return []


def _line(
    rating: CaseRating, case: Case, bad: Case | None, department: str, definitions: Mapping[str, Definition]
) -> RatingLine:
    line = RatingLine(
        rating_id=rating.rating_id, stars=rating.stars, reasons=[str(r) for r in rating.reasons],
        comment=rating.comment, rated_at=rating.rated_at, counted=rating.counted, case_id=case.case_id,
        number=case.number, title=case.title, definition_id=case.definition_id,
        department_id=rating.department_id, department_name=department,
    )  # fmt: skip
    if bad is not None:
        kind = definitions.get(bad.definition_id)
        state = kind.states.get(bad.state) if kind is not None else None
        line.bad_case_id, line.bad_number, line.bad_state, line.bad_open = (
            bad.case_id, bad.number, bad.state, bad.open,
        )  # fmt: skip
        line.bad_state_name = dict(state.name) if state is not None else {}
    return line


def _add_course(session: Session, items: list[RatingLine]) -> None:
    """The running clocks' next end, and appeals with their judgement, of every case that follows."""
    by_case = {line.bad_case_id: line for line in items if line.bad_case_id}
    if not by_case:
        return
    due = (
        select(CaseClock.case_id, func.min(CaseClock.deadline_at))
        .where(CaseClock.case_id.in_(by_case), CaseClock.stopped_at.is_(None))
        .group_by(CaseClock.case_id)
    )
    for case_id, at in session.execute(due):
        by_case[case_id].due_at = at
    moves = (
        select(CaseTransition, User.name)
        .outerjoin(User, User.user_id == CaseTransition.actor_id)
        .where(CaseTransition.case_id.in_(by_case), CaseTransition.command.in_(_TOLD))
        .order_by(CaseTransition.case_id, CaseTransition.seq)
    )
    for move, name in session.execute(moves):
        why = move.reason or str(move.data.get("comment") or "")
        by_case[move.case_id].moves.append(RatingMove(move.command, name or move.actor_id, move.at, why))
