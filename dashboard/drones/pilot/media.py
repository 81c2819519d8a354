"""``/storage`` and ``/media``: where a controller uploads, what we have already, and that something has arrived.

Controllers upload straight into the bucket; what a callback names is read from there, never believed.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from core.errors import InputInvalid
from dashboard.api.deps import Use
from dashboard.api.filters import Filters, Text
from dashboard.drones.inbox import Inbox, bucket
from dashboard.drones.pilot.answering import enveloped, sent
from dashboard.drones.pilot.tokens import session_of
from dashboard.services import Services
from ingest.drones.dji.events import media as reported
from ingest.drones.live.bucket_rights import credentials

router = APIRouter(include_in_schema=False)


class FingerprintQuery(Filters):
    """Fingerprints in the address, as some versions of Pilot ask."""

    tiny_fingerprints: list[Text] = []


_MOST = 500
_known: dict[str, str] = {}  # fingerprint → object key, of what this process took


@router.post("/storage/api/v1/workspaces/{workspace}/sts")
@enveloped
async def sts(workspace: str, request: Request, use: Use) -> Any:
    """Credentials for the bucket, for this controller's prefix."""
    who = await asyncio.to_thread(session_of, request, use)
    if not use.settings.drone_bucket.startswith("s3://"):
        raise InputInvalid(field="bucket", detail="is not set up", how="set YIWANG_DRONE_BUCKET (docs/drones.md)")
    return await asyncio.to_thread(credentials, use.settings, who.sn)


@router.post("/media/api/v1/workspaces/{workspace}/fast-upload")
@enveloped
async def fast_upload(workspace: str, request: Request, use: Use) -> Any:
    """Code 0: we have it; else Pilot uploads."""
    await asyncio.to_thread(session_of, request, use)
    body = await sent(request)
    if str(body.get("fingerprint") or "")[:100] in _known:
        return {}
    raise InputInvalid(field="fingerprint", detail="is not here yet", how="upload it")


@router.api_route("/media/api/v1/workspaces/{workspace}/files/tiny-fingerprints", methods=["GET", "POST"])
@enveloped
async def tiny(workspace: str, request: Request, use: Use, query: Annotated[FingerprintQuery, Query()]) -> Any:
    """Which of these exist; the method changed between versions of Pilot."""
    await asyncio.to_thread(session_of, request, use)
    asked: list[str] = list(query.tiny_fingerprints)
    if request.method == "POST":
        body = await sent(request)
        found = body.get("tiny_fingerprints")
        asked = [str(f) for f in found] if isinstance(found, list) else []
    return {"tiny_fingerprints": [f for f in asked[:_MOST] if f[:100] in _known]}


@router.post("/media/api/v1/workspaces/{workspace}/upload-callback")
@enveloped
async def uploaded(workspace: str, request: Request, use: Use) -> Any:
    """A file lies in the bucket: it is taken in; its place comes from its own tags."""
    await asyncio.to_thread(session_of, request, use)
    body = await sent(request)
    if body.get("result") not in (None, 0):
        raise InputInvalid(field="result", detail=f"{body.get('result')}: the transfer failed", how="upload it again")
    photo = reported(body)["photo"]
    if not photo["object_key"]:
        raise InputInvalid(field="object_key", detail="is missing", how="name the object")
    await asyncio.to_thread(take_object, use, photo["object_key"])
    more = body.get("ext")
    names = [body.get("fingerprint"), more.get("tinny_fingerprint") if isinstance(more, dict) else None]
    for name in names:
        if isinstance(name, str) and name:
            _known[name[:100]] = photo["object_key"]
    while len(_known) > 50_000:
        _known.pop(next(iter(_known)))
    return {"object_key": photo["object_key"]}


@router.post("/media/api/v1/workspaces/{workspace}/group-upload-callback")
@enveloped
async def group(workspace: str, request: Request, use: Use) -> Any:
    """The batch is complete."""
    await asyncio.to_thread(session_of, request, use)
    await sent(request)
    return {}


def take_object(use: Services, key: str) -> None:
    """Take one object of the bucket in now, without waiting for the next looks."""
    files, root = bucket(use.settings)
    prefix = root.partition("/")[0]
    path = f"{prefix}/{key.lstrip('/')}"
    if ".." in key.split("/") or not path.startswith(root) or not files.exists(path):
        raise InputInvalid(field="object_key", detail="is not in the bucket", how="upload it first")
    Inbox(use, use.settings).take_now(files, path, root)
