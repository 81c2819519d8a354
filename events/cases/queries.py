"""From rows to the read models of :mod:`events.cases.read_models`; reads only."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, String, and_, bindparam, or_, select, union_all
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import Actor, Record
from events.cases.access import visible_cases
from events.cases.course.turn_keys import keys_for
from events.cases.read_models import (
    CasePage,
    CaseSummary,
)
from storage import case_text
from storage.sql.statements import ReadyStatement
from storage.tables.cases import Case, CaseAssignment
from storage.tables.files import CaseTurn
from storage.tables.people import User
from storage.tables.registry import Department, Division, Site

MAX_PAGE = 500
FEW = 1500  # cases that are looked up one by one
_OWN = [
    name for name in CaseSummary.__struct_fields__ if name != "replayed" and not name.endswith(("_name", "_name_en"))
]


class CaseFilter(Record, frozen=True):
    """What a list shall hold; None (or empty) means "do not care".  ``bbox``: west, south, east, north in degrees.

    ``mine``: only what the actor or his department has to do.
    """

    open: bool | None = None
    stage: str | None = None
    state: str | None = None
    department: str | None = None
    severity: int | None = None  # at least
    kind: str | None = None
    class_code: str | None = None  # a prefix
    division: str | None = None  # a prefix
    site: str | None = None
    q: str | None = None  # in number, title, description
    bbox: tuple[float, float, float, float] | None = None
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    overdue_at: datetime | None = None  # deadline before this instant
    definition: str | None = None
    mine: bool = False


def summaries() -> Select[Any]:
    """Cases with the names of what they point to: the columns of a :class:`CaseSummary`."""
    return (
        select(
            *[getattr(Case, name) for name in _OWN],
            Site.name.label("site_name"),
            Site.name_en.label("site_name_en"),
            Division.name.label("division_name"),
            Division.name_en.label("division_name_en"),
            Department.name.label("department_name"),
            Department.name_en.label("department_name_en"),
            User.name.label("handler_name"),
        )
        .select_from(Case)
        .outerjoin(Site, Site.site_id == Case.site_id)
        .outerjoin(Division, Division.code == Case.division_code)
        .outerjoin(Department, Department.department_id == Case.department_id)
        .outerjoin(User, User.user_id == Case.handler_id)
    )


_ONE = summaries().where(Case.case_id == bindparam("case_id"))
_POINTED = (
    ("site_name", Site.name, Site.site_id, "site"),
    ("site_name_en", Site.name_en, Site.site_id, "site"),
    ("division_name", Division.name, Division.code, "division"),
    ("division_name_en", Division.name_en, Division.code, "division"),
    ("department_name", Department.name, Department.department_id, "department"),
    ("department_name_en", Department.name_en, Department.department_id, "department"),
    ("handler_name", User.name, User.user_id, "handler"),
)
_COLUMNS = {"site": "site_id", "division": "division_code", "department": "department_id", "handler": "handler_id"}
_NAMED = [(label, column, key, _COLUMNS[name]) for label, column, key, name in _POINTED]
_HELD_NAMES = "yiwang.case.names"  # in Session.info
_NAMES = ReadyStatement(
    select(
        *[
            select(column).where(key == bindparam(name, type_=String)).scalar_subquery().label(label)
            for label, column, key, name in _POINTED
        ]
    )
)


def summary(row: Row[Any]) -> CaseSummary:
    """A row of :func:`summaries` as a record."""
    return CaseSummary(**row._mapping)


def summary_of(session: Session, case_id: str) -> CaseSummary:
    """One case's summary, whoever asks; ``NotFound`` when there is none."""
    row = session.execute(_ONE, {"case_id": case_id}).one_or_none()
    if row is None:
        raise NotFound(what="case", key=case_id)
    return summary(row)


def names_beside() -> list[Any]:
    """The names of what a case points to, as columns beside its own."""
    return [
        select(column).where(key == getattr(Case, name)).scalar_subquery().label(label)
        for label, column, key, name in _NAMED
    ]


def keep_names(session: Session, case: Case, names: Sequence[Any]) -> None:
    """Remember, for :func:`summary_in_hand`, the names that were read beside a case."""
    session.info[_HELD_NAMES] = (case, _pointed(case), names)


def _pointed(case: Case) -> tuple[str | None, ...]:
    return case.site_id, case.division_code, case.department_id, case.handler_id


def summary_in_hand(session: Session, case: Case) -> CaseSummary:
    """The summary of a case that the caller has just changed: names are looked up where it points elsewhere now."""
    keys = _pointed(case)
    held = session.info.get(_HELD_NAMES)
    if held is not None and held[0] is case and held[1] == keys:
        names = held[2]
    else:
        with session.no_autoflush:  # what is pending changes no name
            (names,) = _NAMES.rows(session, dict(zip(("site", "division", "department", "handler"), keys, strict=True)))
    named = {label: name for (label, *_), name in zip(_POINTED, names, strict=True)}
    own = vars(case)
    return CaseSummary(**{name: own[name] if name in own else getattr(case, name) for name in _OWN}, **named)


def list_cases(
    session: Session, actor: Actor, wanted: CaseFilter = CaseFilter(), cursor: str | None = None, limit: int = 50
) -> CasePage:
    """The cases that ``actor`` may see and ``wanted`` asks for, newest first; pages do not shift when cases come in."""
    if not 1 <= limit <= MAX_PAGE:
        raise InputInvalid(field="limit", detail=f"{limit} is out of range", how=f"give 1 … {MAX_PAGE}")
    looked_up = [_holding(session, wanted.q[:200])] if wanted.q else []
    looked_up += [_own(session, actor)] if wanted.mine else []
    others = msgspec.structs.replace(wanted, q=None, mine=False)
    query = summaries().where(visible_cases(actor), *conditions_of(others, actor), *looked_up)
    if cursor:
        opened_at, case_id = _read_cursor(cursor)
        query = query.where(or_(Case.opened_at < opened_at, and_(Case.opened_at == opened_at, Case.case_id < case_id)))
    rows = session.execute(query.order_by(Case.opened_at.desc(), Case.case_id.desc()).limit(limit + 1)).all()
    items = [summary(row) for row in rows[:limit]]
    return CasePage(items=items, next=_cursor(items[-1]) if len(rows) > limit else None)


def _read(words: str) -> ColumnElement[bool]:
    """Every word stands in title, description or number; a figure or two beside other words is no part of a number."""
    parts = words.split() or [words]
    texts = (Case.title, Case.description)
    every = ((*texts, Case.number) if len(parts) == 1 or len(part) > 2 else texts for part in parts)
    return and_(
        *[or_(*[c.contains(part, autoescape=True) for c in asked]) for part, asked in zip(parts, every, strict=True)]
    )


def _holding(session: Session, words: str) -> ColumnElement[bool]:
    """Cases that hold ``words``: by the index, and by reading those that are too new for it.

    Without the index, and where more than :data:`FEW` hold them (the newest of so many are soon found), all are read.
    """
    until = case_text.indexed_until(session)
    few = case_text.find(session, words, FEW + 1) if until is not None else []
    if until is None or len(few) > FEW or not case_text.wanted(words):
        return _read(words)
    fresh = [and_(Case.updated_at >= until, _read(words))]
    if not few and words.isascii():
        fresh.append(Case.number.contains(words, autoescape=True))  # the inside of a number
    for condition in fresh:  # found first: asked as one question, the planner would read every case for it
        few += session.scalars(select(Case.case_id).where(condition).limit(FEW + 1))
    return Case.case_id.in_(few) if len(few) <= FEW else _read(words)


def conditions_of(wanted: CaseFilter, actor: Actor) -> list[Any]:
    """``wanted`` as conditions on ``case_file``."""
    found: list[Any] = []
    pairs = (("stage", Case.stage), ("state", Case.state), ("kind", Case.kind), ("site", Case.site_id))
    found += [column == getattr(wanted, name) for name, column in pairs if getattr(wanted, name)]
    if wanted.open is not None:
        found.append(Case.open.is_(wanted.open))
    if wanted.definition:
        found.append(Case.definition_id == wanted.definition)
    if wanted.department:
        found.append(_of_department(wanted.department))
    if wanted.severity is not None:
        found.append(Case.severity >= wanted.severity)
    if wanted.class_code:
        found.append(Case.class_code.startswith(wanted.class_code, autoescape=True))
    if wanted.division:
        found.append(Case.division_code.startswith(wanted.division, autoescape=True))
    if wanted.q:
        found.append(_read(wanted.q[:200]))
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        found += [Case.lon.between(west, east), Case.lat.between(south, north)]
    if wanted.opened_from is not None:
        found.append(Case.opened_at >= wanted.opened_from)
    if wanted.opened_to is not None:
        found.append(Case.opened_at < wanted.opened_to)
    if wanted.overdue_at is not None:
        found.append(Case.deadline_at < wanted.overdue_at)
    if wanted.mine:
        found.append(mine(actor))
    return found


def _of_department(department_id: str) -> Any:
    part = (
        select(CaseAssignment.case_id)
        .where(CaseAssignment.case_id == Case.case_id, CaseAssignment.department_id == department_id)
        .exists()
    )
    return or_(Case.department_id == department_id, part)


def mine(actor: Actor) -> Any:
    """What waits for the actor: where it is his turn, and his department's parts not finished."""
    return and_(Case.open.is_(True), Case.case_id.in_(union_all(*_own_work(actor))))  # looked up once for all cases


def _own_work(actor: Actor) -> list[Select[Any]]:
    at_work = CaseAssignment.state.in_(("dispatched", "accepted"))
    parts = [select(CaseAssignment.case_id).where(CaseAssignment.user_id == actor.user_id, at_work)]
    if actor.department_id:
        parts.append(select(CaseAssignment.case_id).where(CaseAssignment.department_id == actor.department_id, at_work))
    return [*parts, select(CaseTurn.case_id).where(CaseTurn.key.in_(keys_for(actor)))]


def _own(session: Session, actor: Actor) -> ColumnElement[bool]:
    """:func:`mine` for a page: few cases by their ids; of many the newest open ones are soon found by asking each."""
    ways = _own_work(actor)
    some = union_all(*ways).subquery()
    few = session.scalars(select(some.c.case_id).limit(FEW + 1)).all()
    if len(few) <= FEW:
        return and_(Case.open.is_(True), Case.case_id.in_(set(few)))
    # The first of each instead of EXISTS: PostgreSQL reads the whole of a subquery that it may keep as a hash table.
    *parts, turns = [way.where(way.selected_columns[0] == Case.case_id).correlate(Case).limit(1) for way in ways]
    of_case = [*parts, turns.where(CaseTurn.opened_at == Case.opened_at)]  # found by their whole key
    return and_(Case.open.is_(True), or_(*[way.scalar_subquery().is_not(None) for way in of_case]))


def _cursor(item: CaseSummary) -> str:
    return base64.urlsafe_b64encode(f"{item.opened_at.isoformat()}|{item.case_id}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, str]:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        moment, _, case_id = plain.partition("|")
        opened_at = datetime.fromisoformat(moment)
        if opened_at.tzinfo is None:
            raise ValueError("no time zone")
        return opened_at, case_id
    except ValueError as error:
        raise InputInvalid(field="cursor", detail="is not one of ours", how="take it from the page before") from error
