"""Forms: versions and their states, import and export of XLSForm workbooks, evaluation, differences."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from core.forms.checks import form_problems
from core.forms.diff import differences
from core.forms.model import parse_form
from core.forms.xlsform.exporting import export_xlsform
from core.forms.xlsform.importing import import_xlsform
from dashboard.answers.forms import (
    FormChanges,
    FormCheckReport,
    FormDropped,
    FormEvaluation,
    FormImported,
    FormList,
    FormToFill,
    FormVersionChecked,
    FormVersionRow,
    FormVersionWhole,
)
from dashboard.api.deps import Use, Who, allow, answers, respond, sends, takes, takes_file
from dashboard.api.filters import Filters, Text, Word
from dashboard.api.params import body
from dashboard.form_actions import delete_draft, move_form, new_draft, save_draft
from dashboard.form_service import EDITORS, answered_already, for_filling, key_names, may_see, shown_problems, state_of
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


class FormDraftBody(msgspec.Struct, forbid_unknown_fields=True):
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


FormVersionNumber = Annotated[int, Path(ge=0, le=1 << 30)]


class FormFilters(Filters):
    """Filters of ``GET /api/forms``."""

    live: bool = Field(False, description="only live versions")


class WorkbookFilters(Filters):
    """How a workbook is read."""

    name: Text = Field("", description="the file's name")
    form_id: Word = Field("", description="by default what the workbook says, else its name")
    language: Word = Field("", max_length=10)
    dry_run: bool = False


class RevisionFilter(Filters):
    """The revision that was seen."""

    revision: int = Field(0, ge=0, le=1 << 30)


class TwoVersions(Filters):
    """Two versions of a form."""

    old: int = Field(alias="from", ge=1, le=1 << 30)
    new: int = Field(alias="to", ge=1, le=1 << 30)


@router.get("/api/forms", **answers(FormList))
def forms(asked: Annotated[FormFilters, Query()], use: Use, who: Who) -> Response:
    """All versions, the newest of a form first; drafts only for administrators."""
    with read_scope(use.engine) as session:
        found = versions_of(session, live_only=asked.live)
    shown = [_listed(v) for v in found if v.state != "draft" or who.has(*EDITORS)]
    refused = []
    if who.has(*EDITORS):
        refused = [{"name": p.name, "detail": p.detail, "count": p.count} for p in use.forms.folder.problems.values()]
    return respond({"items": shown, "files": refused, "next": None})


@router.post(
    "/api/forms", dependencies=[allow(*EDITORS)], openapi_extra=takes(NewForm), **answers(FormVersionView, 201)
)
async def create(request: Request, use: Use, who: Who) -> Response:
    """A draft: empty, from a body, or from another version of the form."""
    sent = await body(request, NewForm)

    def write() -> FormVersionView:
        form = parse_form(sent.body) if sent.body is not None else None
        return new_draft(use, who, sent.form_id, form=form, base=sent.base, title=sent.title)

    return respond(await asyncio.to_thread(write), 201)


@router.post(
    "/api/import/form",
    dependencies=[allow(*EDITORS)],
    openapi_extra=takes_file(XLSX),
    **answers(FormImported, 201, 200),
)
async def import_form(request: Request, asked: Annotated[WorkbookFilters, Query()], use: Use, who: Who) -> Response:
    """An XLSForm workbook as the body: every problem by sheet, row and column, and the draft when nothing blocks."""
    content, name = await request.body(), asked.name
    read = await asyncio.to_thread(import_xlsform, content, default_language=asked.language)
    problems = [
        {**p.as_json(), "blocking": p.blocking, "values": {k: str(v)[:200] for k, v in p.values.items()}}
        for p in read.problems
    ]
    answer: dict[str, Any] = {"problems": problems, "questions": len(read.rows), "draft": None}
    form_id = asked.form_id or read.form.form_id or name.rsplit(".", 1)[0]
    if read.blocked or asked.dry_run:
        return respond({**answer, "form_id": form_id, "form": read.form if not read.blocked else None})

    def write() -> FormVersionView:
        return new_draft(use, who, form_id, form=read.form, source=f"import:{name}")

    return respond({**answer, "form_id": form_id, "draft": _listed(await asyncio.to_thread(write))}, 201)


@router.get("/api/forms/{form_id}", **answers(FormToFill))
def fill_live(form_id: str, use: Use, who: Who) -> Response:
    """The newest live version with all that filling it in needs."""
    del who
    with read_scope(use.engine) as session:
        return respond(for_filling(use, live_form(session, form_id)))


@router.get("/api/forms/{form_id}/versions/{version}", **answers(FormVersionWhole))
def one(form_id: str, version: FormVersionNumber, use: Use, who: Who) -> Response:
    """One version with its body, its problems and the keys of its answers."""
    with read_scope(use.engine) as session:
        found = form_version(session, form_id, version)
    may_see(who, found)
    form = parse_form(found.body)
    problems = shown_problems(form, form_problems(form, publishing=True))
    answered = answered_already(use, form)
    return respond(
        {**msgspec.structs.asdict(found), "problems": problems, "keys": key_names(form), "answered": answered}
    )


@router.get("/api/forms/{form_id}/versions/{version}/fill", **answers(FormToFill))
def fill(form_id: str, version: FormVersionNumber, use: Use, who: Who) -> Response:
    """A certain version with all that filling it in needs: the one that a case or filing began with, or a trial."""
    with read_scope(use.engine) as session:
        found = form_version(session, form_id, version)
    may_see(who, found)
    return respond(for_filling(use, found))


@router.put(
    "/api/forms/{form_id}/versions/{version}",
    dependencies=[allow(*EDITORS)],
    openapi_extra=takes(FormDraftBody),
    **answers(FormVersionChecked),
)
async def edit(form_id: str, version: FormVersionNumber, request: Request, use: Use, who: Who) -> Response:
    """Replace a draft; answers its problems.  Nothing is kept of a body that is no form."""
    sent = await body(request, FormDraftBody)
    form = parse_form(sent.body)

    made = await asyncio.to_thread(save_draft, use, who, form_id, version, form, sent.revision)
    return respond({**_listed(made), "problems": shown_problems(form, form_problems(form, publishing=True))})


@router.post(
    "/api/forms/check", dependencies=[allow(*EDITORS)], openapi_extra=takes(FormDraftBody), **answers(FormCheckReport)
)
async def check(request: Request) -> Response:
    """The problems of a form that is not stored."""
    form = parse_form((await body(request, FormDraftBody)).body)
    return respond({"problems": shown_problems(form, form_problems(form, publishing=True)), "keys": key_names(form)})


@router.post(
    "/api/forms/{form_id}/versions/{version}/state",
    dependencies=[allow(*EDITORS)],
    openapi_extra=takes(FormMove),
    **answers(FormVersionRow),
)
async def move(form_id: str, version: FormVersionNumber, request: Request, use: Use, who: Who) -> Response:
    """draft → trial → live → retired; a trial may go back to draft, a retired version may become live again."""
    sent = await body(request, FormMove)

    moved = await asyncio.to_thread(move_form, use, who, form_id, version, sent.state, sent.revision)
    return respond(_listed(moved))


@router.delete("/api/forms/{form_id}/versions/{version}", dependencies=[allow(*EDITORS)], **answers(FormDropped))
def drop(
    form_id: str, version: FormVersionNumber, asked: Annotated[RevisionFilter, Query()], use: Use, who: Who
) -> Response:
    """Delete a draft."""
    delete_draft(use, who, form_id, version, asked.revision)
    return respond({"dropped": True})


@router.get("/api/forms/{form_id}/versions/{version}/xlsx", **sends(XLSX))
def export(form_id: str, version: FormVersionNumber, use: Use, who: Who) -> Response:
    """The version as an XLSForm workbook."""
    with read_scope(use.engine) as session:
        found = form_version(session, form_id, version)
    may_see(who, found)
    headers = {"Content-Disposition": f'attachment; filename="form-v{version}.xlsx"'}
    return Response(export_xlsform(parse_form(found.body)), media_type=XLSX, headers=headers)


@router.get("/api/forms/{form_id}/diff", **answers(FormChanges))
def diff(form_id: str, asked: Annotated[TwoVersions, Query()], use: Use, who: Who) -> Response:
    """What differs between two versions."""
    with read_scope(use.engine) as session:
        found = [form_version(session, form_id, version) for version in (asked.old, asked.new)]
    for version in found:
        may_see(who, version)
    old, new = (parse_form(version.body) for version in found)
    return respond({"items": [d.as_json() for d in differences(old, new)]})


@router.post(
    "/api/forms/{form_id}/versions/{version}/evaluate", openapi_extra=takes(FormAnswers), **answers(FormEvaluation)
)
async def evaluate(form_id: str, version: FormVersionNumber, request: Request, use: Use, who: Who) -> Response:
    """What the server makes of answers: relevance, values, offers, errors, what would be submitted.  Stores nothing."""
    sent = await body(request, FormAnswers)

    def read() -> dict[str, Any]:
        with read_scope(use.engine) as session:
            found = form_version(session, form_id, version)
        may_see(who, found)
        return state_of(use, found, sent.answers).as_json()

    return respond(await asyncio.to_thread(read))
