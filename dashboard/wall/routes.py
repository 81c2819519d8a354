"""Routes of the wall: alarms, live values, surroundings, situation, replay."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.errors import InputInvalid
from dashboard.answers.maps import AlarmList, CaseSurroundings, LiveValues, Situation, WallReplay
from dashboard.api.deps import Use, Who, answers, packed, respond, takes
from dashboard.api.filters import Filters, PeriodFilter, Several
from dashboard.api.params import body
from dashboard.wall import alarms as wall_alarms
from dashboard.wall.alarms import Alarm
from dashboard.wall.readings import MAX_CASES, live_values
from dashboard.wall.replay import replay
from dashboard.wall.situation import situation
from dashboard.wall.surroundings import surroundings
from storage.session import read_scope, session_scope

router = APIRouter(tags=["wall"])


class Acknowledge(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/alarms/{case_id}/acknowledge``: the alarm that the person looked at."""

    raised_seq: int
    severity: int


@router.get("/api/alarms", **answers(AlarmList))
def alarms(use: Use, who: Who) -> Response:
    """Alarms of open cases, gravest first: those that ring (``acknowledged_at`` null) and those acknowledged."""
    with read_scope(use.engine) as session:
        found = wall_alarms.alarms(session, who.actor)
    return respond({"items": found, "server_time": use.clock.now(), "may": bool(who.has(*wall_alarms.MAY_ACKNOWLEDGE))})


@router.post("/api/alarms/{case_id}/acknowledge", openapi_extra=takes(Acknowledge), **answers(Alarm))
async def acknowledge(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Acknowledge an alarm by name; 409 ``alarm_risen`` when the case has risen since.  Repeating changes nothing."""
    sent = await body(request, Acknowledge)

    def write() -> wall_alarms.Alarm:
        with session_scope(use.engine) as session:
            return wall_alarms.acknowledge(session, who.actor, case_id, sent.raised_seq, sent.severity, use.clock.now())

    answer = await asyncio.to_thread(write)
    await use.hub.tell_alarm(case_id)
    return respond(answer)


class ValueFilters(Filters):
    """Which cases' values."""

    cases: Several = Field(default_factory=tuple, description=f"1 … {MAX_CASES} ids with commas")


@router.get("/api/wall/values", **answers(LiveValues))
def values(asked: Annotated[ValueFilters, Query()], use: Use, who: Who) -> Response:
    """Live value, trend, sparkline, alarm levels and escalations of cases."""
    ids = list(asked.cases)
    if not 1 <= len(ids) <= MAX_CASES:
        raise InputInvalid(field="cases", detail=f"{len(ids)} ids", how=f"name 1 … {MAX_CASES} cases")
    with read_scope(use.engine) as session:
        return respond({"items": live_values(session, who.actor, ids, use.clock.now())})


@router.get("/api/cases/{case_id}/surroundings", **answers(CaseSurroundings))
def around(request: Request, case_id: str, use: Use, who: Who) -> Response:
    """Cameras of the site and within 200 m; open cases near and alike, earlier ones of the place; distances in m."""
    with read_scope(use.engine) as session:
        return packed(request, surroundings(session, who.actor, case_id, use.hub.states, use.clock.now()))


@router.get("/api/wall/situation", **answers(Situation))
def now(use: Use, who: Who) -> Response:
    """Who is on duty, weather and warnings, how many cameras and devices speak and when the newest datum came."""
    with read_scope(use.engine) as session:
        return respond(situation(session, who.actor, use.hub.states, use.clock.now()))


@router.get("/api/wall/replay", **answers(WallReplay))
def past(request: Request, asked: Annotated[PeriodFilter, Query()], use: Use, who: Who) -> Response:
    """Cases, readings and camera states of a span (default the last 24 h, at most 25 h)."""
    end = asked.end or use.clock.now()
    begin = asked.start or end - timedelta(hours=24)
    with read_scope(use.engine) as session:
        return packed(request, replay(session, who.actor, begin, end))
