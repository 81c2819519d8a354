"""``/api/drone/flights/{flight_id}/survey``: survey-grade products: ask, tell, cancel, hand out."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from core.errors import NotFound
from dashboard.api.deps import EXPORT, Use, Who, allow, answers, audit, respond, sends
from dashboard.drones import surveys
from dashboard.drones.routes import CREW, VIEWERS
from dashboard.drones.surveys import SurveyState
from dashboard.uploads.routes import owner_of
from storage.session import session_scope

router = APIRouter(tags=["drones"])
PATH = "/api/drone/flights/{flight_id}/survey"


@router.post(PATH, dependencies=[allow(*CREW)], **answers(SurveyState, 201))
def ask(flight_id: str, use: Use, who: Who) -> Response:
    """Ask the photogrammetry node for an orthophoto of this flight's photos."""
    state = surveys.ask_for(use, flight_id, owner_of(who))
    with session_scope(use.engine) as session:
        audit(session, use, who, "drone_survey", {"flight_id": flight_id, "pictures": state.pictures})
    return respond(state, 201)


@router.get(PATH, dependencies=[allow(*VIEWERS)], **answers(SurveyState))
def stands(flight_id: str, use: Use) -> Response:
    """Where it stands."""
    state = surveys.survey(use.settings, flight_id) if flight_id.isalnum() else None
    if state is None:
        raise NotFound(what="survey of flight", key=flight_id)
    return respond(state)


@router.delete(PATH, dependencies=[allow(*CREW)], **answers(SurveyState))
def cancel(flight_id: str, use: Use) -> Response:
    """Cancel it; the node stops within seconds."""
    if not flight_id.isalnum():
        raise NotFound(what="survey of flight", key=flight_id)
    return respond(surveys.cancel(use.settings, flight_id))


@router.get(PATH + "/orthophoto", dependencies=[allow(*VIEWERS), EXPORT], **sends("image/tiff"))
def orthophoto(flight_id: str, use: Use) -> Response:
    """The survey's orthophoto (Cloud Optimised GeoTIFF, with Range)."""
    file = surveys.product_file(use.settings, flight_id) if flight_id.isalnum() else None
    if file is None or not file.is_file():
        raise NotFound(what="survey of flight", key=flight_id)
    return FileResponse(file, media_type="image/tiff", filename=f"{flight_id}.survey.tif")
