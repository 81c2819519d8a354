"""Forms: versions and their states, import and export of XLSForm workbooks, evaluation, differences."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid
from core.forms.checks import form_problems
from core.forms.diff import differences
from core.forms.model import parse_form
from core.forms.xlsform.exporting import export_xlsform
from core.forms.xlsform.importing import import_xlsform
from dashboard.api.deps import Use, Who, allow, respond, takes
from dashboard.api.params import body, text, whole, yesno
from dashboard.form_actions import delete_draft, move_form, new_draft, save_draft
from dashboard.form_service import EDITORS, for_filling, key_names, may_see, shown_problems, state_of
from storage.forms import FormVersionView, form_version, live_form, versions_of
from storage.session import read_scope

router = APIRouter(tags=["forms"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NewForm(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/forms``: a new form, or a new draft of one; ``base`` is the version to begin with."""

    form_id: str
    title: dict[str, str] = {}
    base: int | None = None
    body: dict[str, Any] | None = None


class DraftBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/forms/{form_id}/versions/{version}``: the whole form and the revision it was made from."""

    revision: int
    body: dict[str, Any]


class FormMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/forms/{form_id}/versions/{version}/state``."""

    state: str
    revision: int


class FormAnswers(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/forms/{form_id}/versions/{version}/evaluate``."""

    answers: dict[str, Any]


def _listed(version: FormVersionView) -> dict[str, Any]:
    return {k: v for k, v in msgspec.structs.asdict(version).items() if k != "body"}


@router.get("/api/forms")
def forms(request: Request, use: Use, who: Who) -> Response:
    """All versions, the newest of a form first; filter: live.  Drafts only for administrators."""
    live = bool(yesno(request.query_params, "live"))
    with read_scope(use.engine) as session:
        found = versions_of(session, live_only=live)
    shown = [_listed(v) for v in found if v.state != "draft" or who.has(*EDITORS)]
    refused = []
    if who.has(*EDITORS):
        refused = [{"name": p.name, "detail": p.detail, "count": p.count} for p in use.forms.folder.problems.values()]
    return respond({"items": shown, "files": refused, "next": None})


@router.post("/api/forms", dependencies=[allow(*EDITORS)], openapi_extra=takes(NewForm))
async def create(request: Request, use: Use, who: Who) -> Response:
    """A draft: empty, from a body, or from another version of the form."""
    sent = await body(request, NewForm)

    def write() -> FormVersionView:
        form = parse_form(sent.body) if sent.body is not None else None
        return new_draft(use, who, sent.form_id, form=form, base=sent.base, title=sent.title)

    return respond(await asyncio.to_thread(write), 201)


@router.post("/api/import/form", dependencies=[allow(*EDITORS)])
async def import_form(request: Request, use: Use, who: Who) -> Response:
    """An XLSForm workbook as the body; query: name (file name), form_id, language, dry_run.  Answers every problem by
    sheet, row and column, and the draft when nothing blocks."""
    query = request.query_params
    content = await request.body()
    name, language = text(query, "name") or "", text(query, "language", 10) or ""
    read = await asyncio.to_thread(import_xlsform, content, default_language=language)
    problems = [
        {**p.as_json(), "blocking": p.blocking, "values": {k: str(v)[:200] for k, v in p.values.items()}}
        for p in read.problems
    ]
    answer: dict[str, Any] = {"problems": problems, "questions": len(read.rows), "draft": None}
    form_id = text(query, "form_id", 80) or read.form.form_id or name.rsplit(".", 1)[0]
    if read.blocked or yesno(query, "dry_run"):
        return respond({**answer, "form_id": form_id, "form": read.form if not read.blocked else None})

    def write() -> FormVersionView:
        return new_draft(use, who, form_id, form=read.form, source=f"import:{name}")

    return respond({**answer, "form_id": form_id, "draft": _listed(await asyncio.to_thread(write))}, 201)


@router.get("/api/forms/{form_id}")
def fill_live(form_id: str, use: Use, who: Who) -> Response:
    """The newest live version with all that filling it in needs."""
    del who
    with read_scope(use.engine) as session:
        return respond(for_filling(use, live_form(session, form_id)))


@router.get("/api/forms/{form_id}/versions/{version}")
def one(form_id: str, version: int, use: Use, who: Who) -> Response:
    """One version with its body, its problems and the keys of its answers."""
    with read_scope(use.engine) as session:
        found = form_version(session, form_id, version)
    may_see(who, found)
    form = parse_form(found.body)
    problems = shown_problems(form, form_problems(form, publishing=True))
    return respond({**msgspec.structs.asdict(found), "problems": problems, "keys": key_names(form)})


@router.get("/api/forms/{form_id}/versions/{version}/fill")
def fill(form_id: str, version: int, use: Use, who: Who) -> Response:
    """A certain version with all that filling it in needs: the one that a case or filing began with, or a trial."""
    with read_scope(use.engine) as session:
        found = form_version(session, form_id, version)
    may_see(who, found)
    return respond(for_filling(use, found))


@router.put("/api/forms/{form_id}/versions/{version}", dependencies=[allow(*EDITORS)], openapi_extra=takes(DraftBody))
async def edit(form_id: str, version: int, request: Request, use: Use, who: Who) -> Response:
    """Replace a draft; answers its problems.  Nothing is kept of a body that is no form."""
    sent = await body(request, DraftBody)
    form = parse_form(sent.body)

    made = await asyncio.to_thread(save_draft, use, who, form_id, version, form, sent.revision)
    return respond({**_listed(made), "problems": shown_problems(form, form_problems(form, publishing=True))})


@router.post("/api/forms/check", dependencies=[allow(*EDITORS)], openapi_extra=takes(DraftBody))
async def check(request: Request) -> Response:
    """The problems of a form that is not stored."""
    form = parse_form((await body(request, DraftBody)).body)
    return respond({"problems": shown_problems(form, form_problems(form, publishing=True)), "keys": key_names(form)})


@router.post(
    "/api/forms/{form_id}/versions/{version}/state", dependencies=[allow(*EDITORS)], openapi_extra=takes(FormMove)
)
async def move(form_id: str, version: int, request: Request, use: Use, who: Who) -> Response:
    """draft → trial → live → retired; a trial may go back to draft, a retired version may become live again."""
    sent = await body(request, FormMove)

    moved = await asyncio.to_thread(move_form, use, who, form_id, version, sent.state, sent.revision)
    return respond(_listed(moved))


@router.delete("/api/forms/{form_id}/versions/{version}", dependencies=[allow(*EDITORS)])
def drop(form_id: str, version: int, request: Request, use: Use, who: Who) -> Response:
    """Delete a draft; query: revision."""
    revision = whole(request.query_params, "revision", 0, 0, 1 << 30)
    delete_draft(use, who, form_id, version, revision)
    return respond({"dropped": True})


@router.get("/api/forms/{form_id}/versions/{version}/xlsx")
def export(form_id: str, version: int, use: Use, who: Who) -> Response:
    """The version as an XLSForm workbook."""
    with read_scope(use.engine) as session:
        found = form_version(session, form_id, version)
    may_see(who, found)
    headers = {"Content-Disposition": f'attachment; filename="form-v{version}.xlsx"'}
    return Response(export_xlsform(parse_form(found.body)), media_type=XLSX, headers=headers)


@router.get("/api/forms/{form_id}/diff")
def diff(form_id: str, request: Request, use: Use, who: Who) -> Response:
    """What differs; query: from and to, two versions."""
    versions = [whole(request.query_params, name, 0, 0, 1 << 30) for name in ("from", "to")]
    if not all(versions):
        raise InputInvalid(field="from", detail="two versions are needed", how="give from=1&to=2")
    with read_scope(use.engine) as session:
        found = [form_version(session, form_id, version) for version in versions]
    for version in found:
        may_see(who, version)
    old, new = (parse_form(version.body) for version in found)
    return respond({"items": [d.as_json() for d in differences(old, new)]})


@router.post("/api/forms/{form_id}/versions/{version}/evaluate", openapi_extra=takes(FormAnswers))
async def evaluate(form_id: str, version: int, request: Request, use: Use, who: Who) -> Response:
    """What the server makes of answers: relevance, values, offers, errors, what would be submitted.  Stores nothing."""
    sent = await body(request, FormAnswers)

    def read() -> dict[str, Any]:
        with read_scope(use.engine) as session:
            found = form_version(session, form_id, version)
        may_see(who, found)
        return state_of(use, found, sent.answers).as_json()

    return respond(await asyncio.to_thread(read))
