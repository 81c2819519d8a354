"""``GET /api/live``: server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from dashboard.api.deps import Use, Who, sends
from dashboard.api.filters import Filters, Several
from dashboard.errors import TooManyViewers
from dashboard.live import MAX_VIEWERS_PER_USER
from dashboard.security import COOKIE

router = APIRouter(tags=["live"])


class LiveFilters(Filters):
    """What the stream tells."""

    topics: Several = Field(
        default_factory=lambda: ("cases", "notices", "states"), description="of cases, notices, states; with commas"
    )


@router.get("/api/live", **sends("text/event-stream"))
async def live(request: Request, asked: Annotated[LiveFilters, Query()], use: Use, who: Who) -> Response:
    """``hello``, ``beat``, ``case``, ``camera``, ``device``, ``notice``; shapes in docs/architecture.md.

    ``topics`` without ``states`` (as phones ask: ``cases,notices``) leaves cameras and devices out.
    """
    if use.hub.crowded(who):
        raise TooManyViewers(what="the live stream", limit=f"{MAX_VIEWERS_PER_USER} pages a person")
    secret = request.cookies.get(COOKIE, "")
    events = use.hub.stream(who, lambda: use.sessions.principal(secret), states="states" in asked.topics)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
