"""What a benefit would have given: every record of its register as it was at the end of each past period."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import NotFound
from records.benefits.rules import Benefit, Explanation, Judge, explain, last_day
from storage.tables.records import RecordEvent, RegisterRecord

_PART = 1000


@dataclass
class SimulatedPeriod:
    """How many would have been entitled in a period, to how much in all (yuan)."""

    period: str
    entitled: int = 0
    amount: float = 0.0


def end_of(day: date) -> datetime:
    """The end of a day in local time."""
    return datetime.combine(day, time(23, 59, 59), BEIJING).astimezone(UTC)


def values_on(data: Mapping[str, Any], events: Sequence[RecordEvent], day: date) -> dict[str, Any]:
    """A record's open fields as they were at the end of ``day``: later changes are taken back, the newest first."""
    values, end = dict(data), end_of(day)
    for event in sorted(events, key=lambda each: each.event_id, reverse=True):
        if event.at > end and event.field and event.sealed is None:
            values[event.field] = json.loads(event.old) if event.old is not None else None
    return values


def simulate(session: Session, benefit: Benefit, periods: Sequence[str]) -> list[SimulatedPeriod]:
    """The rule over past ``periods`` (``2026-10`` or ``2025``); nothing is written.

    A record counts from its ``valid_from`` to its ``valid_to``; without them ever since, because the day on which it
    was imported says nothing about the person.
    """
    found = [SimulatedPeriod(period) for period in periods]
    days, judge = [last_day(period) for period in periods], Judge(benefit)
    for rows in parts_of(session, benefit.register):
        history = changes_of(session, [row.record_id for row in rows])
        for row in rows:
            events = history.get(row.record_id, [])
            for simulated, day in zip(found, days, strict=True):
                if not counts_on(row, day):
                    continue
                amount = judge(values_on(row.data, events, day) if events else row.data, day)
                if amount is not None:
                    simulated.entitled, simulated.amount = simulated.entitled + 1, simulated.amount + amount
    return found


def counts_on(row: RegisterRecord, day: date) -> bool:
    """Whether the record stood on ``day`` by its validity dates."""
    return not ((row.valid_from and row.valid_from > day) or (row.valid_to and row.valid_to < day))


def parts_of(session: Session, register: str) -> Iterator[list[RegisterRecord]]:
    """The register's active records, a thousand at a time; what was read is let go."""
    last = ""
    while True:
        sql = select(RegisterRecord).where(
            RegisterRecord.register_id == register, RegisterRecord.state == "active", RegisterRecord.record_id > last
        )
        rows = list(session.scalars(sql.order_by(RegisterRecord.record_id).limit(_PART)))
        if not rows:
            return
        yield rows
        last = rows[-1].record_id
        session.expunge_all()


def changes_of(session: Session, ids: Sequence[str]) -> dict[str, list[RecordEvent]]:
    """Changes of the records ``ids``, by record."""
    found: dict[str, list[RecordEvent]] = {}
    for at in range(0, len(ids), 500):
        for event in session.scalars(select(RecordEvent).where(RecordEvent.record_id.in_(ids[at : at + 500]))):
            found.setdefault(event.record_id, []).append(event)
    return found


def explained(session: Session, benefit: Benefit, record_id: str, day: date) -> Explanation:
    """Why one record is entitled on ``day``, or not."""
    row = session.get(RegisterRecord, record_id)
    if row is None or row.register_id != benefit.register:
        raise NotFound(what=f"record of {benefit.register}", key=record_id)
    events = changes_of(session, [record_id]).get(record_id, [])
    return explain(benefit, values_on(row.data, events, day), day)
