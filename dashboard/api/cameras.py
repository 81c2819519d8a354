"""Cameras: list, one camera, still picture, live video."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response, WebSocket, WebSocketDisconnect
from pydantic import Field

from core.errors import NotFound, YiwangError
from dashboard import queries
from dashboard.answers.cameras import CameraDetail, CameraPage, VisionWorkerList
from dashboard.api.deps import CENTRE, Use, Who, allow, answers, principal_of, respond, sends, services_of
from dashboard.api.filters import Box, Paged, Text
from dashboard.desk.stills import picture_of, stream_of
from dashboard.errors import Unavailable
from dashboard.services import Services
from dashboard.videowall.streams import Fragment, mime_of
from dashboard.videowall.views import began, ended, still_seen
from storage.session import read_scope

router = APIRouter(tags=["cameras"])

GONE = timedelta(seconds=20)  # a worker that said nothing for so long is not at work
LONGEST_VIEW_S = 4 * 3600.0


class CameraFilters(Paged):
    """Filters of ``GET /api/cameras``."""

    category: Text | None = None
    site: Text | None = None
    department: Text | None = None
    enabled: bool | None = None
    q: Text | None = None
    bbox: Box | None = None
    limit: int = Field(100, ge=1, le=10_000)


@router.get("/api/cameras", **answers(CameraPage))
def cameras(asked: Annotated[CameraFilters, Query()], use: Use, who: Who) -> Response:
    """Cameras this person may see."""
    wanted = asked.model_dump(exclude={"limit", "offset"})
    with read_scope(use.engine) as session:
        items, total = queries.camera_page(session, who.actor, use.hub.states, wanted, asked.limit, asked.offset)
    more = asked.offset + len(items)
    return respond({"items": items, "total": total, "next": more if more < total else None})


@router.get("/api/vision/workers", dependencies=[allow(*CENTRE)], **answers(VisionWorkerList))
def workers(use: Use) -> Response:
    """Analysing processes at work: cameras held, load, cameras slowed down, models in use and their problems."""
    oldest = (use.clock.now() - GONE).isoformat()
    states = [s for k, s in use.hub.states.items() if k.startswith("worker.") and str(s.get("at", "")) >= oldest]
    return respond({"items": sorted(states, key=lambda s: str(s.get("worker")))})


@router.get("/api/cameras/{camera_id}", **answers(CameraDetail))
def camera(camera_id: str, use: Use, who: Who) -> Response:
    """One camera with zones, algorithms, live state."""
    with read_scope(use.engine) as session:
        return respond(queries.camera_detail(session, who.actor, use.hub.states, camera_id, use.camera_seal))


@router.get("/api/cameras/{camera_id}/snapshot.jpg", **sends("image/jpeg"))
async def snapshot(camera_id: str, use: Use, who: Who) -> Response:
    """A still: from the stream, at most every 5 s, else the camera's newest evidence picture.  The view is logged."""
    data = await picture_of(use, who, camera_id)
    await asyncio.to_thread(still_seen, use, who, camera_id)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=4"})


@router.websocket("/api/cameras/{camera_id}/video")
async def video(socket: WebSocket, camera_id: str) -> None:
    """Live picture: first ``{"mime"}`` as text, then fMP4 (initialisation segment, frames); ``{"error"}`` ends it.

    ``?back=30`` begins so many seconds ago, as far as they are kept.
    """
    use, who = services_of(socket), principal_of(socket)
    await socket.accept()
    try:
        url = await asyncio.to_thread(stream_of, use, who, camera_id)
        if not url:
            raise Unavailable(what="the camera", detail="it has no stream address")
        view = await asyncio.to_thread(began, use, who, camera_id, "live", socket.query_params.get("tour", "")[:26])
        started = time.monotonic()
        try:
            await _send(socket, use, url, _seconds(socket.query_params.get("back", "")))
        finally:
            await asyncio.to_thread(ended, use, view, time.monotonic() - started)
    except YiwangError as error:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.send_text(json.dumps(error.as_dict(), ensure_ascii=False))
            await socket.close(4404 if isinstance(error, NotFound) else 4503)
    except WebSocketDisconnect:
        pass


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0.0


async def _send(socket: WebSocket, use: Services, url: str, back_s: float) -> None:
    leaving = asyncio.create_task(_until_gone(socket))
    sending = asyncio.create_task(_stream(socket, use, url, back_s))
    try:
        done, _ = await asyncio.wait({leaving, sending}, timeout=LONGEST_VIEW_S, return_when=asyncio.FIRST_COMPLETED)
        if sending in done:
            sending.result()
            await socket.close(1000)
    finally:
        for task in (leaving, sending):
            task.cancel()
        await asyncio.gather(leaving, sending, return_exceptions=True)


async def _until_gone(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()


async def _stream(socket: WebSocket, use: Services, url: str, back_s: float) -> None:
    stream = use.video.room(url).watch(back_s)
    try:
        async for fragment in stream:
            await _send_fragment(socket, fragment)
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def _send_fragment(socket: WebSocket, fragment: Fragment) -> None:
    if fragment.init:
        await socket.send_text(json.dumps({"mime": mime_of(fragment.data)}))
    await socket.send_bytes(fragment.data)
