"""The duty roster as routes and desk pages use it: who stands when, planning, hand-over; judged by rights."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.clock import BEIJING
from core.errors import Forbidden, InputInvalid, NotFound
from dashboard.api.deps import audit
from dashboard.auth import Principal
from dashboard.desk.plans import READERS
from dashboard.services import Services
from events.dispatching.duty_roster import MAY_PLAN, HandOver, add_shift, hand_over, substitute
from storage.session import read_scope, session_scope
from storage.tables.people import User
from storage.tables.plans import DutyShift
from storage.tables.registry import Department

WIDEST = timedelta(days=62)
_SHOWN = ("shift_id", "department_id", "post", "user_id", "substitute_for", "starts_at", "ends_at", "handed_over_at",
          "handed_over_to", "handover_note")  # fmt: skip


class Shift(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty``; a time without zone is Beijing time."""

    department_id: str
    user_id: str
    starts_at: str
    ends_at: str
    post: str = "duty"
    substitute_for: str | None = None


def roster(use: Services, who: Principal, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The shifts that touch the period; outside the centre, one's own department's."""
    if not timedelta(0) < end - start <= WIDEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 62 days")
    other, taker = aliased(User), aliased(User)
    wanted = (
        select(DutyShift, User.name, Department, other.name, taker.name)
        .join(User, User.user_id == DutyShift.user_id)
        .join(Department, Department.department_id == DutyShift.department_id)
        .outerjoin(other, other.user_id == DutyShift.substitute_for)
        .outerjoin(taker, taker.user_id == DutyShift.handed_over_to)
        .where(DutyShift.starts_at < end, DutyShift.ends_at > start)
        .order_by(DutyShift.starts_at, DutyShift.shift_id)
        .limit(5000)
    )
    if not who.has(*READERS):
        wanted = wanted.where(DutyShift.department_id == (who.actor.department_id or ""))
    with read_scope(use.engine) as session:
        return [
            {n: getattr(shift, n) for n in _SHOWN}
            | {"duty_id": shift.shift_id, "user_name": name, "department_name": department.name,
               "department_name_en": department.name_en, "role": shift.post, "substitute_for_name": stands_for,
               "handed_over_to_name": taken_by, "note": shift.handover_note}
            for shift, name, department, stands_for, taken_by in session.execute(wanted)
        ]  # fmt: skip


def plan_shift(use: Services, who: Principal, sent: Shift) -> str:
    """Put a person on duty; the id of the shift."""
    starts_at, ends_at = _time("starts_at", sent.starts_at), _time("ends_at", sent.ends_at)
    with session_scope(use.engine) as session:
        if session.get(Department, sent.department_id) is None:
            raise NotFound(what="department", key=sent.department_id)
        shift_id = add_shift(
            session, who.actor, sent.department_id, sent.user_id, starts_at, ends_at, post=sent.post,
            substitute_for=sent.substitute_for or None,
        )  # fmt: skip
        audit(session, use, who, "duty_add", {"shift_id": shift_id, **msgspec.to_builtins(sent)})
        return shift_id


def _time(name: str, text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputInvalid(field=name, detail=str(error), how="send ISO 8601") from error
    return value if value.tzinfo else value.replace(tzinfo=BEIJING)


def remove_shift(use: Services, who: Principal, shift_id: str) -> None:
    """Take a shift out of the roster, while it has not begun."""
    with session_scope(use.engine) as session:
        shift = session.get(DutyShift, shift_id, with_for_update=True)
        if shift is None:
            raise NotFound(what="shift", key=shift_id)
        wide = {"admin", "dispatcher", "operator"} & set(who.actor.roles)
        if not MAY_PLAN & set(who.actor.roles) or not (wide or shift.department_id == who.actor.department_id):
            raise Forbidden(action="plan this duty")
        if shift.starts_at <= use.clock.now():
            raise InputInvalid(field="shift_id", detail="has begun", how="name a substitute, or hand it over")
        note = {n: getattr(shift, n) for n in ("shift_id", "user_id", "department_id", "post", "substitute_for")}
        times = {"starts_at": shift.starts_at.isoformat(), "ends_at": shift.ends_at.isoformat()}
        audit(session, use, who, "duty_remove", note | times)
        session.delete(shift)


def hand_shift_over(use: Services, who: Principal, shift_id: str, to_user: str, note: str) -> HandOver:
    """Hand a shift over with a note; the answer lists what the next one takes over."""
    with session_scope(use.engine) as session:
        sheet = hand_over(session, who.actor, shift_id, to_user, note, use.clock.now())
        handed = {"shift_id": shift_id, "from_user": sheet.from_user, "to_user": to_user, "note": note}
        audit(session, use, who, "duty_handover", handed)
        return sheet


def name_substitute(use: Services, who: Principal, shift_id: str, user_id: str) -> str:
    """Let somebody stand in for the rest of a shift."""
    with session_scope(use.engine) as session:
        found = substitute(session, who.actor, shift_id, user_id, use.clock.now())
        audit(session, use, who, "duty_substitute", {"shift_id": shift_id, "user_id": user_id})
        return found
