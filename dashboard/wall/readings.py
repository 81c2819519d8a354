"""Reads what :mod:`dashboard.wall.values` needs: readings of a device, confidences of a camera, moves of a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Actor
from dashboard.wall.values import LiveValue, cleared_since, escalations, levels_of, repeats, thinned, trend
from events.cases.access import visible_cases
from storage.readings import series
from storage.tables.cases import Case, CaseObservation, CaseTransition
from storage.tables.observations import ObservationRow
from storage.tables.readings import ReadingRow

MAX_CASES = 60
WINDOW = timedelta(hours=3)
NOTES = ("escalate", "clear")


def live_values(session: Session, actor: Actor, ids: Sequence[str], now: datetime) -> list[LiveValue]:
    """The live values of those of ``ids`` (at most 60) that ``actor`` may see."""
    wanted = list(dict.fromkeys(ids))[:MAX_CASES]
    cases = session.scalars(select(Case).where(Case.case_id.in_(wanted), visible_cases(actor))).all()
    moves = _moves(session, [case.case_id for case in cases])
    return [_live(session, case, moves[case.case_id], now) for case in cases]


def _moves(session: Session, ids: Sequence[str]) -> dict[str, list[tuple[int, datetime, str, dict[str, Any]]]]:
    query = (
        select(
            CaseTransition.case_id, CaseTransition.seq, CaseTransition.at, CaseTransition.command, CaseTransition.data
        )
        .where(CaseTransition.case_id.in_(ids), CaseTransition.command.in_(NOTES))
        .order_by(CaseTransition.case_id, CaseTransition.seq)
    )
    found: dict[str, list[tuple[int, datetime, str, dict[str, Any]]]] = defaultdict(list)
    for row in session.execute(query):
        found[row.case_id].append((row.seq, row.at, row.command, row.data or {}))
    return found


def _live(session: Session, case: Case, moves: Sequence[Any], now: datetime) -> LiveValue:
    why = case.why or {}
    levels, direction = levels_of((why.get("rule") or {}).get("params") or {})
    end = case.closed_at or now
    points, unit, quantity = _points(session, case, end)
    last = points[-1] if points else None
    return LiveValue(
        case_id=case.case_id,
        quantity=quantity,
        value=last[1] if last else None,
        unit=unit,
        at=datetime.fromtimestamp(last[0], tz=end.tzinfo) if last else None,
        trend=trend(points),
        direction=direction,
        points=thinned(points),
        levels=levels if quantity != "confidence" else [],
        escalations=escalations(moves),
        cleared_at=cleared_since(why.get("standing") or {}, moves),
        repeats=repeats(moves),
    )


def _points(session: Session, case: Case, end: datetime) -> tuple[list[tuple[float, float]], str, str]:
    """(points, unit, quantity): the device's series, else the values, else the confidences of the observations."""
    if case.source_type == "device":
        begin = max(end - WINDOW, case.opened_at - timedelta(minutes=30)) if case.closed_at else end - WINDOW
        found = series(session, case.source_id, case.kind, begin, end + timedelta(seconds=60), limit=2000)
        if found:
            return [(p.at.timestamp(), p.value) for p in found], _unit(session, case), case.kind
    seen = session.scalars(
        select(ObservationRow)
        .join(CaseObservation, CaseObservation.observation_id == ObservationRow.observation_id)
        .where(CaseObservation.case_id == case.case_id)
        .order_by(ObservationRow.observed_at.desc())
        .limit(200)
    ).all()
    rows = [(o.observed_at.timestamp(), o.body or {}) for o in reversed(seen)]
    sure = [(at, 100 * float(b["confidence"])) for at, b in rows if isinstance(b.get("confidence"), int | float)]
    if sure and case.source_type == "camera":  # what a detector counts (shares, pixels) says less than how sure it is
        return sure, "%", "confidence"
    values = [(at, float(b["value"])) for at, b in rows if isinstance(b.get("value"), int | float)]
    if values:
        unit = next((str(b.get("unit") or "") for _, b in reversed(rows) if b.get("value") is not None), "")
        return values, unit, case.kind
    return sure, "%", "confidence"


def _unit(session: Session, case: Case) -> str:
    query = (
        select(ReadingRow.unit)
        .where(ReadingRow.device_id == case.source_id, ReadingRow.quantity == case.kind)
        .order_by(ReadingRow.observed_at.desc())
        .limit(1)
    )
    return session.scalar(query) or ""
