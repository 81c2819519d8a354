"""Deadlines that run: of open cases the one that is shown, of parts their own, those within given windows of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.tables.cases import Case, CaseAssignment, CaseClock

BATCH = 500  # cases read at a time; every one is read
Window = tuple[datetime, datetime]  # later than the first, not later than the second


@dataclass(frozen=True)
class Running:
    """A deadline that is due in some phase: the case's shown one, or a part's own."""

    case: Case
    deadline_at: datetime
    kind: str
    unit: str
    department_id: str | None = None  # of a part's own clock
    started_at: datetime | None = None


def joined(windows: Iterable[Window]) -> list[Window]:
    """The same time in as few windows as hold it, in order; empty ones are left out."""
    found: list[Window] = []
    for low, high in sorted(window for window in windows if window[0] < window[1]):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def running(session: Session, windows: Sequence[Window]) -> Iterator[Running]:
    """Deadlines that lie in one of ``windows``, which do not overlap: two queries, however many windows there are."""
    if windows:
        yield from _shown(session, windows)
        yield from _of_parts(session, windows)


def earliest(session: Session, low: datetime, high: datetime) -> list[datetime]:
    """The first deadline of a case and the first of a part in ``(low, high]``, where there are any."""
    return [at for query in (_earliest_shown(low, high), _earliest_part(low, high)) if (at := session.scalar(query))]


def _within(column: InstrumentedAttribute[datetime | None], windows: Sequence[Window]) -> ColumnElement[bool]:
    return or_(*(and_(column > low, column <= high) for low, high in windows))


def _shown(session: Session, windows: Sequence[Window]) -> Iterator[Running]:
    clock = and_(
        CaseClock.case_id == Case.case_id, CaseClock.stopped_at.is_(None), CaseClock.deadline_at == Case.deadline_at
    )
    query = (
        select(Case, CaseClock.kind, CaseClock.limit_unit, CaseClock.started_at)
        .outerjoin(CaseClock, clock)
        .where(Case.open.is_(True), _within(Case.deadline_at, windows))
        .where(or_(CaseClock.assignment_id.is_(None), CaseClock.clock_id.is_(None)))
        .order_by(Case.deadline_at, Case.case_id)
    )
    seen: set[str] = set()
    for case, kind, unit, started_at in session.execute(query.execution_options(yield_per=BATCH)):
        if case.case_id not in seen and case.deadline_at is not None:
            seen.add(case.case_id)
            yield Running(case, case.deadline_at, kind or "", unit or "", None, started_at)


def _of_parts(session: Session, windows: Sequence[Window]) -> Iterator[Running]:
    query = (
        select(Case, CaseClock, CaseAssignment.department_id)
        .join(CaseClock, CaseClock.case_id == Case.case_id)
        .join(CaseAssignment, CaseAssignment.assignment_id == CaseClock.assignment_id)
        .where(Case.open.is_(True), CaseClock.stopped_at.is_(None), _within(CaseClock.deadline_at, windows))
        .order_by(CaseClock.deadline_at, CaseClock.clock_id)
    )
    for case, clock, department_id in session.execute(query.execution_options(yield_per=BATCH)):
        assert clock.deadline_at is not None
        yield Running(case, clock.deadline_at, clock.kind, clock.limit_unit, department_id, clock.started_at)


def _earliest_shown(low: datetime, high: datetime) -> Select[datetime | None]:
    within = Case.deadline_at > low, Case.deadline_at <= high
    return select(func.min(Case.deadline_at)).where(Case.open.is_(True), *within)


def _earliest_part(low: datetime, high: datetime) -> Select[datetime | None]:
    return select(func.min(CaseClock.deadline_at)).where(
        CaseClock.assignment_id.is_not(None), CaseClock.stopped_at.is_(None),
        CaseClock.deadline_at > low, CaseClock.deadline_at <= high,
    )  # fmt: skip
