"""Registers: lists, records with history, unmasking for a reason, corrections, visits, import and export."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.deed import Told
from core.errors import InputInvalid
from dashboard.answers.registers import (
    CellCounts,
    CorrectionList,
    CorrectionState,
    FieldRecords,
    MyGrid,
    RecordPage,
    RecordRow,
    RegisterImport,
    RegisterList,
    VisitNoted,
    VisitsDue,
    WholeValues,
)
from dashboard.api.attachments import placed
from dashboard.api.deps import EXPORT, Use, Who, answers, respond, sends, takes, takes_file
from dashboard.api.filters import Box, Day, DivisionCode, Filters, LongText, Several, Text
from dashboard.api.params import body
from dashboard.registers import map_routes
from dashboard.registers.desk import RegisterDesk
from dashboard.registers.field import FieldDesk
from dashboard.registers.places import PlaceDesk
from records.registers.definition import Register
from records.registers.search import MOST
from records.registers.search import Query as RecordQuery

router = APIRouter(tags=["registers"])
router.include_router(map_routes.router)
_importing = asyncio.Semaphore(1)


class Unmask(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/records/{record_id}/unmask``: which fields, and what they are needed for."""

    fields: list[str]
    reason: str


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/records/{record_id}/changes``: new values by field; the id makes a repeat harmless.

    ``seen_version``: the version of the record that the person looked at.
    """

    request_id: str
    changes: dict[str, Any]
    reason: str = ""
    seen_version: int | None = None


class CorrectionDecision(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/record-changes/{request_id}``."""

    accept: bool
    note: str = ""


class VisitBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/records/{record_id}/visits``: met, not_met, moved_away, refused or exception.

    ``told``: when it was made, by a phone that was offline.  An exception opens a case.
    """

    visit_id: str
    result: str
    answers: dict[str, Any] = {}
    told: Told | None = None


class RegisterExport(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/registers/{register_id}/export``: the reason, the list's filters, whole numbers or masked."""

    reason: str
    q: str = ""
    division: str = ""
    whole: bool = False


class DivisionFilter(Filters):
    """A division and all below it."""

    division: DivisionCode | Literal[""] = ""


class RecordFilters(DivisionFilter):
    """Filters of a register's records."""

    q: Text = Field("", description="name, pinyin, initials or a whole number")
    facet_a: Several = Field(default_factory=tuple)
    facet_b: Several = Field(default_factory=tuple)
    building: Text = ""
    bbox: Box | None = None
    order: Text = "name"
    desc: bool = False
    offset: int = Field(0, ge=0, le=1_000_000)
    limit: int = Field(50, ge=1, le=MOST)


class TableFilters(Filters):
    """How a table is taken in."""

    name: Text = Field("upload", description="the file's name")
    dry_run: bool = Field(True, description="only check and count")
    good_rows: bool = Field(False, description="take the good rows although others are wrong")
    map: LongText = Field("", description="`heading=field` pairs with semicolons")


class CorrectionFilters(Filters):
    """Filters of ``GET /api/record-changes``."""

    state: Text = Field("open", description="open, accepted or refused")
    limit: int = Field(100, ge=1, le=500)


class FieldFilters(Filters):
    """Filters of the own grid's records."""

    q: Text = Field("", description="name, pinyin, initials or a whole number")
    due: bool = Field(False, description="only records whose visit is due")
    building: Text = ""
    offset: int = Field(0, ge=0, le=1_000_000)
    limit: int = Field(100, ge=1, le=MOST)


class VisitFilters(DivisionFilter):
    """Filters of ``GET /api/visits``; the division is the person's own when left out."""

    until: Day | None = Field(None, description="today when left out")
    limit: int = Field(200, ge=1, le=500)


@router.get("/api/registers", **answers(RegisterList))
def registers(use: Use, who: Who) -> Response:
    """The registers that the person may read, with their fields."""
    found = RegisterDesk(use, who.actor).registers()
    return respond({"items": [_described(register) for register in found], "next": None})


def _described(register: Register) -> dict[str, Any]:
    fields = [
        {"name": f.name, "zh": f.zh, "en": f.en, "type": f.type, "required": f.required, "sensitive": f.sensitive,
         "choices": f.choices, "choices_en": f.choices_en}
        for f in register.fields
    ]  # fmt: skip
    return {
        "register_id": register.id, "zh": register.zh, "en": register.en, "title": register.title,
        "facets": register.facets, "place": register.place, "key": register.key, "fields": fields,
    }  # fmt: skip


@router.get("/api/registers/{register_id}/records", **answers(RecordPage))
def records(register_id: str, asked: Annotated[RecordFilters, Query()], use: Use, who: Who) -> Response:
    """A page of records, masked."""
    desk = PlaceDesk(use, who.actor)
    query = RecordQuery(
        register_id, asked.q, asked.division, asked.facet_a, asked.facet_b, asked.building, order=asked.order,
        descending=asked.desc, offset=asked.offset, limit=asked.limit,
        **desk.in_box(desk.register(register_id), asked.bbox),
    )  # fmt: skip
    items, total = desk.listed(query)
    return respond({"items": items, "total": total, "next": None})


def _digits(given: str) -> str:
    if given and not (given.isascii() and given.isdigit() and len(given) in (6, 9, 12, 15)):
        raise InputInvalid(field="division", detail=f"{given!r} is no code", how="send 6, 9, 12 or 15 digits")
    return given


@router.get("/api/registers/{register_id}/cells", **answers(CellCounts))
def cells(register_id: str, asked: Annotated[DivisionFilter, Query()], use: Use, who: Who) -> Response:
    """Records a grid cell: counts, never persons as points."""
    found = RegisterDesk(use, who.actor).cells(register_id, asked.division)
    return respond({"items": [{"grid_code": code, "count": n} for code, n in found.items()], "next": None})


@router.post(
    "/api/registers/{register_id}/import",
    openapi_extra=takes_file("application/octet-stream"),
    **answers(RegisterImport),
)
async def take_in(
    register_id: str, request: Request, asked: Annotated[TableFilters, Query()], use: Use, who: Who
) -> Response:
    """Import the file that is the body (XLSX, CSV …)."""
    pairs = [pair.partition("=") for pair in asked.map.split(";") if pair]
    mapped = {heading: field for heading, _, field in pairs} or None
    content = io.BytesIO(await request.body())
    desk, name, dry_run = RegisterDesk(use, who.actor), asked.name, asked.dry_run
    async with _importing:
        report = await asyncio.to_thread(desk.take_file, register_id, content, name, mapped, dry_run, asked.good_rows)
    return respond(report.as_dict())


@router.post(
    "/api/registers/{register_id}/export",
    dependencies=[EXPORT],
    openapi_extra=takes(RegisterExport),
    **sends("text/csv"),
)
async def send_out(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """The records as CSV; the reason goes into the audit chain."""
    sent = await body(request, RegisterExport)
    query = RecordQuery(register_id, sent.q, _digits(sent.division))
    desk = RegisterDesk(use, who.actor)
    content = await asyncio.to_thread(desk.export, query, sent.reason, sent.whole)
    kept = {"Content-Disposition": f'attachment; filename="{register_id[:40]}.csv"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=kept)


@router.get("/api/records/{record_id}", **answers(RecordRow))
def record(record_id: str, use: Use, who: Who) -> Response:
    """One record, masked, with its history and links."""
    return respond(RegisterDesk(use, who.actor).record(record_id))


@router.post("/api/records/{record_id}/unmask", openapi_extra=takes(Unmask), **answers(WholeValues))
async def show_whole(record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Sensitive fields in full; who, which and why is written to the audit chain first."""
    sent = await body(request, Unmask)
    values = await asyncio.to_thread(RegisterDesk(use, who.actor).unmask, record_id, sent.fields, sent.reason)
    return respond({"values": values}, headers={"Cache-Control": "no-store"})


@router.post("/api/records/{record_id}/changes", openapi_extra=takes(Correction), **answers(CorrectionState, 201))
async def correct(record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Propose a correction; the same request_id again answers the first one."""
    sent = await body(request, Correction)
    desk = RegisterDesk(use, who.actor)
    asked = (record_id, _id(sent.request_id, "request_id"), sent.changes, sent.reason, sent.seen_version)
    return respond(await asyncio.to_thread(desk.propose, *asked), 201)


@router.get("/api/record-changes", **answers(CorrectionList))
def changes(asked: Annotated[CorrectionFilters, Query()], use: Use, who: Who) -> Response:
    """Corrections, oldest first."""
    return respond({"items": RegisterDesk(use, who.actor).requests(asked.state, asked.limit), "next": None})


@router.post("/api/record-changes/{request_id}", openapi_extra=takes(CorrectionDecision), **answers(CorrectionState))
async def settle(request_id: str, request: Request, use: Use, who: Who) -> Response:
    """Accept or refuse a correction; nobody decides his own."""
    sent = await body(request, CorrectionDecision)
    desk = RegisterDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.decide, request_id, sent.accept, sent.note))


@router.post("/api/records/{record_id}/visits", openapi_extra=takes(VisitBody), **answers(VisitNoted, 201))
async def visited(record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Note a visit; the same visit_id again answers the first one."""
    sent = await body(request, VisitBody)
    made = (record_id, _id(sent.visit_id, "visit_id"), sent.answers, sent.result, placed(sent.told))
    return respond(await asyncio.to_thread(FieldDesk(use, who.actor).note_visit, *made), 201)


def _id(given: str, name: str) -> str:
    if not 1 <= len(given) <= 40:
        raise InputInvalid(field=name, detail=f"has {len(given)} characters", how="send 1 to 40")
    return given


@router.get("/api/me/grid", **answers(MyGrid))
def my_grid(use: Use, who: Who) -> Response:
    """The own grid of a grid worker or inspector: registers with counts, visits due, the forms asked in the field."""
    return respond(FieldDesk(use, who.actor).summary(), headers={"Cache-Control": "no-store"})


@router.get("/api/me/grid/{register_id}", **answers(FieldRecords))
def my_records(register_id: str, asked: Annotated[FieldFilters, Query()], use: Use, who: Who) -> Response:
    """Records of the own grid with the least that a list needs: no numbers, no care, nothing of other divisions."""
    desk = FieldDesk(use, who.actor)
    query = RecordQuery(
        register_id, asked.q, building=asked.building, due_before=desk.today if asked.due else None,
        order="visit_due" if asked.due else "name", offset=asked.offset, limit=asked.limit,
    )  # fmt: skip
    items, total = desk.own_records(query)
    return respond({"items": items, "total": total, "next": None}, headers={"Cache-Control": "no-store"})


@router.get("/api/visits", **answers(VisitsDue))
def visits(asked: Annotated[VisitFilters, Query()], use: Use, who: Who) -> Response:
    """Records whose visit is due, the longest overdue first."""
    desk = RegisterDesk(use, who.actor)
    division = asked.division or who.actor.division_code or ""
    return respond({"items": desk.due(asked.until or desk.today, division, asked.limit), "next": None})
