"""What the platform does by itself: a definition's triggers, and which of them are due."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, exists, func, literal, select
from sqlalchemy.orm import Session

from events.cases.definition import ANY, Definition
from events.cases.definition_parts import Trigger
from storage.tables.cases import Case, CaseClock, CaseTransition
from storage.tables.files import CaseField

log = logging.getLogger("yiwang.triggers")

BATCH = 200
Due = tuple[str, Trigger, str]  # case id, trigger, key that makes it happen once


def fires(trigger: Trigger, definition: Definition, state: str) -> bool:
    """May the trigger's command be given in ``state``?"""
    if trigger.from_ and state not in trigger.from_:
        return False
    moves = definition.commands[trigger.command].moves
    return any(state in move.from_ or ANY in move.from_ for move in moves)


def any_open_child(session: Session, case_id: str) -> bool:
    """Is any case that came out of this one still open?"""
    return bool(session.scalar(select(exists().where(Case.parent_case_id == case_id, Case.open.is_(True)))))


def due_triggers(session: Session, definition: Definition, now: datetime) -> Iterator[Due]:
    """Timed triggers of ``definition`` that came due and were not carried out yet, oldest first."""
    for trigger in definition.triggers:
        query = _query(definition, trigger)
        if query is None:
            continue
        moment = query.selected_columns.at
        for row in session.execute(query.where(moment <= now).order_by(moment).limit(BATCH)):
            if fires(trigger, definition, row.state):
                yield row.case_id, trigger, row.key


def next_due(session: Session, definition: Definition, after: datetime, until: datetime) -> datetime | None:
    """The first instant later than ``after`` and before ``until`` at which a trigger comes due."""
    found = []
    for trigger in definition.triggers:
        query = _query(definition, trigger)
        if query is not None:
            moment = query.selected_columns.at
            inner = query.where(moment > after, moment < until).subquery()
            found.append(session.scalar(select(func.min(inner.c.at))))
    return min((at for at in found if at is not None), default=None)


def _query(definition: Definition, trigger: Trigger) -> Select[Any] | None:
    """Open cases with the instant at which ``trigger`` comes due, not carried out yet; None when it is not timed."""
    if trigger.on == "clock_ended":
        key = literal("clock:") + CaseClock.clock_id + literal(":" + trigger.command)
        query = select(Case.case_id, Case.state, CaseClock.deadline_at.label("at"), key.label("key")).join(
            CaseClock, CaseClock.case_id == Case.case_id
        )
        query = query.where(CaseClock.kind == trigger.clock, CaseClock.stopped_at.is_(None))
    elif trigger.on == "at":
        key = literal(f"at:{trigger.field}:"[:40]) + func.substr(CaseField.text, 1, 30)
        query = select(Case.case_id, Case.state, CaseField.at.label("at"), key.label("key")).join(
            CaseField, CaseField.case_id == Case.case_id
        )
        query = query.where(CaseField.name == trigger.field, CaseField.at.is_not(None))
    else:
        return None
    done = exists().where(CaseTransition.case_id == Case.case_id, CaseTransition.idempotency_key == key)
    found = cast("Select[Any]", query)
    found = found.where(Case.open.is_(True), Case.definition_id == definition.definition_id, ~done)
    return found.where(Case.state.in_(trigger.from_)) if trigger.from_ else found
