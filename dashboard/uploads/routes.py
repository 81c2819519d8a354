"""The tus 1.0.0 protocol: creation (also with the first bytes), expiration, checksum, termination.

``POST /api/uploads`` begins one, ``HEAD`` tells where it stands, ``PATCH`` sends bytes, ``GET`` answers JSON,
``DELETE`` forgets it.  A connection that breaks keeps what had arrived.  Only who began an upload may go on with it.
``Upload-Metadata`` (base64 values): ``target`` (see :mod:`dashboard.uploads.targets`), ``key`` (the same key never
begins twice), ``filename``, ``sha256`` (hex, of the whole file), ``taken_at``, ``lon``, ``lat``, ``accuracy_m``.
"""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from core.errors import InputInvalid
from core.filekind import FileRefused, refused
from dashboard.api.deps import Use, Who, answers, respond, sends, takes_file
from dashboard.auth import Principal
from dashboard.drones.intake import arrived
from dashboard.services import Services
from dashboard.uploads.protocol import BYTES, SUMS, VERSION, checksum, metadata
from dashboard.uploads.targets import MB, TARGETS, target_of
from storage.uploads import ChecksumWrong, OffsetWrong, PartWriter, UploadStore, UploadView

_REFUSED = {410: "gone", 412: "another version of tus is asked for", 415: "not application/offset+octet-stream"}

router = APIRouter(tags=["uploads"])

BLOCK = 256 << 10
_WHOLE = re.compile(r"\d{1,15}")
_SHA = re.compile(r"[0-9a-f]{64}")
_FACTS = ("taken_at", "lon", "lat", "accuracy_m", "clock", "case_id", "folder")


def _head(view: UploadView) -> dict[str, str]:
    expires = view.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {
        "Tus-Resumable": VERSION, "Upload-Offset": str(view.received), "Upload-Length": str(view.size),
        "Upload-Expires": expires, "Cache-Control": "no-store",
    }  # fmt: skip


def store_of(use: Services) -> UploadStore:
    """The upload store of these services."""
    return UploadStore(use.engine, use.media, use.clock)


def owner_of(who: Principal) -> str:
    """How a signed-in person is named as the owner of an upload."""
    return f"user:{who.actor.user_id}"


def _speaks_tus(request: Request) -> Response | None:
    if request.headers.get("tus-resumable", VERSION) == VERSION:
        return None
    return Response(status_code=412, headers={"Tus-Version": VERSION, "Tus-Resumable": VERSION})


def _number(request: Request, name: str) -> int:
    given = request.headers.get(name, "")
    if not _WHOLE.fullmatch(given):
        raise InputInvalid(field=name, detail=f"{given!r} is no whole number", how="send the number of bytes")
    return int(given)


@router.options("/api/uploads", **sends(status=204, what="the headers of tus 1.0"))
async def abilities() -> Response:
    """What this tus server can do."""
    return Response(
        status_code=204,
        headers={
            "Tus-Resumable": VERSION, "Tus-Version": VERSION, "Tus-Checksum-Algorithm": ",".join(SUMS),
            "Tus-Extension": "creation,creation-with-upload,expiration,checksum,termination",
            "Tus-Max-Size": str(max(t.largest for t in TARGETS.values())),
        },
    )  # fmt: skip


@router.post("/api/uploads", **sends(status=201, what="the upload; its address is Location", bare=_REFUSED))
async def create(request: Request, use: Use, who: Who) -> Response:
    """Begin an upload: ``Upload-Length`` and ``Upload-Metadata``; 201 with its ``Location``."""
    if (answer := _speaks_tus(request)) is not None:
        return answer
    size, facts = _number(request, "upload-length"), metadata(request.headers.get("upload-metadata", ""))
    name = facts.get("target", "case")
    target = target_of(name, who)
    if size == 0:
        raise refused("", "empty", "is empty")
    if size > target.largest:
        raise refused("", "size", f"has {size} bytes", f"send at most {target.largest // MB} MB")
    sha256 = facts.get("sha256", "").lower()
    if sha256 and not _SHA.fullmatch(sha256):
        raise InputInvalid(field="sha256", detail="is no SHA-256 in hex", how="leave it out or send 64 hex digits")
    store = store_of(use)
    view = await asyncio.to_thread(
        store.create, owner_of(who), name, size, key=facts.get("key", "")[:80], name=facts.get("filename", ""),
        sha256=sha256, facts={k: facts[k] for k in _FACTS if k in facts},
    )  # fmt: skip
    location = {"Location": f"/api/uploads/{view.upload_id}"}
    if request.headers.get("content-type", "") == BYTES and view.state == "receiving":
        view = await _take(request, store, view, view.received)
    await asyncio.to_thread(arrived, use, owner_of(who), view)
    return Response(status_code=201, headers={**_head(view), **location})


@router.head("/api/uploads/{upload_id}", **sends(what="Upload-Offset and Upload-Length", bare=_REFUSED))
async def where(upload_id: str, request: Request, use: Use, who: Who) -> Response:
    """Where the upload stands; 410 when it was refused."""
    if (answer := _speaks_tus(request)) is not None:
        return answer
    view = await asyncio.to_thread(store_of(use).find, upload_id, owner_of(who))
    if view.state == "refused":
        return Response(status_code=410, headers={"Tus-Resumable": VERSION})
    return Response(status_code=200, headers=_head(view))


@router.get("/api/uploads/{upload_id}", **answers(UploadView))
async def state(upload_id: str, use: Use, who: Who) -> Response:
    """The upload as JSON: state, bytes received, hash and kind once it is whole, why it was refused."""
    return respond(await asyncio.to_thread(store_of(use).find, upload_id, owner_of(who)))


@router.patch(
    "/api/uploads/{upload_id}",
    openapi_extra=takes_file("application/offset+octet-stream"),
    **sends(status=204, what="the new Upload-Offset", bare=_REFUSED),
)
async def send(upload_id: str, request: Request, use: Use, who: Who) -> Response:
    """Bytes from ``Upload-Offset`` on; 204 with the new offset, 409 when the upload stands elsewhere."""
    if (answer := _speaks_tus(request)) is not None:
        return answer
    if request.headers.get("content-type", "") != BYTES:
        return Response(status_code=415, headers={"Tus-Resumable": VERSION})
    offset = _number(request, "upload-offset")
    store = store_of(use)
    view = await asyncio.to_thread(store.find, upload_id, owner_of(who))
    view = await _take(request, store, view, offset)
    await asyncio.to_thread(arrived, use, owner_of(who), view)
    return Response(status_code=204, headers=_head(view))


@router.delete("/api/uploads/{upload_id}", **sends(status=204, what="gone"))
async def forget(upload_id: str, use: Use, who: Who) -> Response:
    """Forget an upload that nothing uses yet."""
    await asyncio.to_thread(store_of(use).cancel, upload_id, owner_of(who))
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


def _checksum(request: Request) -> tuple[str, str] | None:
    given = request.headers.get("upload-checksum", "")
    return checksum(given) if given else None


async def _take(request: Request, store: UploadStore, view: UploadView, offset: int) -> UploadView:
    """Store what the request brings, up to the end or to where the connection breaks; put a whole file together."""
    checksum = _checksum(request)
    if offset > view.received:
        raise OffsetWrong(expected=view.received, given=offset)
    if view.state == "receiving":
        part = await asyncio.to_thread(store.begin_part, view, offset, checksum)
        view = await _keep(store, view, offset, part, await _receive(request, part, view.size - offset))
    elif view.state == "refused":
        await asyncio.to_thread(store.begin_part, view, offset, None)  # says that it is gone
    if view.received < view.size:
        return view
    target = TARGETS[view.target]
    return await asyncio.to_thread(store.finish, view.upload_id, target.accept)


async def _keep(store: UploadStore, view: UploadView, offset: int, part: PartWriter, whole: bool) -> UploadView:
    try:
        try:
            await asyncio.to_thread(part.close)
        except ChecksumWrong:
            if whole:
                raise
            await asyncio.to_thread(part.drop)  # half a part cannot be checked
            return view
        if part.size == 0:
            await asyncio.to_thread(part.drop)
            return view
        return await asyncio.to_thread(store.add_part, view, offset, part)
    except (ChecksumWrong, OffsetWrong):
        await asyncio.to_thread(part.drop)
        raise


async def _receive(request: Request, part: PartWriter, room: int) -> bool:
    """Write the body to ``part``; False when the connection broke before its end."""
    waiting = bytearray()
    try:
        async for chunk in request.stream():
            waiting += chunk
            if part.size + len(waiting) > room:
                await asyncio.to_thread(part.drop)
                raise FileRefused(
                    field="file", media_type="", reason="size", detail="is longer than its Upload-Length",
                    how="send the length that the file has",
                )  # fmt: skip
            if len(waiting) >= BLOCK:
                await asyncio.to_thread(part.write, bytes(waiting))
                waiting.clear()
    except ClientDisconnect:
        await asyncio.to_thread(part.write, bytes(waiting))
        return False
    await asyncio.to_thread(part.write, bytes(waiting))
    return True


def metadata_header(values: dict[str, Any]) -> str:
    """``values`` as an ``Upload-Metadata`` header (for our own clients and tests)."""
    return ",".join(f"{k} {base64.b64encode(str(v).encode()).decode()}" for k, v in values.items())
