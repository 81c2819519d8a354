"""Visits: a form's answers on a record, the next one due by the register's rule, and who is due in a grid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.sealing import Seal
from records.registers.asking import RESULTS
from records.registers.definition import Register
from records.registers.preparing import Preparer
from records.registers.search import below
from records.registers.storing import Origin, values_of
from storage.tables.records import RecordVisit, RegisterRecord


def checked_result(result: str) -> str:
    """One of the results of a visit; :class:`InputInvalid` names them."""
    if result not in RESULTS:
        raise InputInvalid(field="result", detail=f"{result!r} is no result", how=f"use one of {', '.join(RESULTS)}")
    return result


def visit(
    session: Session,
    visit_id: str,
    record: RegisterRecord,
    register: Register,
    answers: Mapping[str, Any],
    result: str,
    preparer: Preparer,
    seal: Seal,
    origin: Origin,
    day: date,
) -> RecordVisit:
    """Note a visit; the same ``visit_id`` again (a phone that was cut off) answers the first one.

    Whoever was not met is due again in seven days at the latest.
    """
    known = session.get(RecordVisit, visit_id)
    if known is not None:
        if known.by != origin.actor_id or known.record_id != record.record_id:
            raise InputInvalid(field="visit_id", detail="belongs to another visit", how="make a new id")
        return known
    checked_result(result)
    due = preparer.next_visit(values_of(record, seal), day)
    if due is not None and result == "not_met":
        due = min(due, date.fromordinal(day.toordinal() + 7))
    row = RecordVisit(
        visit_id=visit_id, record_id=record.record_id, at=origin.at, by=origin.actor_id, answers=dict(answers),
        result=result, next_due=due,
    )  # fmt: skip
    later = session.scalar(
        select(func.max(RecordVisit.at)).where(RecordVisit.record_id == record.record_id, RecordVisit.at > origin.at)
    )
    session.add(row)
    if later is None:  # a visit that arrives late from a phone moves no newer one
        record.visit_due = due
    return row


def due_visits(
    session: Session, may_see: ColumnElement[bool], division: str, until: date, limit: int = 200
) -> list[RegisterRecord]:
    """Records in a division whose visit is due by ``until``, the longest overdue first."""
    sql = select(RegisterRecord).where(RegisterRecord.visit_due <= until, RegisterRecord.state == "active", may_see)
    if division:
        sql = sql.where(below(division, loose=True))
    return list(session.scalars(sql.order_by(RegisterRecord.visit_due, RegisterRecord.record_id).limit(limit)))


def counts_per_cell(session: Session, register_id: str, division: str) -> dict[str, int]:
    """Records a grid cell: the map shows counts, never persons as dots."""
    sql = (
        select(RegisterRecord.grid_code, func.count())
        .where(RegisterRecord.register_id == register_id, RegisterRecord.state == "active")
        .group_by(RegisterRecord.grid_code)
    )
    if division:
        sql = sql.where(below(division))
    return {code: number for code, number in session.execute(sql).tuples() if code}
