"""Duty status and positions: shared only on duty and with consent, kept a few days, seen by those who lead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, YiwangError
from core.records import Actor, Record
from events.cases.access import SEE_ALL
from storage.tables.field import DutyStatus, UserPosition
from storage.tables.people import User

KEPT_DAYS = 7
FRESH = timedelta(minutes=15)  # an older place is not shown as where somebody is


class NotOnDuty(YiwangError):
    code = "not_on_duty"
    message = "a place is taken only on duty and with consent"
    remedy = "go on duty and agree to share your place first"
    zh = "只有在岗并同意后才记录位置"
    zh_remedy = "请先上岗并同意共享位置"


class Duty(Record, frozen=True, omit_defaults=False):
    """A person's own duty status; ``sharing``: on duty and agreed."""

    on_duty: bool
    sharing: bool
    changed_at: datetime | None
    kept_days: int = KEPT_DAYS


def duty_of(session: Session, user_id: str) -> Duty:
    """The status, off duty when nothing was ever said."""
    row = session.get(DutyStatus, user_id)
    if row is None:
        return Duty(on_duty=False, sharing=False, changed_at=None)
    return Duty(on_duty=row.on_duty, sharing=row.on_duty and row.consent, changed_at=row.changed_at)


def set_duty(session: Session, user_id: str, on_duty: bool, consent: bool, now: datetime) -> Duty:
    """Go on or off duty; consent ends with duty, and places of somebody who takes it back are deleted."""
    row = session.get(DutyStatus, user_id)
    if row is None:
        row = DutyStatus(user_id=user_id, on_duty=False, consent=False, changed_at=now)
        session.add(row)
    if row.consent and on_duty and not consent:
        session.execute(delete(UserPosition).where(UserPosition.user_id == user_id))
    row.on_duty, row.consent, row.changed_at = on_duty, on_duty and consent, now
    session.flush()
    return duty_of(session, user_id)


def add_position(
    session: Session, user_id: str, lon: float, lat: float, accuracy_m: float | None, now: datetime
) -> None:
    """Keep where the person is now; :class:`NotOnDuty` without duty or consent."""
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise InputInvalid(field="lon", detail="is no place", how="send lon and lat in degrees")
    if accuracy_m is not None and not 0 <= accuracy_m <= 1e6:
        raise InputInvalid(field="accuracy_m", detail="is no distance", how="send metres, or leave it out")
    if not duty_of(session, user_id).sharing:
        raise NotOnDuty()
    session.execute(delete(UserPosition).where(UserPosition.at < now - timedelta(days=KEPT_DAYS)))
    if session.get(UserPosition, (user_id, now)) is None:
        session.add(UserPosition(user_id=user_id, at=now, lon=lon, lat=lat, accuracy_m=accuracy_m))


def positions(session: Session, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Where people on duty are now: the command centre sees all, a manager the department's."""
    last = (
        select(UserPosition.user_id, func.max(UserPosition.at).label("at"))
        .where(UserPosition.at > now - FRESH)
        .group_by(UserPosition.user_id)
        .subquery()
    )
    query = (
        select(UserPosition, User.name, User.department_id)
        .join(last, (last.c.user_id == UserPosition.user_id) & (last.c.at == UserPosition.at))
        .join(User, User.user_id == UserPosition.user_id)
        .join(DutyStatus, DutyStatus.user_id == UserPosition.user_id)
        .where(DutyStatus.on_duty.is_(True), DutyStatus.consent.is_(True))
        .order_by(UserPosition.user_id)
    )
    if not (SEE_ALL - {"manager"}) & set(actor.roles):
        query = query.where(User.department_id == actor.department_id)
    return [
        {
            "user_id": row.user_id, "name": name, "department_id": department, "lon": row.lon, "lat": row.lat,
            "accuracy_m": row.accuracy_m, "at": row.at,
        }
        for row, name, department in session.execute(query)
    ]  # fmt: skip
