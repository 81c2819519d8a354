"""The nightly report: how well each camera's algorithms saw, and what other thresholds would have done.

A line per camera and algorithm and night (:class:`storage.tables.observations.FieldReport`), so that the page shows the
development: after a new model, a mask, a threshold.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from events.learning.precision import by_camera
from storage.tables.observations import FieldReport

KEPT_NIGHTS = 400
KEPT_WORDS = (
    "camera_name", "closed", "false_alarms", "precision", "low", "high", "threshold", "thresholds", "suggestion",
)  # fmt: skip


def night_of(now: datetime) -> date:
    """The day in Beijing whose morning this is."""
    return now.astimezone(BEIJING).date()


def write_report(session: Session, now: datetime) -> int:
    """Write tonight's lines (again, if they stand already) and drop what is older than :data:`KEPT_NIGHTS`."""
    night = night_of(now)
    session.execute(delete(FieldReport).where(FieldReport.night == night))
    session.execute(delete(FieldReport).where(FieldReport.night < night - timedelta(days=KEPT_NIGHTS)))
    rows = by_camera(session)
    for row in rows:
        body = {name: row[name] for name in KEPT_WORDS}
        session.add(FieldReport(night=night, camera_id=row["camera_id"], algorithm=row["algorithm"], body=body))
    return len(rows)


def lines(
    session: Session, night: date | None = None, camera_id: str | None = None, algorithm: str | None = None
) -> list[dict[str, Any]]:
    """The lines of ``night`` (default: the last there is), the worst precision first."""
    night = night or session.scalar(select(func.max(FieldReport.night)))
    query = select(FieldReport).where(FieldReport.night == night)
    if camera_id:
        query = query.where(FieldReport.camera_id == camera_id)
    if algorithm:
        query = query.where(FieldReport.algorithm == algorithm)
    found = [_line(row) for row in session.scalars(query)]
    return sorted(found, key=lambda r: (r["precision"], -r["closed"], r["camera_id"], r["algorithm"]))


def nights(session: Session, camera_id: str, algorithm: str, most: int = 60) -> list[dict[str, Any]]:
    """One camera's algorithm over the last nights, the oldest first."""
    query = (
        select(FieldReport)
        .where(FieldReport.camera_id == camera_id, FieldReport.algorithm == algorithm)
        .order_by(FieldReport.night.desc())
        .limit(most)
    )
    return [_line(row) for row in session.scalars(query)][::-1]


def written(session: Session, now: datetime) -> bool:
    """Whether tonight's report stands."""
    return session.scalar(select(FieldReport.night).where(FieldReport.night == night_of(now)).limit(1)) is not None


def _line(row: FieldReport) -> dict[str, Any]:
    return {
        "night": row.night.isoformat(), "camera_id": row.camera_id, "algorithm": row.algorithm, **row.body,
    }  # fmt: skip
