"""The duty roster: shifts, hand-over, substitution."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.clock import BEIJING
from core.errors import Forbidden, InputInvalid, NotFound
from dashboard.answers.duty import Roster, ShiftId
from dashboard.api.deps import Done, Use, Who, answers, audit, respond, takes
from dashboard.api.filters import Period
from dashboard.api.params import body
from dashboard.api.plans import READERS
from events.dispatching.duty_roster import MAY_PLAN, HandOver, add_shift, hand_over, substitute
from storage.session import read_scope, session_scope
from storage.tables.people import User
from storage.tables.plans import DutyShift
from storage.tables.registry import Department

router = APIRouter(tags=["plans"])

WIDEST = timedelta(days=62)


class Shift(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty``; a time without zone is Beijing time."""

    department_id: str
    user_id: str
    starts_at: str
    ends_at: str
    post: str = "duty"
    substitute_for: str | None = None


class HandOverBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty/{shift_id}/handover``."""

    user_id: str
    note: str


class Substitute(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty/{shift_id}/substitute``."""

    user_id: str


@router.get("/api/duty", **answers(Roster))
def duty(asked: Annotated[Period, Query()], use: Use, who: Who) -> Response:
    """The roster from ``from`` to ``to`` (default the next 7 days); outside the centre, one's own department's."""
    start_at = asked.start or use.clock.now()
    end_at = asked.end or start_at + timedelta(days=7)
    if not timedelta(0) < end_at - start_at <= WIDEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 62 days")
    other, taker = aliased(User), aliased(User)
    wanted = (
        select(DutyShift, User.name, Department, other.name, taker.name)
        .join(User, User.user_id == DutyShift.user_id)
        .join(Department, Department.department_id == DutyShift.department_id)
        .outerjoin(other, other.user_id == DutyShift.substitute_for)
        .outerjoin(taker, taker.user_id == DutyShift.handed_over_to)
        .where(DutyShift.starts_at < end_at, DutyShift.ends_at > start_at)
        .order_by(DutyShift.starts_at, DutyShift.shift_id)
        .limit(5000)
    )
    if not who.has(*READERS):
        wanted = wanted.where(DutyShift.department_id == (who.actor.department_id or ""))
    names = ("shift_id", "department_id", "post", "user_id", "substitute_for", "starts_at", "ends_at", "handed_over_at",
             "handed_over_to", "handover_note")  # fmt: skip
    with read_scope(use.engine) as session:
        items = [
            {n: getattr(shift, n) for n in names}
            | {"duty_id": shift.shift_id, "user_name": name, "department_name": department.name,
               "department_name_en": department.name_en, "role": shift.post, "substitute_for_name": stands_for,
               "handed_over_to_name": taken_by, "note": shift.handover_note}
            for shift, name, department, stands_for, taken_by in session.execute(wanted)
        ]  # fmt: skip
    return respond({"items": items, "next": None})


@router.post("/api/duty", openapi_extra=takes(Shift), **answers(ShiftId, 201))
async def add(request: Request, use: Use, who: Who) -> Response:
    """Put a person on duty."""
    sent = await body(request, Shift)
    starts_at, ends_at = _time("starts_at", sent.starts_at), _time("ends_at", sent.ends_at)

    def write() -> str:
        with session_scope(use.engine) as session:
            if session.get(Department, sent.department_id) is None:
                raise NotFound(what="department", key=sent.department_id)
            shift_id = add_shift(
                session, who.actor, sent.department_id, sent.user_id, starts_at, ends_at, post=sent.post,
                substitute_for=sent.substitute_for or None,
            )  # fmt: skip
            audit(session, use, who, "duty_add", {"shift_id": shift_id, **msgspec.to_builtins(sent)})
            return shift_id

    return respond({"shift_id": await asyncio.to_thread(write)}, 201)


def _time(name: str, text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputInvalid(field=name, detail=str(error), how="send ISO 8601") from error
    return value if value.tzinfo else value.replace(tzinfo=BEIJING)


@router.delete("/api/duty/{shift_id}", **answers(Done))
def remove(shift_id: str, use: Use, who: Who) -> Response:
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
        audit(session, use, who, "duty_remove", {"shift_id": shift_id, "user_id": shift.user_id})
        session.delete(shift)
    return respond({"ok": True})


@router.post("/api/duty/{shift_id}/handover", openapi_extra=takes(HandOverBody), **answers(HandOver))
async def handover(shift_id: str, request: Request, use: Use, who: Who) -> Response:
    """Hand a shift over with a note; the answer lists what the next one takes over."""
    sent = await body(request, HandOverBody)

    def write() -> Any:
        with session_scope(use.engine) as session:
            return hand_over(session, who.actor, shift_id, sent.user_id, sent.note, use.clock.now())

    return respond(await asyncio.to_thread(write))


@router.post("/api/duty/{shift_id}/substitute", openapi_extra=takes(Substitute), **answers(ShiftId, 201))
async def stand_in(shift_id: str, request: Request, use: Use, who: Who) -> Response:
    """Let somebody stand in for the rest of a shift."""
    sent = await body(request, Substitute)

    def write() -> str:
        with session_scope(use.engine) as session:
            found = substitute(session, who.actor, shift_id, sent.user_id, use.clock.now())
            audit(session, use, who, "duty_substitute", {"shift_id": shift_id, "user_id": sent.user_id})
            return found

    return respond({"shift_id": await asyncio.to_thread(write)}, 201)
