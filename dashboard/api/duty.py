"""The duty roster: shifts, hand-over, substitution."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from dashboard.answers.duty import Roster, ShiftId
from dashboard.api.deps import Done, Use, Who, answers, respond, takes
from dashboard.api.filters import PeriodFilter
from dashboard.api.params import body
from dashboard.desk import duty as desk
from dashboard.desk.duty import Shift
from events.dispatching.duty_roster import HandOver

router = APIRouter(tags=["plans"])


class HandOverBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty/{shift_id}/handover``."""

    user_id: str
    note: str


class Substitute(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty/{shift_id}/substitute``."""

    user_id: str


@router.get("/api/duty", **answers(Roster))
def duty(asked: Annotated[PeriodFilter, Query()], use: Use, who: Who) -> Response:
    """The roster from ``from`` to ``to`` (default the next 7 days); outside the centre, one's own department's."""
    start_at = asked.start or use.clock.now()
    items = desk.roster(use, who, start_at, asked.end or start_at + timedelta(days=7))
    return respond({"items": items, "next": None})


@router.post("/api/duty", openapi_extra=takes(Shift), **answers(ShiftId, 201))
async def add(request: Request, use: Use, who: Who) -> Response:
    """Put a person on duty."""
    sent = await body(request, Shift)
    return respond({"shift_id": await asyncio.to_thread(desk.plan_shift, use, who, sent)}, 201)


@router.delete("/api/duty/{shift_id}", **answers(Done))
def remove(shift_id: str, use: Use, who: Who) -> Response:
    """Take a shift out of the roster, while it has not begun."""
    desk.remove_shift(use, who, shift_id)
    return respond({"ok": True})


@router.post("/api/duty/{shift_id}/handover", openapi_extra=takes(HandOverBody), **answers(HandOver))
async def handover(shift_id: str, request: Request, use: Use, who: Who) -> Response:
    """Hand a shift over with a note; the answer lists what the next one takes over."""
    sent = await body(request, HandOverBody)
    return respond(await asyncio.to_thread(desk.hand_shift_over, use, who, shift_id, sent.user_id, sent.note))


@router.post("/api/duty/{shift_id}/substitute", openapi_extra=takes(Substitute), **answers(ShiftId, 201))
async def stand_in(shift_id: str, request: Request, use: Use, who: Who) -> Response:
    """Let somebody stand in for the rest of a shift."""
    sent = await body(request, Substitute)
    found = await asyncio.to_thread(desk.name_substitute, use, who, shift_id, sent.user_id)
    return respond({"shift_id": found}, 201)
