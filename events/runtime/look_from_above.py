"""The drone team as a source of the closing check: what it saw since the work was finished.

A case waits for a flight that was asked for until the flight's end, at most :data:`LONGEST`; then the others decide.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from events.runtime.verdict import Verdict
from storage.tables.missions import DroneMission

LONGEST = timedelta(hours=4)
PURPOSE = "look_again"
_SAYS = {"clear": True, "standing": False}


def look_from_above(
    session: Session, case_id: str, finished_at: datetime, now: datetime
) -> Verdict | Literal["awaited"] | None:
    """The newest answer since ``finished_at``, else "awaited" while a flight is asked for, else None."""
    rows = session.scalars(
        select(DroneMission)
        .where(DroneMission.case_id == case_id, DroneMission.state != "cancelled")
        .order_by(DroneMission.requested_at.desc())
        .limit(50)
    ).all()
    answered = [row for row in rows if row.verdict and row.answered_at is not None and row.answered_at >= finished_at]
    if answered:
        newest = max(answered, key=lambda row: (row.answered_at or finished_at, row.mission_id))
        said = f"无人机 / drone: {newest.verdict}, {newest.answer}".rstrip(", ")
        return Verdict(clear=_SAYS.get(newest.verdict), detail=said)
    if any(row.purpose == PURPOSE and row.state != "done" and now < _until(row) for row in rows):
        return "awaited"
    return None


def _until(row: DroneMission) -> datetime:
    longest = row.requested_at + LONGEST
    return min(longest, row.ends_at) if row.ends_at is not None else longest
