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
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor, Record
from events.indicators.counting import GroupSum, IndicatorQuestion, base_query, sums_of
from events.indicators.kept import kept_sums
from events.indicators.measures import NAMES
from events.taxonomy.classes import class_names
from events.taxonomy.codesets import CURRENT
from storage.tables.cases import Case
from storage.tables.registry import Department, Division

DATA = Path(__file__).parent / "indicators.json"


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
    sums = kept_sums(session, actor, question, now, book.guards) if book is rulebook() else None
    if sums is None:
        whole = msgspec.structs.replace(question, by="all")
        sums = (sums_of(session, actor, question, now, book.guards), sums_of(session, actor, whole, now, book.guards))
    names = _names(session, question.by, language)
    lines = [_line(key, names.get(key, key), found, book) for key, found in sorted(sums[0].items())]
    total = [_line(key, key, found, book) for key, found in sums[1].items()]
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
    query, keys, found, _ = base_query(session, actor, question, now, rulebook().guards)
    if measure not in found:
        raise InputInvalid(field="measure", detail=f"{measure!r} is not counted", how=f"use one of {', '.join(found)}")
    query = query.with_only_columns(Case.case_id).where(found[measure])
    if key is not None:
        query = query.where(keys == key if key else or_(keys.is_(None), keys == ""))
    return list(session.scalars(query.distinct().order_by(Case.case_id.desc()).limit(limit)))


def _line(key: str, name: str, found: GroupSum, book: FormulaBook) -> IndicatorLine:
    counts = {measure: round(found.counts.get(measure, 0.0), 6) for measure in NAMES}
    rates = {f.id: _share(counts, f) for f in book.indicators}
    mean = round(found.took / found.handled, 1) if found.handled else None
    return IndicatorLine(
        key=key, name=name, counts=counts, rates=rates, mean_handling_s=mean, score=_score(rates, book)
    )


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
