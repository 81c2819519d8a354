"""Routes of a person's work: my turn, started by me, copied to me, all; what may be reported; drafts; batches."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from dashboard.answers.cases import Approvals, CaseWords, CommandAnswers, Drafts, KindsToReport
from dashboard.api.deps import Done, Use, Who, answers, respond, sends, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.search.indexing import catch_up
from events.cases.definition_store import definition_of
from events.cases.detail import case_detail
from events.cases.worklists.approvals import pending_approvals
from events.cases.worklists.beginning import Draft, command_to_many, drafts_of, drop_draft, kinds_to_report, save_draft
from events.cases.worklists.lists import WorkPage, work_page
from events.cases.worklists.words import documents_of, file_text, names_in, paper_name, words_of
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


class WorkFilters(Filters):
    """Filters of ``GET /api/work``."""

    view: Text = Field("turn", description="turn, started, copied or all (closed ones too)")
    definition: Text | None = None
    q: Text = Field("", description="in number, title, description and the case's own data")
    open: bool | None = None
    limit: int = Field(50, ge=1, le=500)
    cursor: Text | None = None


class LanguageFilter(Filters):
    """The language of a paper."""

    lang: Literal["zh", "en"] = "zh"


@router.get("/api/work", **answers(WorkPage))
def work(asked: Annotated[WorkFilters, Query()], use: Use, who: Who) -> Response:
    """A list of this person's work, newest first; only ``next`` says whether it ends."""
    if asked.q:
        catch_up(use.engine)
    with read_scope(use.engine) as session:
        page = work_page(
            session,
            who.actor,
            asked.view,
            use.cases.definitions,
            definition=asked.definition,
            search=asked.q,
            is_open=asked.open,
            cursor=asked.cursor,
            limit=asked.limit,
        )
    return respond(page)


@router.get("/api/work/approvals", **answers(Approvals))
def approvals(use: Use, who: Who) -> Response:
    """Requests (an extension …) that wait for this person's approval, the longest waiting first."""
    with read_scope(use.engine) as session:
        items = pending_approvals(session, who.actor, use.clock.now(), use.cases.definitions)
    return respond({"items": items, "next": None})


@router.get("/api/work/kinds", **answers(KindsToReport))
def kinds(use: Use, who: Who) -> Response:
    """The kinds of case that this person may report, with their forms and the names of their fields."""
    return respond({"items": kinds_to_report(who.actor, use.cases.definitions, use.clock.now())})


@router.get("/api/work/drafts", **answers(Drafts))
def drafts(use: Use, who: Who) -> Response:
    """This person's drafts of reports."""
    with read_scope(use.engine) as session:
        return respond({"items": drafts_of(session, who.actor)})


@router.post("/api/work/drafts", openapi_extra=takes(DraftBody), **answers(Draft, 201))
async def keep_draft(request: Request, use: Use, who: Who) -> Response:
    """Save a draft of a report; nothing is reported yet."""
    sent = await body(request, DraftBody)

    def write() -> Any:
        definition = use.cases.definition(sent.definition_id)
        with session_scope(use.engine) as session:
            return save_draft(session, who.actor, definition, sent.data, use.clock.now(), sent.draft_id)

    return respond(await asyncio.to_thread(write), 201)


@router.delete("/api/work/drafts/{draft_id}", **answers(Done))
def remove_draft(draft_id: str, use: Use, who: Who) -> Response:
    """Drop a draft."""
    with session_scope(use.engine) as session:
        drop_draft(session, who.actor, draft_id)
    return respond({"ok": True})


@router.post("/api/work/batch", openapi_extra=takes(BatchBody), **answers(CommandAnswers))
async def batch(request: Request, use: Use, who: Who) -> Response:
    """Give one command to several cases, where their definition allows it; each case answers for itself."""
    sent = await body(request, BatchBody)
    answers = await asyncio.to_thread(
        command_to_many, use.cases, who.actor, sent.name, sent.case_ids, sent.data, sent.idempotency_key
    )
    return respond({"items": answers})


@router.get("/api/cases/{case_id}/words", **answers(CaseWords))
def words(case_id: str, use: Use, who: Who) -> Response:
    """What people wrote in a case, under the definition's names, and its documents."""
    with read_scope(use.engine) as session:
        detail = case_detail(session, who.actor, case_id, use.clock.now(), use.cases.definitions)
        definition = definition_of(session, session.get_one(Case, case_id), use.cases.definitions)
        documents = [
            {**each, "type_name": paper_name(definition, each["type"])} for each in documents_of(session, case_id)
        ]
        names = {
            "kind_name": definition.name,
            "state_name": definition.states[detail.case["state"]].name,
            "commands": {name: spec.name for name, spec in definition.commands.items()},
        }
        items = words_of(detail, definition, names_in(session, detail))
        return respond({"items": items, "documents": documents, **names})


@router.get("/api/cases/{case_id}/print", **sends("text/html"))
def printed(case_id: str, asked: Annotated[LanguageFilter, Query()], use: Use, who: Who) -> Response:
    """The whole file for printing, as HTML that stands alone."""
    with read_scope(use.engine) as session:
        detail = case_detail(session, who.actor, case_id, use.clock.now(), use.cases.definitions)
        definition = definition_of(session, session.get_one(Case, case_id), use.cases.definitions)
        documents, names = documents_of(session, case_id), names_in(session, detail)
        page = file_text(detail, definition, documents, asked.lang, names)
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(page, media_type="text/html", headers=headers)
