"""``/api/drone/findings``: what drones found, what people say of it, the evaluation set that grows out of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import Field

from core.errors import InputInvalid, NotFound
from dashboard.answers.drones import FlightChanges, Footprints
from dashboard.api.deps import EXPORT, Use, Who, allow, answers, audit, packed, respond, sends, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.drones import findings, pictures
from dashboard.drones.flight_layers import changes_file, mosaic_file
from dashboard.drones.judging import checked_box, checked_name, drawn, write_set
from dashboard.drones.routes import CREW, VIEWERS
from dashboard.drones.summary import FlightSummary, summary
from dashboard.uploads.routes import owner_of
from storage.aerial import MOST, AerialStore, FindingView, LookView
from storage.drones import DroneStore
from storage.session import session_scope

router = APIRouter(tags=["drones"])
_BLOCK = 1 << 20
_LARGE = 2048


class FindingFilters(Filters):
    """Which findings: of a flight, a file, a state; ``things``: one for each thing, its surest."""

    flight: Text = ""
    file: Text = ""
    state: Literal["", "found", "confirmed", "rejected", "added"] = ""
    things: bool = False
    limit: int = Field(MOST, ge=1, le=MOST)


class Judgement(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/findings/{finding_id}/judge``; ``name`` and ``box`` correct what the model said."""

    state: Literal["confirmed", "rejected"]
    name: str = ""
    box: list[float] = []


class DrawnBox(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/files/{file_id}/findings``: ``box`` is x1, y1, x2, y2 as shares of the picture."""

    name: str
    box: list[float]


@router.get("/api/drone/findings", dependencies=[allow(*VIEWERS)], **answers(Footprints))
def listed(request: Request, asked: Annotated[FindingFilters, Query()], use: Use) -> Response:
    """Findings as GeoJSON points; null where the picture has no place."""
    found = AerialStore(use.engine).findings(asked.flight or None, asked.file or None, asked.state or None, asked.limit)
    return packed(request, findings.collection(found, things=asked.things))


@router.post(
    "/api/drone/findings/{finding_id}/judge", dependencies=[allow(*CREW)], **answers(FindingView),
    openapi_extra=takes(Judgement),
)  # fmt: skip
async def judge(finding_id: str, request: Request, use: Use, who: Who) -> Response:
    """Confirm or reject a finding, perhaps with another class or box; a confirmed one is told as an observation."""
    sent = await body(request, Judgement)
    name = checked_name(sent.name) if sent.name else ""
    box = checked_box(sent.box) if sent.box else ()
    kept = AerialStore(use.engine).judge(finding_id, sent.state, owner_of(who), use.clock.now(), name=name, box=box)
    with session_scope(use.engine) as session:
        audit(session, use, who, "aerial_judge", {"finding_id": finding_id, "state": sent.state, "name": kept.name})
    return respond(kept)


@router.post(
    "/api/drone/files/{file_id}/findings", dependencies=[allow(*CREW)], **answers(FindingView, 201),
    openapi_extra=takes(DrawnBox),
)  # fmt: skip
async def add(file_id: str, request: Request, use: Use, who: Who) -> Response:
    """A box that the models missed."""
    sent = await body(request, DrawnBox)
    file = DroneStore(use.engine).file(file_id)
    kept = drawn(AerialStore(use.engine), use.media, file, sent.name, sent.box, owner_of(who), use.clock.now())
    return respond(kept, 201)


@router.get("/api/drone/files/{file_id}/large", dependencies=[allow(*VIEWERS)], **sends("image/jpeg"))
def large(file_id: str, use: Use) -> Response:
    """A picture large enough to draw boxes in (JPEG, at most 2048 pixels), as the file's pixels lie."""
    data = pictures.small(use.media, DroneStore(use.engine).file(file_id), _LARGE)
    if data is None:
        raise NotFound(what="picture of drone file", key=file_id)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"})


@router.get("/api/drone/flights/{flight_id}", dependencies=[allow(*VIEWERS)], **answers(FlightSummary))
def flight(flight_id: str, use: Use) -> Response:
    """One flight: how far the look is, what was found, vehicles by road, residual of matching, its dated mosaics."""
    return respond(summary(use, flight_id))


@router.get("/api/drone/flights/{flight_id}/mosaic", dependencies=[allow(*VIEWERS), EXPORT], **sends("image/tiff"))
def mosaic(flight_id: str, use: Use) -> Response:
    """The flight's quick mosaic (Cloud Optimised GeoTIFF, with Range); its quality stands in its tags."""
    file = mosaic_file(use.settings, flight_id) if flight_id.isalnum() else None
    if file is None or not file.is_file():
        raise NotFound(what="mosaic of flight", key=flight_id)
    return FileResponse(file, media_type="image/tiff", filename=f"{flight_id}.tif")


@router.get("/api/drone/flights/{flight_id}/changes", dependencies=[allow(*VIEWERS)], **answers(FlightChanges))
def changed(flight_id: str, use: Use) -> Response:
    """What changed since the flight before over the same ground, ranked; ``problem`` where it could not be compared."""
    file = changes_file(use.settings, flight_id) if flight_id.isalnum() else None
    if file is None or not file.is_file():
        raise NotFound(what="changes of flight", key=flight_id)
    return Response(file.read_bytes(), media_type="application/json")


@router.post("/api/drone/files/{file_id}/review", dependencies=[allow(*CREW)], **answers(LookView))
def review(file_id: str, use: Use, who: Who) -> Response:
    """The boxes of this picture are complete: it may measure a model."""
    return respond(AerialStore(use.engine).review(file_id, owner_of(who), use.clock.now()))


@router.get("/api/drone/evaluation", dependencies=[allow(*CREW), EXPORT], **sends("application/zip"))
def evaluation(use: Use, who: Who, model: Text = "aerial_vehicles") -> Response:
    """Reviewed pictures with the boxes of a model's classes, as a YOLO set for ``python -m app evaluate``."""
    if len(model) > 60:
        raise InputInvalid(field="model", detail="is too long", how="send a model's name")
    file = tempfile.TemporaryFile()  # noqa: SIM115 — closed when the answer has been sent
    write_set(AerialStore(use.engine), DroneStore(use.engine), use.media, model, file)
    with session_scope(use.engine) as session:
        audit(session, use, who, "aerial_evaluation_set", {"model": model})
    file.seek(0)
    head = {"Content-Disposition": f'attachment; filename="{model}.zip"'}
    return StreamingResponse(_blocks(file), media_type="application/zip", headers=head)


def _blocks(file: Any) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block


def layer(use: Use, roles: frozenset[str]) -> dict[str, Any] | None:
    """The findings as a layer of the map, for whoever may see them and when there are any."""
    if not roles & set(VIEWERS):
        return None
    return findings.layer(AerialStore(use.engine).placed())
