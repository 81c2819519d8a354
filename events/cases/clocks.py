"""The clocks of a case: start, stop, suspend, resume, extend, reopen; each keeps its derivation.

A clock row is the whole input of its deadline (limit, calendar, suspensions, extensions): anybody can count again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import new_id
from core.legal_time.calendar import WorkCalendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import Deadline, Suspension, deadline
from core.records import JSON
from events.cases.course.shown_clock import shown_clock
from events.cases.definition import ANY, ClockMoves, Definition
from storage.tables.cases import Case, CaseAssignment, CaseClock


class Clocks:
    """The clocks of one case within one transaction."""

    def __init__(
        self,
        session: Session,
        case: Case,
        definition: Definition,
        calendars: Mapping[str, WorkCalendar],
        rows: list[CaseClock],
        parts: list[CaseAssignment],
    ) -> None:
        """``rows`` are the case's clocks by start, ``parts`` its assignments; both lists may grow."""
        self._session = session
        self._case = case
        self._definition = definition
        self._calendars = calendars
        self.rows = rows
        self._parts = parts

    def apply(self, moves: ClockMoves, at: datetime, done_at: datetime | None = None, own: str | None = None) -> None:
        """Carry out what a command does to clocks; in the order stop, suspend, resume, reopen, start.

        ``done_at``: when the work was done, before it arrived ``at``: clocks stop then, but not before they started.
        ``own``: the assignment of the actor's part: of clocks that each part has, only that one is meant.
        """
        for row in self._running(moves.stop):
            if own in (None, row.assignment_id) or row.assignment_id is None or ANY in moves.stop:
                row.stopped_at = max(done_at, row.started_at) if done_at is not None else at
        for row in self._running(moves.suspend):
            if not suspended(row):
                self._set(row, suspensions=[*row.suspensions, [at.isoformat(), None]])
        for row in self._running(moves.resume):
            if suspended(row):
                self._set(row, suspensions=[*row.suspensions[:-1], [row.suspensions[-1][0], at.isoformat()]])
        for kind in moves.reopen:
            self._reopen(kind, at)
        for kind in moves.start:
            if self._definition.clocks[kind].part:
                self._case.form = {**self._case.form, "part_clocks": sorted({*self._part_kinds(), kind})}
            else:
                self._start(kind, at)
        self._follow_parts(at)
        self.show()

    def _part_kinds(self) -> list[str]:
        return list(self._case.form.get("part_clocks", ()))

    def _follow_parts(self, at: datetime) -> None:
        """A part's clocks run from when it is given out until it is finished or over."""
        at_work = {part.assignment_id: part for part in self._parts if part.state in ("dispatched", "accepted")}
        known = set()
        for row in self.rows:
            if row.assignment_id is None:
                continue
            known.add((row.kind, row.assignment_id))
            if row.stopped_at is None and row.assignment_id not in at_work:
                row.stopped_at = at
        for kind in self._part_kinds() if self._case.open else ():
            role = self._definition.clocks[kind].part
            for part in at_work.values():
                if role in (ANY, part.role) and (kind, part.assignment_id) not in known:
                    self._start(kind, at, part)

    def extend(self, kind: str, limit: Limit, at: datetime, by: Sequence[str]) -> None:
        """Lengthen the running clock of ``kind`` by ``limit``."""
        for row in self._running((kind,)):
            entry = {"value": limit.value, "unit": limit.unit, "at": at.isoformat(), "by": list(by)}
            self._set(row, extensions=[*row.extensions, entry])
        self.show()

    def recount(self) -> None:
        """Count every running clock again, with the calendars as they are now."""
        for row in self.rows:
            if row.stopped_at is None:
                self._set(row)
        self.show()

    def deadlines(self) -> dict[str, datetime | None]:
        """Deadline of each running clock, of parts the earliest; None while suspended."""
        return deadlines_of(self.rows)

    def show(self) -> None:
        """Put the deadline that matters now on the case and on its open parts."""
        deadlines = self.deadlines()
        kind = shown_clock(self._definition, self._case.state, deadlines)
        self._case.deadline_at = deadlines[kind] if kind is not None else None
        of_parts = {row.assignment_id: row for row in self.rows if row.assignment_id and row.stopped_at is None}
        work = self._definition.work_clock
        for part in self._parts:
            own = of_parts.get(part.assignment_id)
            if own is not None:
                part.deadline_at = own.deadline_at
            elif part.state in ("dispatched", "accepted") and work in deadlines:
                part.deadline_at = deadlines[work]

    def _running(self, kinds: Iterable[str]) -> list[CaseClock]:
        kinds = tuple(kinds)
        return [row for row in self.rows if row.stopped_at is None and (row.kind in kinds or ANY in kinds)]

    def _start(self, kind: str, at: datetime, part: CaseAssignment | None = None) -> None:
        for row in self._running((kind,)) if part is None else ():
            row.stopped_at = at
        limit = self._limit(kind, part)
        row = CaseClock(
            clock_id=new_id(),
            case_id=self._case.case_id,
            assignment_id=part.assignment_id if part is not None else None,
            kind=kind,
            limit_value=limit.value,
            limit_unit=limit.unit,
            calendar_id="default",
            started_at=at.replace(microsecond=0),  # the law counts seconds
            suspensions=[],
            extensions=[],
        )
        self._set(row)
        self._session.add(row)
        self.rows.append(row)

    def _limit(self, kind: str, part: CaseAssignment | None) -> Limit:
        spec = self._definition.clocks[kind]
        own = self._case.form.get(spec.field or "limit")
        if part is not None:
            own = self._case.form.get("part_limits", {}).get(part.department_id)
            return Limit(value=own["value"], unit=own["unit"]) if own else spec.limit
        return Limit(value=own["value"], unit=own["unit"]) if own and (spec.from_class or spec.field) else spec.limit

    def _reopen(self, kind: str, at: datetime) -> None:
        """Let the last clock of ``kind`` run on; the time it stood still does not count."""
        rows = sorted(self._all_of(kind), key=lambda row: (row.started_at, row.clock_id))
        if not rows or rows[-1].stopped_at is None:
            return
        row = rows[-1]
        gap = [row.stopped_at.isoformat() if row.stopped_at else at.isoformat(), at.isoformat()]
        row.stopped_at = None
        closed = row.suspensions[:-1] + [[row.suspensions[-1][0], gap[0]]] if suspended(row) else row.suspensions
        self._set(row, suspensions=[*closed, gap])

    def _all_of(self, kind: str) -> list[CaseClock]:
        """The clocks of ``kind``, those that have stopped too."""
        self._session.flush()
        query = select(CaseClock).where(CaseClock.case_id == self._case.case_id, CaseClock.kind == kind)
        found = list(self._session.scalars(query))
        self.rows.extend(row for row in found if row not in self.rows)
        return found

    def _set(self, row: CaseClock, **changes: list[JSON]) -> None:
        for name, value in changes.items():
            setattr(row, name, value)
        result = derive(row, self._calendars)
        row.deadline_at = result.at
        row.derivation = list(result.codes())


def deadlines_of(rows: Iterable[CaseClock]) -> dict[str, datetime | None]:
    """Deadline of each running clock by kind, of parts the earliest; None while suspended."""
    found: dict[str, datetime | None] = {}
    for row in rows:
        if row.stopped_at is not None:
            continue
        other = found.get(row.kind)
        found[row.kind] = row.deadline_at if other is None or row.deadline_at is None else min(other, row.deadline_at)
        if row.deadline_at is None and other is not None:
            found[row.kind] = other
    return found


def suspended(row: CaseClock) -> bool:
    """Does the clock stand in a suspension without end?"""
    return bool(row.suspensions) and row.suspensions[-1][1] is None


def derive(row: CaseClock, calendars: Mapping[str, WorkCalendar]) -> Deadline:
    """Count the clock's deadline from what the row says."""
    limit: Any = Limit(value=row.limit_value, unit=row.limit_unit)  # type: ignore[arg-type]
    extensions = [Limit(value=e["value"], unit=e["unit"]) for e in row.extensions]
    return deadline(row.started_at, limit, calendars[row.calendar_id], _suspensions(row), extensions)


def _suspensions(row: CaseClock) -> list[Suspension]:
    return [
        (datetime.fromisoformat(a), datetime.fromisoformat(b) if b is not None else None) for a, b in row.suspensions
    ]
