"""The strip above the wall: who is on duty, weather and warnings, and how fresh the data is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.access import visible_cases
from storage.readings import latest, rain_sums
from storage.tables.cases import Case
from storage.tables.people import User
from storage.tables.plans import DutyShift
from storage.tables.readings import ReadingRow
from storage.tables.registry import Camera, Department, Device

FRESH = timedelta(minutes=5)  # a device that spoke, or a camera that was seen, within it counts as fresh
WEATHER = ("temperature_c", "air_temperature_c", "wind_speed_mps", "humidity_pct")
ONLINE = frozenset({"online", "live", "ok"})


def situation(session: Session, actor: Actor, states: Mapping[str, dict[str, Any]], now: datetime) -> dict[str, Any]:
    """``{"duty", "weather", "warnings", "freshness"}`` at ``now``; None or empty: there is no source."""
    return {
        "duty": _duty(session, now),
        "weather": _weather(session, now),
        "warnings": _warnings(session, actor),
        "freshness": _freshness(session, states, now),
    }


def _duty(session: Session, now: datetime) -> dict[str, Any]:
    """Shifts that run now: how many people, and who leads (the post ``leader``, else the first of the centre)."""
    query = (
        select(DutyShift.user_id, DutyShift.post, User.name, Department.name.label("department"))
        .join(User, User.user_id == DutyShift.user_id)
        .join(Department, Department.department_id == DutyShift.department_id)
        .where(DutyShift.starts_at <= now, DutyShift.ends_at > now, DutyShift.handed_over_at.is_(None))
        .order_by(DutyShift.post != "leader", DutyShift.starts_at)
    )
    rows = session.execute(query).all()
    people = list({r.user_id: {"name": r.name, "post": r.post, "department": r.department} for r in rows}.values())
    return {"people": len(people), "leader": people[0] if people else None}


def _weather(session: Session, now: datetime) -> dict[str, Any] | None:
    """Rain of the last hour of the wettest gauge and the newest air values; None where no weather source speaks."""
    gauges = session.scalars(
        select(Device.device_id).where(
            Device.status == "accepted", Device.device_type.in_(("rain", "rain_gauge", "weather"))
        )
    ).all()
    found: dict[str, Any] = {}
    for device_id in gauges[:50]:
        for value in latest(session, device_id, 20):
            if value.value is not None and value.quantity in WEATHER and value.observed_at >= now - timedelta(hours=2):
                found.setdefault(value.quantity, {"value": value.value, "unit": value.unit, "at": value.observed_at})
        rain = rain_sums(session, device_id, now)[1]
        if rain > found.get("rain_mm_1h", {}).get("value", -1):
            found["rain_mm_1h"] = {"value": round(rain, 1), "unit": "mm", "at": now}
    return found or None


def _warnings(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Open weather warnings, gravest first."""
    query = (
        select(Case.case_id, Case.title, Case.severity, Case.opened_at)
        .where(Case.open.is_(True), Case.happening_key.like("weather@%"), visible_cases(actor))
        .order_by(Case.severity.desc(), Case.opened_at.desc())
        .limit(5)
    )
    return [dict(row._mapping) for row in session.execute(query)]


def _freshness(session: Session, states: Mapping[str, dict[str, Any]], now: datetime) -> dict[str, Any]:
    """How many enabled cameras and accepted devices speak, and when the newest reading came."""
    cameras = session.scalar(select(func.count()).select_from(Camera).where(Camera.enabled.is_(True))) or 0
    registered = session.scalar(select(func.count()).select_from(Camera)) or 0
    devices = session.scalar(select(func.count()).select_from(Device).where(Device.status == "accepted")) or 0
    seen = [s for k, s in states.items() if k.startswith("camera.") and s.get("state") in ONLINE]
    heard = [s for k, s in states.items() if k.startswith("device.") and _recent(s.get("heard_at"), now)]
    newest = session.scalar(
        select(func.max(ReadingRow.received_at)).where(ReadingRow.received_at >= now - timedelta(days=1))
    )
    times = [t for t in (_time(s.get("at")) for s in seen) if t] + ([newest] if newest else [])
    return {
        "cameras_online": len(seen),
        "cameras_analysed": cameras,
        "cameras": registered,
        "devices_online": len(heard),
        "devices": devices,
        "newest_at": max(times) if times else None,
    }


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _recent(text: Any, now: datetime) -> bool:
    at = _time(text)
    return at is not None and at.tzinfo is not None and at >= now - FRESH
