"""The video wall over HTTP: layouts, tours with their stops, a picture that becomes a case, the log of views."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select

from core.records import EvidenceRef, GeoPoint, Severity
from dashboard import queries
from dashboard.answers.videowall import (
    LayoutList,
    PictureCase,
    RunId,
    RunLog,
    StopList,
    TourId,
    TourList,
    VideoDone,
    ViewLog,
)
from dashboard.api.deps import CENTRE, Use, Who, allow, answers, audit, respond
from dashboard.auth import Principal
from dashboard.desk.stills import picture_of
from dashboard.services import Services
from dashboard.videowall.runs import BACK, RunBody, begin_run, log_of_runs, missed_runs, note_run, plan_of, starts_of
from dashboard.videowall.schedule import due
from dashboard.videowall.tours import LayoutBody, TourBody, keep_layout, layouts_of, make_tour, tour_of, tour_stops
from dashboard.videowall.views import log_of
from events.cases.drafts import CaseDraft
from storage.session import read_scope, session_scope
from storage.tables.videowall import VideoLayout, VideoTour

router = APIRouter(tags=["video"])
Name = Annotated[str, Path(min_length=1, max_length=60)]
MAKERS = ("admin", "manager", "dispatcher", "operator")


class PictureBody(BaseModel):
    """Body of ``POST /api/video/cases``: what is seen on the camera's picture."""

    model_config = ConfigDict(extra="forbid")
    camera_id: str = Field(min_length=1, max_length=40)
    title: str = Field(min_length=1, max_length=200)
    severity: int = Field(2, ge=1, le=4)
    description: str = Field("", max_length=2000)


@router.get("/api/video/layouts", **answers(LayoutList))
def layouts(use: Use, who: Who) -> Response:
    """One's own layouts."""
    with read_scope(use.engine) as session:
        return respond({"items": [{"name": row.name, **row.body} for row in layouts_of(session, who.actor)]})


@router.put("/api/video/layouts/{name}", **answers(VideoDone))
def save_layout(name: Name, sent: LayoutBody, use: Use, who: Who) -> Response:
    """Keep the tiles under a name."""
    with session_scope(use.engine) as session:
        keep_layout(session, who.actor, name, sent, use.clock.now())
    return respond({"ok": True})


@router.delete("/api/video/layouts/{name}", **answers(VideoDone))
def drop_layout(name: Name, use: Use, who: Who) -> Response:
    """Forget it."""
    with session_scope(use.engine) as session:
        session.execute(
            delete(VideoLayout).where(VideoLayout.user_id == who.actor.user_id, VideoLayout.name == name)
        )  # fmt: skip
    return respond({"ok": True})


@router.get("/api/video/tours", dependencies=[allow(*CENTRE)], **answers(TourList))
def tours(use: Use) -> Response:
    """All tours; ``due_at``: the planned moment that waits for somebody to begin."""
    now = use.clock.now()
    with read_scope(use.engine) as session:
        rows = list(session.scalars(select(VideoTour).order_by(VideoTour.name).limit(200)))
        starts = starts_of(session, [row.tour_id for row in rows], now - BACK)
        items = [
            TourBody(name=row.name, **row.body).model_dump()
            | {"tour_id": row.tour_id, "due_at": due(plan_of(row), starts.get(row.tour_id, []), now)}
            for row in rows
        ]
        return respond({"items": items})


@router.post("/api/video/tours", dependencies=[allow(*MAKERS)], **answers(TourId, 201))
def new_tour(sent: TourBody, use: Use, who: Who) -> Response:
    """Make a tour."""
    with session_scope(use.engine) as session:
        tour_id = make_tour(session, who.actor, sent, use.clock.now())
        audit(session, use, who, "tour_made", {"tour_id": tour_id, "name": sent.name})
    return respond({"tour_id": tour_id}, 201)


@router.delete("/api/video/tours/{tour_id}", dependencies=[allow(*MAKERS)], **answers(VideoDone))
def drop_tour(tour_id: str, use: Use, who: Who) -> Response:
    """Remove a tour."""
    with session_scope(use.engine) as session:
        tour = tour_of(session, tour_id)
        audit(session, use, who, "tour_removed", {"tour_id": tour_id, "name": tour.name})
        session.delete(tour)
    return respond({"ok": True})


@router.get("/api/video/tours/{tour_id}/stops", dependencies=[allow(*CENTRE)], **answers(StopList))
def stops(tour_id: str, use: Use, who: Who) -> Response:
    """The tour's cameras in order with their open cases; asked again at each round."""
    with read_scope(use.engine) as session:
        tour = tour_of(session, tour_id)
        found = tour_stops(session, who.actor, tour, use.settings.data_dir)
        keep = {"dwell_s": tour.body["dwell_s"], "stop_at_findings": tour.body["stop_at_findings"]}
    return respond({"items": found, **keep})


@router.post("/api/video/tours/{tour_id}/runs", dependencies=[allow(*CENTRE)], **answers(RunId, 201))
def run_begins(tour_id: str, use: Use, who: Who) -> Response:
    """A tour begins: a line of the log."""
    with session_scope(use.engine) as session:
        tour = tour_of(session, tour_id)
        stops = len(tour_stops(session, who.actor, tour, use.settings.data_dir))
        run = begin_run(session, who.actor, tour, stops, use.clock.now())
        return respond({"run_id": run.run_id, "planned_at": run.planned_at}, 201)


@router.post("/api/video/runs/{run_id}", dependencies=[allow(*CENTRE)], **answers(VideoDone))
def run_goes_on(run_id: str, sent: RunBody, use: Use, who: Who) -> Response:
    """What a tour showed and where it stopped; by who runs it."""
    with session_scope(use.engine) as session:
        note_run(session, who.actor, run_id, sent, use.clock.now())
    return respond({"ok": True})


@router.get("/api/video/runs", dependencies=[allow(*CENTRE)], **answers(RunLog))
def runs(
    use: Use, tour: Annotated[str, Query(max_length=26)] = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """The log of tours, and those that were planned in the last week and did not happen."""
    with read_scope(use.engine) as session:
        return respond({"items": log_of_runs(session, tour, limit), "missed": missed_runs(session, use.clock.now())})


@router.post("/api/video/cases", dependencies=[allow(*MAKERS)], **answers(PictureCase, 201))
async def picture_case(sent: PictureBody, use: Use, who: Who) -> Response:
    """The camera's picture as it is now becomes a case at the camera's place, the picture sealed in its file."""
    picture = await picture_of(use, who, sent.camera_id)
    return respond(await asyncio.to_thread(_open, use, who, sent, picture), 201)


def _open(use: Services, who: Principal, sent: PictureBody, picture: bytes) -> dict[str, str]:
    ref: EvidenceRef = use.media.put(picture, kind="snapshot", media_type="image/jpeg", taken_at=use.clock.now())
    with session_scope(use.engine) as session:
        camera, *_ = queries.one_camera(session, who.actor, sent.camera_id)
        place = GeoPoint(lon=camera.lon, lat=camera.lat) if camera.lon is not None and camera.lat is not None else None
        draft = CaseDraft(
            title=sent.title, severity=Severity(sent.severity), description=sent.description, site_id=camera.site_id,
            location=place, source_type="camera", source_id=camera.camera_id, evidence=(ref,),
            why={"picture": {"camera": camera.camera_id, "sha256": ref.sha256, "by": who.actor.user_id}},
        )  # fmt: skip
        case = use.cases.open_in(session, draft, who.actor)
        return {"case_id": case.case_id, "number": case.number}


@router.get("/api/video/views", dependencies=[allow("admin", "manager")], **answers(ViewLog))
def views(
    use: Use, camera: Annotated[str, Query(max_length=40)] = "", user: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:  # fmt: skip
    """Who looked at which camera; written by the server where a picture leaves it."""
    names = ("user_id", "camera_id", "kind", "tour_id", "at", "seconds")
    with read_scope(use.engine) as session:
        rows = log_of(session, camera, user, limit)
        return respond({"items": [{name: getattr(row, name) for name in names} for row in rows]})
