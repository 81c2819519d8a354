"""Cases: lists, one file, commands, photographs, my tasks."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from core.errors import InputInvalid, NotFound
from core.filekind import recognise
from core.records import Command, EvidenceRef
from dashboard.api.deps import Use, Who, respond, takes
from dashboard.api.params import bbox, body, moment, text, whole, yesno
from dashboard.auth import Principal
from dashboard.services import Services
from dashboard.uploads.routes import owner_of
from dashboard.uploads.targets import TARGETS
from events.cases.access import may_see
from events.cases.queries import CaseFilter, case_detail, list_cases
from events.cases.read_models import CasePage
from storage.session import read_scope, session_scope
from storage.uploads import claim

router = APIRouter(tags=["cases"])

PURPOSES = ("finding", "before", "after", "check", "other")
MAX_FILE_BYTES = 20 << 20


class CommandBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cases/{case_id}/commands``."""

    name: str
    expected_version: int | None = None
    idempotency_key: str | None = None
    data: dict[str, Any] = {}


class AttachBody(msgspec.Struct, forbid_unknown_fields=True):
    """A finished upload to be put into a case's file."""

    upload_id: str
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None


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
    """Store a photograph (JPEG, PNG, WebP), a film (MP4, MOV, WebM) or a PDF with the case.

    Either multipart with a field ``file`` (up to 20 MB), or JSON ``{"upload_id", "taken_at", "lon", "lat",
    "accuracy_m"}`` naming a finished upload (:mod:`dashboard.uploads`).
    """
    purpose = request.query_params.get("purpose", "other")
    if purpose not in PURPOSES:
        raise InputInvalid(field="purpose", detail=f"{purpose!r} is unknown", how=f"use: {', '.join(PURPOSES)}")
    if not await asyncio.to_thread(_visible, use, who, case_id):
        raise NotFound(what="case", key=case_id)
    key = request.headers.get("idempotency-key")
    if request.headers.get("content-type", "").startswith("application/json"):
        sent = await body(request, AttachBody)
        ref = await asyncio.to_thread(_attach_upload, use, who, case_id, purpose, sent, key)
    else:
        ref = await _attach_form(request, use, who, case_id, purpose, key)
    answer = msgspec.to_builtins(ref) | {"purpose": purpose, "url": f"/media/{ref.uri}", "case_id": case_id}
    return respond(answer, 201)


async def _attach_form(
    request: Request, use: Services, who: Principal, case_id: str, purpose: str, key: str | None
) -> EvidenceRef:
    data = await _file(request)
    found = recognise(io.BytesIO(data))
    TARGETS["case"].accept(found, len(data))
    ref = await asyncio.to_thread(
        use.media.put, data, kind=found.evidence, media_type=found.media_type, taken_at=use.clock.now()
    )
    await asyncio.to_thread(use.cases.execute, _attach_command(who, case_id, purpose, ref, key), who.actor)
    return ref


def _attach_upload(
    use: Services, who: Principal, case_id: str, purpose: str, sent: AttachBody, key: str | None
) -> EvidenceRef:
    with session_scope(use.engine) as session:
        ref = claim(session, sent.upload_id, owner_of(who), f"case:{case_id}", use.clock.now())
        use.cases.execute_in(session, _attach_command(who, case_id, purpose, ref, key), who.actor)
        return ref


def _attach_command(who: Principal, case_id: str, purpose: str, ref: EvidenceRef, key: str | None) -> Command:
    return Command(
        name="attach", case_id=case_id, actor_id=who.actor.user_id, idempotency_key=key,
        data={"evidence": [msgspec.to_builtins(ref)], "purpose": purpose},
    )  # fmt: skip


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
