"""The clocks of a case: start, stop, suspend, resume, extend, reopen; each keeps its derivation.

A clock row is the whole input of its deadline (limit, calendar, suspensions, extensions): anybody can count again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.ids import new_id
from core.legal_time.calendar import WorkCalendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import Deadline, Suspension, deadline
from core.records import JSON
from events.cases.definition import ANY, ClockMoves, Definition
from events.cases.shown_clock import shown_clock
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

    def apply(self, moves: ClockMoves, at: datetime, done_at: datetime | None = None) -> None:
        """Carry out what a command does to clocks; in the order stop, suspend, resume, reopen, start.

        ``done_at``: when the work was done, before it arrived ``at``: clocks stop then, but not before they started.
        """
        for row in self._running(moves.stop):
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
            self._start(kind, at)
        self.show()

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
        """Deadline of each running clock; None while suspended."""
        return {row.kind: row.deadline_at for row in self.rows if row.stopped_at is None}

    def show(self) -> None:
        """Put the deadline that matters now on the case and on its open parts."""
        running = {row.kind: row for row in self.rows if row.stopped_at is None}
        kind = shown_clock(self._definition, self._case.state, self.deadlines())
        self._case.deadline_at = running[kind].deadline_at if kind is not None else None
        handling = running.get("handling")
        for part in self._parts:
            if part.state in ("dispatched", "accepted") and handling is not None:
                part.deadline_at = handling.deadline_at

    def _running(self, kinds: Iterable[str]) -> list[CaseClock]:
        kinds = tuple(kinds)
        return [row for row in self.rows if row.stopped_at is None and (row.kind in kinds or ANY in kinds)]

    def _start(self, kind: str, at: datetime) -> None:
        for row in self._running((kind,)):
            row.stopped_at = at
        limit = self._limit(kind)
        row = CaseClock(
            clock_id=new_id(),
            case_id=self._case.case_id,
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

    def _limit(self, kind: str) -> Limit:
        spec = self._definition.clocks[kind]
        own = self._case.form.get("limit")
        return Limit(value=own["value"], unit=own["unit"]) if spec.from_class and own else spec.limit

    def _reopen(self, kind: str, at: datetime) -> None:
        """Let the last clock of ``kind`` run on; the time it stood still does not count."""
        rows = [row for row in self.rows if row.kind == kind]
        if not rows or rows[-1].stopped_at is None:
            return
        row = rows[-1]
        gap = [row.stopped_at.isoformat() if row.stopped_at else at.isoformat(), at.isoformat()]
        row.stopped_at = None
        closed = row.suspensions[:-1] + [[row.suspensions[-1][0], gap[0]]] if suspended(row) else row.suspensions
        self._set(row, suspensions=[*closed, gap])

    def _set(self, row: CaseClock, **changes: list[JSON]) -> None:
        for name, value in changes.items():
            setattr(row, name, value)
        result = derive(row, self._calendars)
        row.deadline_at = result.at
        row.derivation = list(result.lines())


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
