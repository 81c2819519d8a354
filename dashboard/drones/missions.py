"""``/api/drone/missions``: asked for, planned, flown, answered; route file and report."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.errors import Forbidden
from dashboard.answers.missions import MissionList, SurveyCameraList
from dashboard.api.deps import CENTRE, EXPORT, Use, Who, allow, answers, respond, sends, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.drones import mission_work as work
from dashboard.drones.mission_pdf import render
from dashboard.drones.planning import PlanWish, route_of_mission
from dashboard.drones.routes import CREW, VIEWERS
from ingest.drones.cameras import survey_cameras
from ingest.drones.wpml.write import kmz
from storage.missions import MOST_MISSIONS, MissionStore, MissionView

router = APIRouter(tags=["drones"])
ASKERS = (*CENTRE, "drone", "inspector", "staff")
KMZ = "application/vnd.google-earth.kmz"


class MissionFilters(Filters):
    """Which missions: in a state (open: not done), of a case."""

    state: Text = ""
    case: Text = ""
    limit: int = Field(200, ge=1, le=MOST_MISSIONS)


@router.get("/api/drone/missions", dependencies=[allow(*ASKERS)], **answers(MissionList))
def missions(asked: Annotated[MissionFilters, Query()], use: Use, who: Who) -> Response:
    """Missions, the newest first; who sees no others gets those that they asked for."""
    found = MissionStore(use.engine).missions(state=asked.state, case_id=asked.case, limit=asked.limit)
    if not who.has(*VIEWERS):
        found = [mission for mission in found if mission.requested_by == who.actor.user_id]
    return respond({"items": found})


@router.get("/api/drone/cameras", dependencies=[allow(*VIEWERS)], **answers(SurveyCameraList))
def cameras() -> Response:
    """Cameras that a flight can be planned for."""
    names = ("key", "name", "width", "height", "focal_px")
    return respond({"items": [{n: getattr(c, n) for n in names} for c in survey_cameras().values()]})


@router.post(
    "/api/drone/missions", dependencies=[allow(*ASKERS)], **answers(MissionView, 201),
    openapi_extra=takes(work.MissionWish),
)  # fmt: skip
async def ask(request: Request, use: Use, who: Who) -> Response:
    """Ask the drone team for a flight, of a case or of an area."""
    sent = await body(request, work.MissionWish)
    if not sent.case_id and not who.has(*CREW, "dispatcher", "manager"):
        raise Forbidden(action="ask for a flight that belongs to no case")
    return respond(await asyncio.to_thread(work.ask, use, who, sent), 201)


@router.get("/api/drone/missions/{mission_id}", dependencies=[allow(*VIEWERS)], **answers(MissionView))
def mission(mission_id: str, use: Use) -> Response:
    """One mission with its plan."""
    return respond(MissionStore(use.engine).mission(mission_id))


@router.patch(
    "/api/drone/missions/{mission_id}", dependencies=[allow(*CREW)], **answers(MissionView),
    openapi_extra=takes(work.MissionEdit),
)  # fmt: skip
async def edit(mission_id: str, request: Request, use: Use, who: Who) -> Response:
    """Change pilot, aircraft, times, permit, area or state; a new area takes the plan away."""
    sent = await body(request, work.MissionEdit)
    return respond(await asyncio.to_thread(work.edit, use, who, mission_id, sent))


@router.post(
    "/api/drone/missions/{mission_id}/plan", dependencies=[allow(*CREW)], **answers(MissionView),
    openapi_extra=takes(PlanWish),
)  # fmt: skip
async def plan(mission_id: str, request: Request, use: Use, who: Who) -> Response:
    """Plan the flight: survey lines or a look again, checked against airspace and buildings."""
    sent = await body(request, PlanWish)
    return respond(await asyncio.to_thread(work.plan, use, who, mission_id, sent))


@router.post(
    "/api/drone/missions/{mission_id}/answer", dependencies=[allow(*CREW)], **answers(MissionView),
    openapi_extra=takes(work.MissionReport),
)  # fmt: skip
async def answer(mission_id: str, request: Request, use: Use, who: Who) -> Response:
    """Say what was seen; the pictures go into the case's file, the word to its closing check."""
    sent = await body(request, work.MissionReport)
    return respond(await asyncio.to_thread(work.answer, use, who, mission_id, sent))


@router.get("/api/drone/missions/{mission_id}/route.kmz", dependencies=[allow(*CREW)], **sends(KMZ))
def route(mission_id: str, use: Use) -> Response:
    """The route file (WPML); refused while it leads through a prohibited area or a building."""
    found = MissionStore(use.engine).mission(mission_id)
    data = kmz(route_of_mission(use.settings, found))
    return Response(data, media_type=KMZ, headers=_named(f"{found.title}.kmz"))


@router.get(
    "/api/drone/missions/{mission_id}/report.pdf", dependencies=[allow(*VIEWERS), EXPORT], **sends("application/pdf")
)
def report(mission_id: str, use: Use, who: Who) -> Response:
    """The mission's report as PDF: facts, map, pictures."""
    found = MissionStore(use.engine).mission(mission_id)
    data = render(use, found, who.language)
    return Response(data, media_type="application/pdf", headers=_named(f"{found.title}.pdf"))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name.replace('/', '-'))}"}
