"""Is a record of a register in force?  What the guard ``record_valid`` of a kind of case asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import BEIJING
from storage.tables.records import RegisterRecord

MOST_MERGES = 8  # one record merged into the next, into the next …


def record_in_force(session: Session, register: str, key: str, now: datetime) -> bool:
    """Whether the record ``key`` (its id) of ``register`` ("" for any) is active and within its dates in Beijing.

    A record that was merged stands for the one that it was merged into.
    """
    today = now.astimezone(BEIJING).date()
    for _ in range(MOST_MERGES):
        row = session.get(RegisterRecord, key)
        if row is None or (register and row.register_id != register):
            return False
        if row.state != "merged" or not row.merged_into:
            begun = row.valid_from is None or row.valid_from <= today
            return row.state == "active" and begun and (row.valid_to is None or today <= row.valid_to)
        key = row.merged_into
    return False
