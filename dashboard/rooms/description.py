"""The description of the API, made at its first request."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from dashboard.answers.probes import Description
from dashboard.api.deps import answers, respond
from dashboard.openapi import document
from dashboard.rooms.listed import ROOMS, settle_all

router = APIRouter(tags=["operations"])


@router.get("/api/openapi.json", **answers(Description))
async def openapi(request: Request) -> Response:
    """The OpenAPI description of this API."""
    app = request.app
    if not hasattr(app.state, "description"):
        await asyncio.to_thread(lambda: [room.routers() for room in ROOMS])
        settle_all(app)
        app.state.description = document(app)
    return respond(app.state.description)
