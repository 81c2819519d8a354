"""Cases: lists, one file, commands, my tasks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.deed import Told
from core.errors import InputInvalid
from core.records import Command
from dashboard.answers.cases import CaseKept
from dashboard.api.attachments import placed, prepare_named, prepare_uploads
from dashboard.api.deps import Use, Who, answers, packed, respond, takes, takes_file
from dashboard.api.filters import Box, Filters, Moment, Text
from dashboard.api.params import body
from dashboard.auth import Principal
from dashboard.search.indexing import catch_up
from dashboard.services import Services
from dashboard.uploads.routes import owner_of
from events.cases.detail import case_detail
from events.cases.late_records import keep_late
from events.cases.queries import CaseFilter, list_cases
from events.cases.read_models import CaseDetail, CasePage, CaseSummary
from events.cases.worklists.tasks import TaskPage, urgent_tasks
from storage.session import read_scope, session_scope
from storage.uploads import claim

router = APIRouter(tags=["cases"])

MAX_LATE_FILES = 20


class CommandBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cases/{case_id}/commands``.  ``told``: what a phone says about when and where it was done
    (:class:`core.deed.Told`); with its ``seen_version`` a move by somebody else since then answers 409 ``stale_case``.
    """

    name: str
    expected_version: int | None = None
    idempotency_key: str | None = None
    data: dict[str, Any] = {}
    told: Told | None = None


class LateRecordBody(msgspec.Struct, forbid_unknown_fields=True):
    """A command that was refused, to be kept in the file: ``refused`` is the error's code, ``uploads`` its files."""

    name: str
    told: Told
    refused: str = ""
    data: dict[str, Any] = {}
    uploads: list[str] = []
    idempotency_key: str | None = None


class CursorPage(Filters):
    """A page after a cursor."""

    limit: int = Field(50, ge=1, le=500)
    cursor: Text | None = None


class CaseFilters(CursorPage):
    """Filters of ``GET /api/cases``."""

    open: bool | None = None
    stage: Text | None = None
    state: Text | None = None
    department: Text | None = None
    severity: int = Field(0, ge=0, le=4, description="at least this grave")
    kind: Text | None = None
    class_code: Text | None = None
    division: Text | None = None
    site: Text | None = None
    definition: Text | None = None
    q: Text | None = None
    bbox: Box | None = None
    opened_from: Moment | None = None
    opened_to: Moment | None = None
    overdue: bool | None = None
    mine: bool | None = None


@router.get("/api/cases", **answers(CasePage))
def cases(request: Request, asked: Annotated[CaseFilters, Query()], use: Use, who: Who) -> Response:
    """The cases this person may see, newest first."""
    names = ("open", "stage", "state", "department", "kind", "class_code", "division", "site", "q", "bbox",
             "opened_from", "opened_to", "definition")  # fmt: skip
    wanted = CaseFilter(
        **{name: getattr(asked, name) for name in names},
        severity=asked.severity or None,
        overdue_at=use.clock.now() if asked.overdue else None,
        mine=bool(asked.mine),
    )
    if wanted.q:
        catch_up(use.engine)
    with read_scope(use.engine) as session:
        return packed(request, list_cases(session, who.actor, wanted, asked.cursor, asked.limit))


@router.get("/api/tasks", **answers(TaskPage))
def tasks(request: Request, asked: Annotated[CursorPage, Query()], use: Use, who: Who) -> Response:
    """What waits for this person or the department: the gravest first, of equal ones what is due first.

    ``total`` counts all of them.
    """
    with read_scope(use.engine) as session:
        return packed(request, urgent_tasks(session, who.actor, asked.cursor, asked.limit))


@router.get("/api/cases/{case_id}", **answers(CaseDetail))
def case(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """One file with everything the person may see of it, and the commands possible now."""
    with read_scope(use.engine) as session:
        return packed(request, case_detail(session, who.actor, case_id, use.clock.now(), use.cases.definitions))


@router.post("/api/cases/{case_id}/commands", openapi_extra=takes(CommandBody), **answers(CaseSummary))
async def command(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Move the case; 409 when somebody was faster or the state does not allow it."""
    sent = await body(request, CommandBody)
    if sent.name == "report":
        raise InputInvalid(field="name", detail="report opens a new case", how="use POST /api/cases")
    await prepare_named(use, who, sent.data.get("evidence"))
    key = sent.idempotency_key or request.headers.get("idempotency-key")
    wish = Command(
        name=sent.name,
        case_id=case_id,
        actor_id=who.actor.user_id,
        expected_version=sent.expected_version,
        idempotency_key=key[:80] if key else None,
        data=sent.data,
    )
    return respond(await asyncio.to_thread(use.cases.execute, wish, who.actor, placed(sent.told)))


@router.post("/api/cases/{case_id}/late-records", openapi_extra=takes(LateRecordBody), **answers(CaseKept, 201))
async def late_record(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Keep what was done but can no longer be carried out in the case's file, with its photographs."""
    sent = await body(request, LateRecordBody)
    await prepare_uploads(use, who, sent.uploads[:MAX_LATE_FILES])
    await asyncio.to_thread(_late_record, use, who, case_id, sent)
    return respond({"ok": True, "case_id": case_id}, 201)


def _late_record(use: Services, who: Principal, case_id: str, sent: LateRecordBody) -> None:
    told = placed(sent.told) or Told()
    wish = Command(
        name=sent.name[:24], case_id=case_id, actor_id=who.actor.user_id,
        idempotency_key=sent.idempotency_key[:80] if sent.idempotency_key else None, data=sent.data,
    )  # fmt: skip
    with session_scope(use.engine) as session:
        files = [
            claim(session, upload_id, owner_of(who), f"case:{case_id}", told.at or use.clock.now())
            for upload_id in sent.uploads[:MAX_LATE_FILES]
        ]
        keep_late(use.cases, session, wish, who.actor, told, sent.refused[:40], files)


@router.post("/api/cases", openapi_extra=takes_file("application/json"), **answers(CaseSummary, 201))
async def report(request: Request, use: Use, who: Who) -> Response:
    """Open a case by hand: title, and what the definition's form asks for."""
    data = await body(request, dict[str, Any])
    await prepare_named(use, who, data.get("evidence"))
    key = data.pop("idempotency_key", None) or request.headers.get("idempotency-key")
    try:
        told = msgspec.convert(data.pop("told", None), Told | None)
    except msgspec.ValidationError as error:
        raise InputInvalid(field="told", detail=str(error), how="see docs/phone.md") from error
    wish = Command(
        name="report",
        case_id="",
        actor_id=who.actor.user_id,
        idempotency_key=str(key)[:80] if key else None,
        data=data,
    )
    return respond(await asyncio.to_thread(use.cases.execute, wish, who.actor, placed(told)), 201)
