"""``/api/drone``: flights, footprints as GeoJSON, which files are known, places by hand, small pictures."""

from __future__ import annotations

import math
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.errors import InputInvalid, NotFound
from dashboard.answers.drones import FlightList, Footprints, KnownFiles
from dashboard.api.deps import CENTRE, Use, Who, allow, answers, audit, packed, respond, sends, takes
from dashboard.api.filters import Box, Filters, Text
from dashboard.api.params import body
from dashboard.drones import features, pictures
from dashboard.uploads.routes import owner_of
from storage.drones import MOST_FILES, DroneStore, FileView
from storage.session import session_scope

router = APIRouter(tags=["drones"])
VIEWERS = (*CENTRE, "drone")
CREW = ("admin", "operator", "drone")
_HEX = frozenset("0123456789abcdef")


class Hashes(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/known``: SHA-256 in hex of files that somebody is about to send."""

    sha256: list[str]


class PlaceByHand(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/files/{file_id}/place``: degrees; ``radius_m`` is how sure the person is."""

    lon: float
    lat: float
    radius_m: float = 10.0


class FileFilters(Filters):
    """Which files: of a flight, or with their middle in a box of degrees."""

    flight: Text = ""
    bbox: Box | None = None
    limit: int = Field(MOST_FILES, ge=1, le=MOST_FILES)


@router.get("/api/drone/flights", dependencies=[allow(*VIEWERS)], **answers(FlightList))
def flights(use: Use) -> Response:
    """Flights with how many files they brought and how many have a place."""
    return respond({"items": DroneStore(use.engine).flights()})


@router.get("/api/drone/files", dependencies=[allow(*VIEWERS)], **answers(Footprints))
def files(request: Request, asked: Annotated[FileFilters, Query()], use: Use) -> Response:
    """Files as GeoJSON: footprint, or position without one, or null; with the problems that were found."""
    found = DroneStore(use.engine).files(asked.flight or None, asked.bbox, asked.limit)
    return packed(request, features.collection(found))


@router.post("/api/drone/known", dependencies=[allow(*CREW)], **answers(KnownFiles), openapi_extra=takes(Hashes))
async def known(request: Request, use: Use) -> Response:
    """Which of these files are kept already: they need not be sent."""
    sent = await body(request, Hashes)
    if len(sent.sha256) > MOST_FILES:
        raise InputInvalid(field="sha256", detail=f"more than {MOST_FILES}", how="ask in parts")
    wanted = [h.lower() for h in sent.sha256 if len(h) == 64 and set(h.lower()) <= _HEX]
    return respond({"known": DroneStore(use.engine).known(wanted)})


@router.post(
    "/api/drone/files/{file_id}/place", dependencies=[allow(*CREW)], **answers(FileView),
    openapi_extra=takes(PlaceByHand),
)  # fmt: skip
async def place(file_id: str, request: Request, use: Use, who: Who) -> Response:
    """Say where a file belongs that does not say it itself."""
    sent = await body(request, PlaceByHand)
    if not (abs(sent.lon) <= 180 and abs(sent.lat) <= 90 and (sent.lon or sent.lat)):
        raise InputInvalid(field="lon, lat", detail="is no place on Earth", how="send degrees in WGS 84")
    if not (0 < sent.radius_m <= 5000 and math.isfinite(sent.radius_m)):
        raise InputInvalid(field="radius_m", detail=f"{sent.radius_m} is out of range", how="send 0 to 5000 metres")
    kept = DroneStore(use.engine).put_place(file_id, features.by_hand(sent.lon, sent.lat, sent.radius_m), owner_of(who))
    with session_scope(use.engine) as session:
        audit(session, use, who, "drone_place", {"file_id": file_id, "lon": sent.lon, "lat": sent.lat})
    return respond(kept)


@router.get("/api/drone/files/{file_id}/picture", dependencies=[allow(*VIEWERS)], **sends("image/jpeg"))
def picture(file_id: str, use: Use) -> Response:
    """A small picture (JPEG, at most 640 pixels), as the file's pixels lie."""
    file = DroneStore(use.engine).file(file_id)
    data = pictures.small(use.media, file)
    if data is None:
        raise NotFound(what="picture of drone file", key=file_id)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"})


def layer(use: Use, roles: frozenset[str]) -> dict[str, Any] | None:
    """The photos as a layer of the map, for whoever may see them and when there are any."""
    if not roles & set(VIEWERS):
        return None
    return features.layer(DroneStore(use.engine).placed())
