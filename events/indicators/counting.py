"""The groups of a question, counted from the cases themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from core.records import Actor, Record
from events.cases.access import visible_cases
from events.indicators.measures import lead_parts, measures, seconds, weight
from events.taxonomy.codesets import CURRENT
from storage.tables.cases import Case

Grouping = Literal["department", "street", "class", "kind", "severity", "source", "day", "month", "all"]


class IndicatorQuestion(Record, frozen=True):
    """Cases opened in ``[opened_from, opened_to)``, narrowed, grouped ``by``."""

    opened_from: datetime
    opened_to: datetime
    by: Grouping = "department"
    definition: str = "city_management"
    department: str | None = None
    division: str | None = None  # prefix
    class_code: str | None = None  # prefix


def asked(question: IndicatorQuestion, of: Any) -> list[ColumnElement[bool]]:
    """Which cases the question is about, in the columns of ``of``."""
    conditions: list[ColumnElement[bool]] = [
        of.opened_at >= question.opened_from, of.opened_at < question.opened_to,
        of.definition_id == question.definition,
    ]  # fmt: skip
    if question.division:
        conditions.append(of.division_code.startswith(question.division, autoescape=True))
    if question.class_code:
        conditions.append(of.class_code.startswith(question.class_code, autoescape=True))
    return conditions


def base_query(
    session: Session,
    actor: Actor,
    question: IndicatorQuestion,
    now: datetime,
    guards: Mapping[str, float],
    only: Sequence[str] | None = None,
) -> tuple[Select[Any], Any, dict[str, ColumnElement[bool]], Any]:
    conditions: list[ColumnElement[bool]] = [*asked(question, Case), visible_cases(actor)]
    if only is not None:
        conditions.append(Case.case_id.in_(only))
    part = lead_parts(conditions)
    join = part.c.case_id == Case.case_id
    if question.by != "department":
        join = and_(join, part.c.rank == 1)
    query = select(Case.case_id).select_from(Case).outerjoin(part, join).where(*conditions)
    if question.department:
        query = query.where(part.c.department_id == question.department)
    found = measures(session, part, now, guards["fast_finish_s"], guards["late_return_share"])
    return query, key_of(session, question.by, part.c.department_id), found, part


def key_of(session: Session, by: str, department: Any, of: Any = Case) -> Any:
    """What is grouped by, in the columns of ``of`` (the cases, or what is kept of them)."""
    postgres = session.get_bind().dialect.name == "postgresql"
    match by:
        case "department":
            return func.coalesce(department, "")
        case "street":
            return func.coalesce(func.substr(of.division_code, 1, 9), "")
        case "class":
            older = and_(of.class_version != CURRENT, of.class_code != "")
            return case((older, of.class_code.concat("@").concat(of.class_version)), else_=of.class_code)
        case "kind":
            return of.kind
        case "severity":
            return of.severity
        case "source":
            return of.source_type
        case "day" | "month":
            if postgres:
                return func.to_char(
                    func.timezone("Asia/Shanghai", of.opened_at), "YYYY-MM-DD" if by == "day" else "YYYY-MM"
                )
            return func.strftime("%Y-%m-%d" if by == "day" else "%Y-%m", of.opened_at, "+8 hours")
        case _:
            return func.coalesce("all", "all")


@dataclass
class GroupSum:
    """One group's counts by measure, and the seconds that ``handled`` cases took together."""

    counts: dict[str, float]
    took: float = 0.0
    handled: int = 0

    def add(self, other: GroupSum) -> None:
        """Both together."""
        for name, value in other.counts.items():
            self.counts[name] = self.counts.get(name, 0.0) + value
        self.took, self.handled = self.took + other.took, self.handled + other.handled


Sums = dict[str, GroupSum]


def sums_of(
    session: Session, actor: Actor, question: IndicatorQuestion, now: datetime, guards: Mapping[str, float],
    only: Sequence[str] | None = None,
) -> Sums:  # fmt: skip
    """The groups, counted from the cases themselves; ``only``: of these cases."""
    if only is not None and not only:
        return {}
    query, key, found, part = base_query(session, actor, question, now, guards, only)
    share = weight()
    took = case((found["handled"], seconds(session, part.c.finished_at) - seconds(session, part.c.dispatched_at)))
    sums = [func.sum(case((condition, share), else_=0.0)).label(name) for name, condition in found.items()]
    totals = (func.sum(took).label("took"), func.count(took).label("handled_rows"))
    rows = session.execute(query.with_only_columns(key.label("key"), *totals, *sums).group_by(key)).all()
    return {
        str(row.key): GroupSum(
            {n: float(getattr(row, n) or 0) for n in found}, float(row.took or 0.0), row.handled_rows
        )
        for row in rows
    }
