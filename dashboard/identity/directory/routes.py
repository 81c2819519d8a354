"""``/api/directory``: the last run of the directory, and a run."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from dashboard.api.deps import Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.desk import directory
from dashboard.identity.directory.run import SyncReport

router = APIRouter(tags=["identity"])


class SyncWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/directory/sync``."""

    dry_run: bool = True


class DirectoryState(msgspec.Struct):
    """``url``: null where no directory is configured; ``last``: the last run that ended; ``failed``: the last run by
    itself where it did not end; ``next_at``: null where it is due now or never runs by itself."""

    url: str | None
    last: dict[str, Any] | None
    every_hours: float
    next_at: datetime | None
    failed: dict[str, Any] | None


class SyncSchedule(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/directory/schedule``; 0: never by itself."""

    every_hours: float


@router.get("/api/directory", dependencies=[allow("security")], **answers(DirectoryState))
def directory_state(use: Use, who: Who) -> Response:
    """Where departments and staff come from, and what the last run did."""
    return respond(directory.state(use, who))


@router.put(
    "/api/directory/schedule", dependencies=[allow("security")], openapi_extra=takes(SyncSchedule),
    **answers(DirectoryState),
)  # fmt: skip
async def directory_schedule(request: Request, use: Use, who: Who) -> Response:
    """How often the directory is taken over by itself."""
    sent = await body(request, SyncSchedule)
    return respond(await asyncio.to_thread(directory.schedule, use, who, sent.every_hours))


@router.post(
    "/api/directory/sync", dependencies=[allow("security")], openapi_extra=takes(SyncWish), **answers(SyncReport)
)
async def directory_sync(request: Request, use: Use, who: Who) -> Response:
    """Compare with the directory (``dry_run``), or take it over; accounts of administrators are never closed."""
    sent = await body(request, SyncWish)
    return respond(await directory.run(use, who, dry_run=sent.dry_run))
