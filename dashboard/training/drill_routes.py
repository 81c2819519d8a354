"""Drills: start, stop, the next case to decide, the decision, the marks."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from fastapi import APIRouter, Request, Response

from dashboard.answers.training.drills import DrillAnswered, DrillList, DrillNext, DrillStarted, DrillWhole
from dashboard.api.deps import Use, Who, answers, respond, takes
from dashboard.api.params import body
from dashboard.training.drills import DrillDesk

router = APIRouter(tags=["training"])


class DrillBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drills``: a recorded period (with offsets) and how many times as fast it is lived again."""

    title: str
    since: datetime
    until: datetime
    speed: float = 60.0


class DrillDecided(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drills/{drill_id}/answers``: a department, or a false alarm."""

    case_id: str
    department_id: str = ""
    false_alarm: bool = False


@router.get("/api/drills", **answers(DrillList))
def listed(use: Use, who: Who) -> Response:
    """The drills, the newest first."""
    return respond({"items": DrillDesk(use, who.actor).listed(), "next": None})


@router.post("/api/drills", openapi_extra=takes(DrillBody), **answers(DrillStarted))
async def start(request: Request, use: Use, who: Who) -> Response:
    """Start a drill; one at a time."""
    sent = await body(request, DrillBody)
    desk = DrillDesk(use, who.actor)
    return respond({"drill_id": await asyncio.to_thread(desk.start, sent.title, sent.since, sent.until, sent.speed)})


@router.get("/api/drills/{drill_id}", **answers(DrillWhole))
def one(drill_id: str, use: Use, who: Who) -> Response:
    """A drill with its report and the marks of those who take part."""
    return respond(DrillDesk(use, who.actor).one(drill_id))


@router.post("/api/drills/{drill_id}/stop", **answers(DrillStarted))
async def stop(drill_id: str, use: Use, who: Who) -> Response:
    """End it now; what was lived until then is reported."""
    await asyncio.to_thread(DrillDesk(use, who.actor).stop, drill_id)
    return respond({"drill_id": drill_id})


@router.post("/api/drills/{drill_id}/next", **answers(DrillNext))
async def following(drill_id: str, use: Use, who: Who) -> Response:
    """The next case to decide; its time begins when it is shown."""
    return respond({"case": await asyncio.to_thread(DrillDesk(use, who.actor).next, drill_id)})


@router.post("/api/drills/{drill_id}/answers", openapi_extra=takes(DrillDecided), **answers(DrillAnswered))
async def decide(drill_id: str, request: Request, use: Use, who: Who) -> Response:
    """Decide a case; answers the points and what would have been right."""
    sent = await body(request, DrillDecided)
    desk = DrillDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.answer, drill_id, sent.case_id, sent.department_id, sent.false_alarm))
