"""``GET /api/live``: server-sent events."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from dashboard.api.deps import Use, Who
from dashboard.api.params import text
from dashboard.errors import TooManyViewers
from dashboard.live import MAX_VIEWERS_PER_USER
from dashboard.security import COOKIE

router = APIRouter(tags=["live"])


@router.get("/api/live")
async def live(request: Request, use: Use, who: Who) -> Response:
    """``hello``, ``beat``, ``case``, ``camera``, ``device``, ``notice``; shapes in docs/architecture.md.

    ``topics`` without ``states`` (as phones ask: ``cases,notices``) leaves cameras and devices out.
    """
    if use.hub.crowded(who):
        raise TooManyViewers(what="the live stream", limit=f"{MAX_VIEWERS_PER_USER} pages a person")
    secret = request.cookies.get(COOKIE, "")
    topics = (text(request.query_params, "topics") or "cases,notices,states").split(",")
    events = use.hub.stream(who, lambda: use.sessions.principal(secret), states="states" in topics)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
