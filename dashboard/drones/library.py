"""``/api/drone/waylines``: the library of routes from the desk; a planned mission goes into it with one call."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from dashboard.answers.waylines import WaylineList
from dashboard.api.deps import Done, Use, Who, allow, answers, audit, respond, sends, takes_file
from dashboard.drones.missions import KMZ
from dashboard.drones.pilot.library import keep_route
from dashboard.drones.planning import route_of_mission
from dashboard.drones.routes import CREW, VIEWERS
from ingest.drones.cameras import survey_camera
from ingest.drones.wpml.write import kmz
from storage.missions import MissionStore
from storage.session import session_scope
from storage.waylines import WaylineStore, WaylineView

router = APIRouter(tags=["drones"])


@router.get("/api/drone/waylines", dependencies=[allow(*VIEWERS)], **answers(WaylineList))
def waylines(use: Use) -> Response:
    """Every route, the newest first."""
    return respond({"items": WaylineStore(use.engine).listed()})


@router.post(
    "/api/drone/missions/{mission_id}/wayline", dependencies=[allow(*CREW)], **answers(WaylineView, 201)
)  # fmt: skip
def publish(mission_id: str, use: Use, who: Who) -> Response:
    """The mission's route into the library: controllers find it there under the mission's title."""
    mission = MissionStore(use.engine).mission(mission_id)
    flight = route_of_mission(use.settings, mission)
    camera = survey_camera(str(mission.plan["wish"]["camera"]))
    kept = keep_route(
        use, f"{mission.title}-{mission.version}", kmz(flight), who.login,
        drone_model_key=f"0-{camera.drone}-{camera.drone_sub}", payload_model_keys=[f"1-{camera.payload}-0"],
        template_types=[0],
    )  # fmt: skip
    with session_scope(use.engine) as session:
        audit(session, use, who, "wayline_publish", {"mission_id": mission_id, "wayline_id": kept.wayline_id})
    return respond(kept, 201)


@router.post(
    "/api/drone/waylines/{name}", dependencies=[allow(*CREW)], **answers(WaylineView, 201),
    openapi_extra=takes_file(KMZ),
)  # fmt: skip
async def upload(name: str, request: Request, use: Use, who: Who) -> Response:
    """A route file from outside (the body is the KMZ): checked, then kept."""
    data = await request.body()
    return respond(await asyncio.to_thread(keep_route, use, name[:200], data, who.login), 201)


@router.get("/api/drone/waylines/{wayline_id}/file", dependencies=[allow(*VIEWERS)], **sends(KMZ))
def file(wayline_id: str, use: Use) -> Response:
    """The route file."""
    _, data = WaylineStore(use.engine).data(wayline_id)
    return Response(data, media_type=KMZ)


@router.delete("/api/drone/waylines/{wayline_id}", dependencies=[allow(*CREW)], **answers(Done))
def remove(wayline_id: str, use: Use, who: Who) -> Response:
    """Take a route out of the library."""
    WaylineStore(use.engine).remove(wayline_id)
    with session_scope(use.engine) as session:
        audit(session, use, who, "wayline_remove", {"wayline_id": wayline_id})
    return respond({"ok": True})
