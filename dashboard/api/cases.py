"""Cases: lists, one file, commands, photographs, my tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from core.errors import InputInvalid
from core.records import Command
from dashboard.api.deps import Use, Who, respond, takes
from dashboard.api.params import bbox, body, moment, text, whole, yesno
from dashboard.services import Services
from events.cases.access import may_see
from events.cases.queries import CaseFilter, case_detail, list_cases
from events.cases.read_models import CasePage
from storage.session import read_scope

router = APIRouter(tags=["cases"])

PURPOSES = ("finding", "before", "after", "check", "other")
MAX_FILE_BYTES = 20 << 20
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg", "photo"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "photo"),
    (b"%PDF-", "application/pdf", "document"),
)


class CommandBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cases/{case_id}/commands``."""

    name: str
    expected_version: int | None = None
    idempotency_key: str | None = None
    data: dict[str, Any] = {}


@router.get("/api/cases")
def cases(request: Request, use: Use, who: Who) -> Response:
    """The cases this person may see, newest first.

    Filters: open, stage, state, department, severity (at least), kind, class_code, division, site, definition, q, bbox,
    opened_from, opened_to, overdue, mine; limit (1…500) and cursor.
    """
    query = request.query_params
    wanted = CaseFilter(
        open=yesno(query, "open"),
        stage=text(query, "stage"),
        state=text(query, "state"),
        department=text(query, "department"),
        severity=whole(query, "severity", 0, 0, 4) or None,
        kind=text(query, "kind"),
        class_code=text(query, "class_code"),
        division=text(query, "division"),
        site=text(query, "site"),
        q=text(query, "q"),
        bbox=bbox(query),
        opened_from=moment(query, "opened_from"),
        opened_to=moment(query, "opened_to"),
        overdue_at=use.clock.now() if yesno(query, "overdue") else None,
        definition=text(query, "definition"),
        mine=bool(yesno(query, "mine")),
    )
    return respond(_page(use, who, wanted, request))


def _page(use: Services, who: Any, wanted: CaseFilter, request: Request) -> CasePage:
    limit = whole(request.query_params, "limit", 50, 1, 500)
    with read_scope(use.engine) as session:
        return list_cases(session, who.actor, wanted, text(request.query_params, "cursor"), limit)


@router.get("/api/tasks")
def tasks(request: Request, use: Use, who: Who) -> Response:
    """What waits for this person or the department."""
    return respond(_page(use, who, CaseFilter(open=True, mine=True), request))


@router.get("/api/cases/{case_id}")
def case(case_id: str, use: Use, who: Who) -> Response:
    """One file with everything the person may see of it, and the commands possible now."""
    with read_scope(use.engine) as session:
        return respond(case_detail(session, who.actor, case_id, use.clock.now(), use.cases.definitions))


@router.post("/api/cases/{case_id}/commands", openapi_extra=takes(CommandBody))
async def command(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Move the case; 409 when somebody was faster or the state does not allow it."""
    sent = await body(request, CommandBody)
    if sent.name == "report":
        raise InputInvalid(field="name", detail="report opens a new case", how="use POST /api/cases")
    key = sent.idempotency_key or request.headers.get("idempotency-key")
    wish = Command(
        name=sent.name,
        case_id=case_id,
        actor_id=who.actor.user_id,
        expected_version=sent.expected_version,
        idempotency_key=key[:80] if key else None,
        data=sent.data,
    )
    return respond(await asyncio.to_thread(use.cases.execute, wish, who.actor))


@router.post("/api/cases")
async def report(request: Request, use: Use, who: Who) -> Response:
    """Open a case by hand: title, and what the definition's form asks for."""
    data = await body(request, dict[str, Any])
    key = data.pop("idempotency_key", None) or request.headers.get("idempotency-key")
    wish = Command(
        name="report",
        case_id="",
        actor_id=who.actor.user_id,
        idempotency_key=str(key)[:80] if key else None,
        data=data,
    )
    return respond(await asyncio.to_thread(use.cases.execute, wish, who.actor), 201)


@router.post("/api/cases/{case_id}/attachments")
async def attach(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Store a photograph (JPEG, PNG, WebP), a clip (MP4) or a PDF with the case: multipart field ``file``."""
    purpose = request.query_params.get("purpose", "other")
    if purpose not in PURPOSES:
        raise InputInvalid(field="purpose", detail=f"{purpose!r} is unknown", how=f"use: {', '.join(PURPOSES)}")
    if not await asyncio.to_thread(_visible, use, who, case_id):
        from core.errors import NotFound

        raise NotFound(what="case", key=case_id)
    data = await _file(request)
    media_type, kind = file_kind(data)
    ref = await asyncio.to_thread(use.media.put, data, kind=kind, media_type=media_type, taken_at=use.clock.now())
    wish = Command(
        name="attach",
        case_id=case_id,
        actor_id=who.actor.user_id,
        idempotency_key=request.headers.get("idempotency-key"),
        data={"evidence": [msgspec.to_builtins(ref)], "purpose": purpose},
    )
    await asyncio.to_thread(use.cases.execute, wish, who.actor)
    answer = msgspec.to_builtins(ref) | {"purpose": purpose, "url": f"/media/{ref.uri}", "case_id": case_id}
    return respond(answer, 201)


def _visible(use: Services, who: Any, case_id: str) -> bool:
    with read_scope(use.engine) as session:
        return may_see(session, who.actor, case_id)


async def _file(request: Request) -> bytes:
    try:
        form = await request.form(max_files=1, max_fields=8)
    except MultiPartException as error:
        raise InputInvalid(field="file", detail=error.message, how="send multipart/form-data") from error
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InputInvalid(field="file", detail="is missing", how="send multipart/form-data with a field named file")
    data = await file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise InputInvalid(field="file", detail=f"is larger than {MAX_FILE_BYTES} bytes", how="make it smaller")
    return data


def file_kind(data: bytes) -> tuple[str, Any]:
    """Media type and evidence kind by the file's first bytes; what the client says it is counts for nothing."""
    for magic, media_type, kind in _MAGIC:
        if data.startswith(magic):
            return media_type, kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", "photo"
    if data[4:8] == b"ftyp":
        return "video/mp4", "clip"
    raise InputInvalid(field="file", detail="is no JPEG, PNG, WebP, MP4 or PDF", how="send one of these")
