"""The last day (or any day) for the time slider: cases, readings and camera states as intervals, to be played back."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor
from dashboard import queries
from events.cases.access import visible_cases
from storage.tables.cases import Case, CaseTransition
from storage.tables.observations import ObservationRow
from storage.tables.readings import ReadingRollup
from storage.tables.registry import Device

LONGEST = timedelta(hours=25)
MAX_CASES, MAX_POINTS, MAX_CHANGES = 3000, 20_000, 20_000
STEP_S = 300


def replay(session: Session, actor: Actor, begin: datetime, end: datetime) -> dict[str, Any]:
    """``{"cases", "readings", "cameras", "cut"}`` of [begin, end); ``cut`` names what was more than a page can show.

    Cases: place, kind, from, to, and ``severities`` as [unix s, severity]; readings: 5-minute means of devices with a
    place; cameras: [unix s, up] changes told by their health findings.
    """
    if not timedelta(0) < end - begin <= LONGEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 25 hours")
    cut: list[str] = []
    return {
        "from": begin,
        "to": end,
        "cases": _cases(session, actor, begin, end, cut),
        "readings": _readings(session, actor, begin, end, cut),
        "cameras": _cameras(session, actor, begin, end, cut),
        "cut": cut,
    }


def _cases(session: Session, actor: Actor, begin: datetime, end: datetime, cut: list[str]) -> list[dict[str, Any]]:
    names = ("case_id", "kind", "title", "severity", "lon", "lat", "opened_at", "closed_at", "site_id")
    query = (
        select(*[getattr(Case, name) for name in names])
        .where(visible_cases(actor), Case.opened_at < end, or_(Case.closed_at.is_(None), Case.closed_at >= begin))
        .order_by(Case.opened_at.desc())
        .limit(MAX_CASES + 1)
    )
    rows = [dict(row._mapping) for row in session.execute(query)]
    if len(rows) > MAX_CASES:
        cut.append("cases")
        rows.pop()
    rises = _rises(session, [row["case_id"] for row in rows])
    for row in rows:
        steps = rises.get(row["case_id"], [])
        first = steps[0][1] if steps else row["severity"]
        row["severities"] = [(row["opened_at"].timestamp(), first), *[(at, after) for at, _, after in steps]]
    return rows


def _rises(session: Session, ids: list[str]) -> dict[str, list[tuple[float, int, int]]]:
    """Escalations by case: (unix s, from, to)."""
    found: dict[str, list[tuple[float, int, int]]] = defaultdict(list)
    for start in range(0, len(ids), 500):
        query = (
            select(CaseTransition.case_id, CaseTransition.at, CaseTransition.data)
            .where(CaseTransition.case_id.in_(ids[start : start + 500]), CaseTransition.command == "escalate")
            .order_by(CaseTransition.case_id, CaseTransition.seq)
        )
        for case_id, at, data in session.execute(query):
            if isinstance(data.get("from"), int) and isinstance(data.get("to"), int):
                found[case_id].append((at.timestamp(), data["from"], data["to"]))
    return found


def _readings(session: Session, actor: Actor, begin: datetime, end: datetime, cut: list[str]) -> list[dict[str, Any]]:
    devices = session.scalars(
        select(Device)
        .where(queries.visible_devices(actor), Device.lon.is_not(None), Device.status == "accepted")
        .limit(500)
    ).all()
    table, found, left = ReadingRollup, [], MAX_POINTS
    for device in devices:
        query = (
            select(table.quantity, table.bucket, table.total, table.count)
            .where(
                table.device_id == device.device_id,
                table.step_s == STEP_S,
                table.bucket >= int(begin.timestamp()),
                table.bucket < int(end.timestamp()),
            )
            .order_by(table.quantity, table.bucket)
            .limit(left)
        )
        rows: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for quantity, bucket, total, count in session.execute(query):
            rows[quantity].append((bucket, round(total / count, 4)))
            left -= 1
        place = {"device_id": device.device_id, "name": device.name, "lon": device.lon, "lat": device.lat}
        found += [place | {"quantity": quantity, "points": points} for quantity, points in rows.items()]
        if left <= 0:
            cut.append("readings")
            break
    return found


def _cameras(session: Session, actor: Actor, begin: datetime, end: datetime, cut: list[str]) -> dict[str, Any]:
    if not queries.sees_all(actor):
        return {}
    query = (
        select(ObservationRow.source_id, ObservationRow.observed_at, ObservationRow.state)
        .where(
            ObservationRow.kind == "camera_health",
            ObservationRow.observed_at >= begin,
            ObservationRow.observed_at < end,
        )
        .order_by(ObservationRow.observed_at)
        .limit(MAX_CHANGES + 1)
    )
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for n, (camera_id, at, state) in enumerate(session.execute(query)):
        if n == MAX_CHANGES:
            cut.append("cameras")
            break
        found[camera_id].append((at.timestamp(), state == "clear"))
    return found
