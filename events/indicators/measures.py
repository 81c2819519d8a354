"""What is counted: each measure is one SQL condition, used for the sums and for the drill-down to the cases alike.

Counted per lead part (by department) or per case with its last lead part (by anything else).  Guards against gaming:

* ``fast_finish``: finished within two minutes of accepting and without a photograph: handled, but never on time.
* ``late_return``: handed back when most of the limit was gone: stays the department's, and is overdue.
* a case that had to be reopened was not handled on time; children of a split share the weight of one case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Subquery,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from events.cases.definition import Definition
from events.cases.kinds_in_force import definitions_in_force
from storage.tables.cases import Case, CaseAssignment, CaseClock, CaseEvidence, CaseTransition

NAMES = (
    "reported", "reported_by_people", "registered", "registered_of_people", "dispatched", "dispatched_on_time",
    "dispatched_right", "should_handle", "handled", "handled_on_time", "handled_late", "overdue_unhandled",
    "should_check", "checked_on_time", "should_close", "closed", "closed_on_time", "reworked",
    "extended", "suspended", "bounced", "reopened", "forced", "false_alarm",
    "urged", "fast_finish", "late_return",
)  # fmt: skip
GONE = ("cancelled", "rejected", "merged")


def seconds(session: Session, column: Any) -> ColumnElement[float]:
    """``column`` as seconds since 1970."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.extract("epoch", column), Float)
    return cast((func.julianday(column) - 2440587.5) * 86400.0, Float)


def lead_parts(conditions: list[ColumnElement[bool]]) -> Subquery:
    """The lead parts of the cases that fulfil ``conditions``; ``rank`` 1 is a case's last."""
    return (
        select(
            CaseAssignment.assignment_id,
            CaseAssignment.case_id,
            CaseAssignment.department_id,
            CaseAssignment.state,
            CaseAssignment.dispatched_at,
            CaseAssignment.accepted_at,
            CaseAssignment.finished_at,
            CaseAssignment.deadline_at,
            CaseAssignment.score,
            func.row_number()
            .over(
                partition_by=CaseAssignment.case_id,
                order_by=(CaseAssignment.dispatched_at.desc(), CaseAssignment.assignment_id.desc()),
            )
            .label("rank"),
        )
        .join(Case, Case.case_id == CaseAssignment.case_id)
        .where(CaseAssignment.role == "lead", *conditions)
        .subquery("lead_part")
    )


def weight() -> ColumnElement[float]:
    """1, but children of a split share the weight of one case."""
    sibling = aliased(Case)
    count = (
        select(func.count())
        .where(sibling.parent_case_id == Case.parent_case_id, Case.parent_case_id.is_not(None))
        .correlate(Case)
        .scalar_subquery()
    )
    split = and_(Case.parent_case_id.is_not(None), Case.why["split"]["from"].as_string().is_not(None))
    return case((split, 1.0 / cast(count, Float)), else_=literal(1.0))


def measures(
    session: Session,
    part: Subquery,
    now: datetime,
    fast_finish_s: float,
    late_return_share: float,
    definitions: Mapping[str, Definition] | None = None,
) -> dict[str, ColumnElement[bool]]:
    """The measures by name, as conditions on ``case_file`` and ``part``."""
    p = part.c

    def epoch(column: Any) -> ColumnElement[float]:
        return seconds(session, column)

    limit_s = epoch(p.deadline_at) - epoch(p.dispatched_at)
    no_photo = not_(exists().where(CaseEvidence.case_id == Case.case_id, CaseEvidence.purpose == "after"))
    late_return = and_(
        guarded("late_return", definitions),
        p.state == "refused",
        p.deadline_at.is_not(None),
        p.finished_at.is_not(None),
        epoch(p.finished_at) > epoch(p.dispatched_at) + late_return_share * limit_s,
    )
    taken_away = or_(and_(p.state == "refused", not_(late_return)), and_(p.state == "over", p.finished_at.is_(None)))
    dispatched = p.dispatched_at.is_not(None)
    should_handle = and_(dispatched, Case.state.not_in(GONE), not_(func.coalesce(taken_away, false())))
    handled = and_(should_handle, p.finished_at.is_not(None), p.state != "refused")
    # A day number in floating point is right to some 0.05 ms: exactly two minutes are not less than two minutes.
    quick = epoch(p.finished_at) - epoch(p.accepted_at) < fast_finish_s - 0.001
    fast = and_(handled, guarded("fast_finish", definitions), no_photo, quick)
    undone = and_(Case.reopened > 0, p.state == "over")
    in_time = or_(p.deadline_at.is_(None), p.finished_at <= p.deadline_at)
    on_time = and_(handled, in_time, not_(func.coalesce(fast, false())), not_(undone))
    overdue = and_(should_handle, or_(late_return, and_(p.finished_at.is_(None), p.deadline_at < now)))
    people = Case.reporter_id.is_not(None)
    should_close = and_(Case.finished_at.is_not(None), Case.state.not_in(GONE))
    should_check = and_(should_close, _clock("check").exists())
    return {
        "reported": true(),
        "reported_by_people": people,
        "registered": Case.registered_at.is_not(None),
        "registered_of_people": and_(people, Case.registered_at.is_not(None)),
        "dispatched": dispatched,
        "dispatched_on_time": and_(Case.registered_at.is_not(None), dispatched, not_(_late("dispatch", now))),
        "dispatched_right": and_(dispatched, Case.bounces == 0),
        "should_handle": should_handle,
        "handled": handled,
        "handled_on_time": on_time,
        "handled_late": and_(handled, not_(on_time)),
        "overdue_unhandled": overdue,
        "should_check": should_check,
        "checked_on_time": and_(should_check, Case.checked_at.is_not(None), not_(_late("check", now))),
        "should_close": should_close,
        "closed": and_(should_close, Case.state == "closed"),
        "closed_on_time": and_(should_close, Case.state == "closed", not_(_late("whole", now))),
        "reworked": and_(should_close, Case.reworks > 0),
        "extended": and_(should_handle, Case.form["extended"].as_integer() > 0),
        "suspended": and_(
            should_handle, exists().where(CaseTransition.case_id == Case.case_id, CaseTransition.command == "suspend")
        ),
        "bounced": and_(dispatched, Case.bounces > 0),
        "reopened": and_(should_close, Case.reopened > 0),
        "forced": Case.state == "force_closed",
        "false_alarm": Case.form["false_alarm"].as_boolean().is_(True),
        "urged": Case.urged > 0,
        "fast_finish": fast,
        "late_return": late_return,
    }


def guarded(guard: str, definitions: Mapping[str, Definition] | None) -> ColumnElement[bool]:
    """Kinds of case to which a guard against gaming applies, as their definitions say (``counting.guards``).

    A definition that says nothing: ``fast_finish`` where finishing wants a photograph, ``late_return`` always.
    """
    kinds = definitions_in_force() if definitions is None else definitions
    free = [name for name, kind in kinds.items() if guard not in guards_of(kind)]
    return Case.definition_id.not_in(free) if free else true()


def guards_of(kind: Definition) -> frozenset[str]:
    """The guards that apply to a kind of case."""
    if kind.counting is not None:
        return frozenset(kind.counting.guards)
    photographs = any(
        guard.get("guard") == "evidence" and guard.get("purpose") == "after"
        for spec in kind.commands.values()
        for guard in spec.guards
    )
    return frozenset({"late_return", *(["fast_finish"] if photographs else [])})


def _clock(kind: str) -> Any:
    return select(CaseClock.clock_id).where(CaseClock.case_id == Case.case_id, CaseClock.kind == kind).correlate(Case)


def _late(kind: str, now: datetime) -> ColumnElement[bool]:
    """A clock of ``kind`` ran past its deadline."""
    ended = func.coalesce(CaseClock.stopped_at, now)
    condition: ColumnElement[bool] = _clock(kind).where(ended > CaseClock.deadline_at).exists()
    return condition
