"""``/api/directory``: the last run of the directory, and a run."""

from __future__ import annotations

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
    """``url``: null where no directory is configured; ``last``: the last run that changed something."""

    url: str | None
    last: dict[str, Any] | None


@router.get("/api/directory", dependencies=[allow("security")], **answers(DirectoryState))
def directory_state(use: Use, who: Who) -> Response:
    """Where departments and staff come from, and what the last run did."""
    return respond(directory.state(use, who))


@router.post(
    "/api/directory/sync", dependencies=[allow("security")], openapi_extra=takes(SyncWish), **answers(SyncReport)
)
async def directory_sync(request: Request, use: Use, who: Who) -> Response:
    """Compare with the directory (``dry_run``), or take it over; accounts of administrators are never closed."""
    sent = await body(request, SyncWish)
    return respond(await directory.run(use, who, dry_run=sent.dry_run))
