"""Routes of a person's work: my turn, started by me, copied to me, all; what may be reported; drafts; batches."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from dashboard.api.deps import Use, Who, respond, takes
from dashboard.api.params import body, text, whole, yesno
from events.cases.definition_store import definition_of
from events.cases.queries import case_detail
from events.cases.worklists.beginning import command_to_many, drafts_of, drop_draft, kinds_to_report, save_draft
from events.cases.worklists.lists import work_page
from events.cases.worklists.words import documents_of, file_text, words_of
from storage.session import read_scope, session_scope
from storage.tables.cases import Case

router = APIRouter(tags=["work"])


class DraftBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/work/drafts``; ``draft_id`` of a draft that is saved again."""

    definition_id: str
    data: dict[str, Any] = {}
    draft_id: str | None = None


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/work/batch``: one command to at most 100 cases."""

    name: str
    case_ids: list[str]
    data: dict[str, Any] = {}
    idempotency_key: str = ""


@router.get("/api/work")
def work(request: Request, use: Use, who: Who) -> Response:
    """A list of this person's work: ``view`` turn (default), started, copied or all (closed ones too), newest first.

    Filters: definition, q (number, title, description, the case's own data), open; limit (1…500) and cursor.
    """
    query = request.query_params
    with read_scope(use.engine) as session:
        page = work_page(
            session,
            who.actor,
            text(query, "view") or "turn",
            use.cases.definitions,
            definition=text(query, "definition"),
            search=text(query, "q") or "",
            is_open=yesno(query, "open"),
            cursor=text(query, "cursor"),
            limit=whole(query, "limit", 50, 1, 500),
        )
    return respond(page)


@router.get("/api/work/kinds")
def kinds(use: Use, who: Who) -> Response:
    """The kinds of case that this person may report, with their forms and the names of their fields."""
    return respond({"items": kinds_to_report(who.actor, use.cases.definitions, use.clock.now())})


@router.get("/api/work/drafts")
def drafts(use: Use, who: Who) -> Response:
    """This person's drafts of reports."""
    with read_scope(use.engine) as session:
        return respond({"items": drafts_of(session, who.actor)})


@router.post("/api/work/drafts", openapi_extra=takes(DraftBody))
async def keep_draft(request: Request, use: Use, who: Who) -> Response:
    """Save a draft of a report; nothing is reported yet."""
    sent = await body(request, DraftBody)

    def write() -> Any:
        definition = use.cases.definition(sent.definition_id)
        with session_scope(use.engine) as session:
            return save_draft(session, who.actor, definition, sent.data, use.clock.now(), sent.draft_id)

    return respond(await asyncio.to_thread(write), 201)


@router.delete("/api/work/drafts/{draft_id}")
def remove_draft(draft_id: str, use: Use, who: Who) -> Response:
    """Drop a draft."""
    with session_scope(use.engine) as session:
        drop_draft(session, who.actor, draft_id)
    return respond({"ok": True})


@router.post("/api/work/batch", openapi_extra=takes(BatchBody))
async def batch(request: Request, use: Use, who: Who) -> Response:
    """Give one command to several cases, where their definition allows it; each case answers for itself."""
    sent = await body(request, BatchBody)
    answers = await asyncio.to_thread(
        command_to_many, use.cases, who.actor, sent.name, sent.case_ids, sent.data, sent.idempotency_key
    )
    return respond({"items": answers})


@router.get("/api/cases/{case_id}/words")
def words(case_id: str, use: Use, who: Who) -> Response:
    """What people wrote in a case, under the definition's names, and its documents."""
    with read_scope(use.engine) as session:
        detail = case_detail(session, who.actor, case_id, use.clock.now(), use.cases.definitions)
        definition = definition_of(session, session.get_one(Case, case_id), use.cases.definitions)
        return respond({"items": words_of(detail, definition), "documents": documents_of(session, case_id)})


@router.get("/api/cases/{case_id}/print")
def printed(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """The whole file for printing, as HTML that stands alone; ``lang`` zh or en."""
    with read_scope(use.engine) as session:
        detail = case_detail(session, who.actor, case_id, use.clock.now(), use.cases.definitions)
        definition = definition_of(session, session.get_one(Case, case_id), use.cases.definitions)
        page = file_text(detail, definition, documents_of(session, case_id), text(request.query_params, "lang") or "zh")
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(page, media_type="text/html", headers=headers)
