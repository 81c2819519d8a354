"""Indicators (综合评价) by department, street, class or period, with the cases behind every number.

Formulas and weights are data (events/indicators/indicators.json); what is counted stands in
:mod:`events.indicators.measures`.
A case belongs to the period in which it was opened.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor, Record
from events.cases.access import visible_cases
from events.indicators.measures import lead_parts, measures, seconds, weight
from events.taxonomy.classes import class_names
from events.taxonomy.codesets import CURRENT
from storage.tables.cases import Case
from storage.tables.registry import Department, Division

DATA = Path(__file__).parent / "indicators.json"
Grouping = Literal["department", "street", "class", "kind", "severity", "source", "day", "month", "all"]


class Formula(Record, frozen=True):
    id: str
    name: dict[str, str]
    over: str
    under: str
    better: str = "high"


class Weight(Record, frozen=True):
    indicator: str
    weight: float


class FormulaBook(Record, frozen=True):
    """The file indicators.json."""

    source: str
    guards: dict[str, float]
    indicators: tuple[Formula, ...]
    score: tuple[Weight, ...]


class IndicatorQuestion(Record, frozen=True):
    """Cases opened in ``[opened_from, opened_to)``, narrowed, grouped ``by``."""

    opened_from: datetime
    opened_to: datetime
    by: Grouping = "department"
    definition: str = "city_management"
    department: str | None = None
    division: str | None = None  # prefix
    class_code: str | None = None  # prefix


class IndicatorLine(Record, frozen=True, omit_defaults=False):
    """One group.  ``rates`` are shares 0…1, None without a denominator; ``score`` 0…100 by the weights."""

    key: str
    name: str
    counts: dict[str, float]
    rates: dict[str, float | None]
    mean_handling_s: float | None
    score: float | None


class Table(Record, frozen=True, omit_defaults=False):
    """The answer: a line a group (best score first), and all together."""

    question: IndicatorQuestion
    lines: list[IndicatorLine]
    total: IndicatorLine
    formulas: list[Formula]


@cache
def rulebook() -> FormulaBook:
    """The formulas and weights we ship."""
    return msgspec.convert(json.loads(DATA.read_text("utf-8")), FormulaBook)


def evaluate(
    session: Session, actor: Actor, question: IndicatorQuestion, now: datetime, book: FormulaBook | None = None,
    language: str = "zh",
) -> Table:  # fmt: skip
    """The indicators of what ``actor`` may see; departments and streets by their names in ``language``."""
    book = book or rulebook()
    lines = _lines(session, actor, question, now, book, language)
    whole = msgspec.structs.replace(question, by="all")
    total = _lines(session, actor, whole, now, book)
    empty = IndicatorLine(key="all", name="", counts={}, rates={}, mean_handling_s=None, score=None)
    if question.by not in ("day", "month"):
        lines.sort(key=lambda line: (-(line.score if line.score is not None else -1.0), line.key))
    return Table(question=question, lines=lines, total=total[0] if total else empty, formulas=list(book.indicators))


def cases_behind(
    session: Session,
    actor: Actor,
    question: IndicatorQuestion,
    measure: str,
    key: str | None,
    now: datetime,
    limit: int = 500,
) -> list[str]:
    """Ids of the cases that a number counts: ``measure`` within the group ``key``
    (None: all groups; "": those that belong to none)."""
    query, keys, found, _ = _base(session, actor, question, now, rulebook())
    if measure not in found:
        raise InputInvalid(field="measure", detail=f"{measure!r} is not counted", how=f"use one of {', '.join(found)}")
    query = query.with_only_columns(Case.case_id).where(found[measure])
    if key is not None:
        query = query.where(keys == key if key else or_(keys.is_(None), keys == ""))
    return list(session.scalars(query.distinct().order_by(Case.case_id.desc()).limit(limit)))


def _base(
    session: Session, actor: Actor, question: IndicatorQuestion, now: datetime, book: FormulaBook
) -> tuple[Select[Any], Any, dict[str, ColumnElement[bool]], Any]:
    conditions: list[ColumnElement[bool]] = [
        Case.opened_at >= question.opened_from,
        Case.opened_at < question.opened_to,
        Case.definition_id == question.definition,
        visible_cases(actor),
    ]
    if question.division:
        conditions.append(Case.division_code.startswith(question.division, autoescape=True))
    if question.class_code:
        conditions.append(Case.class_code.startswith(question.class_code, autoescape=True))
    part = lead_parts(conditions)
    join = part.c.case_id == Case.case_id
    if question.by != "department":
        join = and_(join, part.c.rank == 1)
    query = select(Case.case_id).select_from(Case).outerjoin(part, join).where(*conditions)
    if question.department:
        query = query.where(part.c.department_id == question.department)
    guards = book.guards
    found = measures(session, part, now, guards["fast_finish_s"], guards["late_return_share"])
    return query, _key(session, question.by, part), found, part


def _key(session: Session, by: str, part: Any) -> Any:
    postgres = session.get_bind().dialect.name == "postgresql"
    match by:
        case "department":
            return func.coalesce(part.c.department_id, "")
        case "street":
            return func.coalesce(func.substr(Case.division_code, 1, 9), "")
        case "class":
            older = and_(Case.class_version != CURRENT, Case.class_code != "")
            return case((older, Case.class_code.concat("@").concat(Case.class_version)), else_=Case.class_code)
        case "kind":
            return Case.kind
        case "severity":
            return Case.severity
        case "source":
            return Case.source_type
        case "day" | "month":
            if postgres:
                return func.to_char(
                    func.timezone("Asia/Shanghai", Case.opened_at), "YYYY-MM-DD" if by == "day" else "YYYY-MM"
                )
            return func.strftime("%Y-%m-%d" if by == "day" else "%Y-%m", Case.opened_at, "+8 hours")
        case _:
            return func.coalesce("all", "all")


def _lines(
    session: Session, actor: Actor, question: IndicatorQuestion, now: datetime, book: FormulaBook, language: str = "zh"
) -> list[IndicatorLine]:
    query, key, found, part = _base(session, actor, question, now, book)
    share = weight()
    took = case((found["handled"], seconds(session, part.c.finished_at) - seconds(session, part.c.dispatched_at)))
    sums = [func.sum(case((condition, share), else_=0.0)).label(name) for name, condition in found.items()]
    rows = session.execute(
        query.with_only_columns(key.label("key"), func.avg(took).label("took"), *sums).group_by(key).order_by(key)
    ).all()
    names = _names(session, question.by, language)
    lines = []
    for row in rows:
        counts = {name: round(float(getattr(row, name) or 0), 6) for name in found}
        rates = {f.id: _share(counts, f) for f in book.indicators}
        lines.append(
            IndicatorLine(
                key=str(row.key),
                name=names.get(str(row.key), str(row.key)),
                counts=counts,
                rates=rates,
                mean_handling_s=None if row.took is None else round(float(row.took), 1),
                score=_score(rates, book),
            )
        )
    return lines


def _share(counts: dict[str, float], formula: Formula) -> float | None:
    under = counts[formula.under]
    return round(counts[formula.over] / under, 6) if under else None


def _score(rates: dict[str, float | None], book: FormulaBook) -> float | None:
    """Weighted sum; a rate without a denominator takes part neither above nor below."""
    low = {f.id for f in book.indicators if f.better == "low"}
    got = full = 0.0
    for item in book.score:
        rate = rates[item.indicator]
        if rate is not None:
            got += item.weight * (1 - min(rate, 1.0) if item.indicator in low else min(rate, 1.0))
            full += item.weight
    return round(100 * got / full, 2) if full else None


def _names(session: Session, by: str, language: str) -> dict[str, str]:
    rows: dict[str, Any] = {
        "department": select(Department.department_id, Department.name, Department.name_en),
        "street": select(Division.code, Division.name, Division.name_en),
    }
    if by in rows:
        return {key: zh if language == "zh" else en or zh for key, zh, en in session.execute(rows[by])}
    if by == "class":
        return {code if of == CURRENT else f"{code}@{of}": name for (code, of), name in class_names().items()}
    return {}
