"""One camera of the video wall: moving it by right with an entry of the audit chain, and its last half minute."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboard import queries
from dashboard.answers.videowall import PresetList, VideoDone
from dashboard.api.deps import CENTRE, Use, Who, allow, answers, audit, respond, sends
from dashboard.auth import Principal
from dashboard.desk.stills import stream_of
from dashboard.errors import Unavailable
from dashboard.services import Services
from dashboard.videowall.ptz import Mover, mover_of, steering
from dashboard.videowall.views import began
from ingest.gateways.contract import Move
from storage.session import read_scope, session_scope

router = APIRouter(tags=["video"])
MOVERS = ("admin", "manager", "dispatcher", "operator")
CameraId = Annotated[str, Path(max_length=40)]
Preset = Annotated[str, Path(min_length=1, max_length=64)]


class MoveBody(BaseModel):
    """Body of ``POST /api/cameras/{camera_id}/ptz``: begin a movement, or ``stop`` it; it ends by itself after 5 s."""

    model_config = ConfigDict(extra="forbid")
    move: Move
    speed: float = Field(0.4, gt=0, le=1)


@router.post("/api/cameras/{camera_id}/ptz", dependencies=[allow(*MOVERS)], **answers(VideoDone))
async def turn(camera_id: CameraId, sent: MoveBody, use: Use, who: Who) -> Response:
    """Turn or zoom a camera.  One person at a time; every movement is an entry of the audit chain."""
    mover = await asyncio.to_thread(_mover, use, who, camera_id)
    if sent.move != "stop":
        note = {"camera_id": camera_id, "move": sent.move, "speed": sent.speed}
        await asyncio.to_thread(_note, use, who, note)
    await steering(use).begin(camera_id, (who.actor.user_id, who.actor.name or who.login), mover, sent.move, sent.speed)
    return respond({"ok": True})


@router.get("/api/cameras/{camera_id}/presets", dependencies=[allow(*MOVERS)], **answers(PresetList))
async def stored(camera_id: CameraId, use: Use, who: Who) -> Response:
    """The camera's stored views."""
    mover = await asyncio.to_thread(_mover, use, who, camera_id)
    try:
        return respond({"items": [{"preset": p.token, "name": p.name} for p in await mover.presets()]})
    finally:
        await mover.close()


@router.post("/api/cameras/{camera_id}/presets/{preset}", dependencies=[allow(*MOVERS)], **answers(VideoDone))
async def to_stored(camera_id: CameraId, preset: Preset, use: Use, who: Who) -> Response:
    """Turn the camera to a stored view."""
    mover = await asyncio.to_thread(_mover, use, who, camera_id)
    await asyncio.to_thread(_note, use, who, {"camera_id": camera_id, "preset": preset})
    await steering(use).go_to(camera_id, (who.actor.user_id, who.actor.name or who.login), mover, preset)
    return respond({"ok": True})


@router.get("/api/cameras/{camera_id}/past.mp4", dependencies=[allow(*CENTRE)], **sends("video/mp4"))
async def past(camera_id: CameraId, use: Use, who: Who, seconds: Annotated[int, Query(ge=1, le=120)] = 30) -> Response:
    """The last seconds of a camera that somebody watches, or watched a minute ago.  The view is logged."""
    url = await asyncio.to_thread(stream_of, use, who, camera_id)
    room = use.video.kept(url) if url else None
    film = room.clip(seconds) if room is not None else b""
    if not film:
        raise Unavailable(what="the camera's past", detail="nobody watches it; it is kept from the first look on")
    await asyncio.to_thread(began, use, who, camera_id, "past")
    head = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{camera_id}.mp4"'}
    return Response(film, media_type="video/mp4", headers=head)


def _mover(use: Services, who: Principal, camera_id: str) -> Mover:
    with read_scope(use.engine) as session:
        camera, *_ = queries.one_camera(session, who.actor, camera_id)
        return mover_of(use.settings, use.clock, camera, use.camera_seal.open(camera_id, camera.url or camera.sub_url))


def _note(use: Services, who: Principal, note: dict[str, object]) -> None:
    with session_scope(use.engine) as session:
        audit(session, use, who, "camera_move", note)
