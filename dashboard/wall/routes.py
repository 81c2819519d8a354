"""Routes of the wall: alarms, live values, surroundings, situation, replay."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid
from dashboard.api.deps import Use, Who, respond, takes
from dashboard.api.params import body, moment
from dashboard.wall import alarms as wall_alarms
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


@router.get("/api/alarms")
def alarms(use: Use, who: Who) -> Response:
    """Alarms of open cases, gravest first: those that ring (``acknowledged_at`` null) and those acknowledged."""
    with read_scope(use.engine) as session:
        found = wall_alarms.alarms(session, who.actor)
    return respond({"items": found, "server_time": use.clock.now(), "may": bool(who.has(*wall_alarms.MAY_ACKNOWLEDGE))})


@router.post("/api/alarms/{case_id}/acknowledge", openapi_extra=takes(Acknowledge))
async def acknowledge(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Acknowledge an alarm by name; 409 ``alarm_risen`` when the case has risen since.  Repeating changes nothing."""
    sent = await body(request, Acknowledge)

    def write() -> wall_alarms.Alarm:
        with session_scope(use.engine) as session:
            return wall_alarms.acknowledge(session, who.actor, case_id, sent.raised_seq, sent.severity, use.clock.now())

    answer = await asyncio.to_thread(write)
    await use.hub.tell_alarm(case_id)
    return respond(answer)


@router.get("/api/wall/values")
def values(request: Request, use: Use, who: Who) -> Response:
    """Live value, trend, sparkline, alarm levels and escalations of ``cases`` (ids with commas, at most 60)."""
    ids = [part for part in (request.query_params.get("cases") or "").split(",") if part]
    if not 1 <= len(ids) <= MAX_CASES:
        raise InputInvalid(field="cases", detail=f"{len(ids)} ids", how=f"name 1 … {MAX_CASES} cases")
    with read_scope(use.engine) as session:
        return respond({"items": live_values(session, who.actor, ids, use.clock.now())})


@router.get("/api/cases/{case_id}/surroundings")
def around(case_id: str, use: Use, who: Who) -> Response:
    """Cameras of the site and within 200 m; open cases near and alike, earlier ones of the place; distances in m."""
    with read_scope(use.engine) as session:
        return respond(surroundings(session, who.actor, case_id, use.hub.states, use.clock.now()))


@router.get("/api/wall/situation")
def now(use: Use, who: Who) -> Response:
    """Who is on duty, weather and warnings, how many cameras and devices speak and when the newest datum came."""
    with read_scope(use.engine) as session:
        return respond(situation(session, who.actor, use.hub.states, use.clock.now()))


@router.get("/api/wall/replay")
def past(request: Request, use: Use, who: Who) -> Response:
    """Cases, readings and camera states of ``from`` … ``to`` (default the last 24 h, at most 25 h)."""
    end = moment(request.query_params, "to") or use.clock.now()
    begin = moment(request.query_params, "from") or end - timedelta(hours=24)
    with read_scope(use.engine) as session:
        return respond(replay(session, who.actor, begin, end))
