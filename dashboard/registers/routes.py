"""Registers: lists, records with history, unmasking for a reason, corrections, visits, import and export."""

from __future__ import annotations

import asyncio
import io
from datetime import date
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid
from dashboard.api.deps import Use, Who, respond, takes
from dashboard.api.params import bbox, body, text, whole, yesno
from dashboard.registers.desk import RegisterDesk
from records.registers.definition import Register
from records.registers.search import MOST, Query

router = APIRouter(tags=["registers"])
_importing = asyncio.Semaphore(1)


class Unmask(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/records/{record_id}/unmask``: which fields, and what they are needed for."""

    fields: list[str]
    reason: str


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/records/{record_id}/changes``: new values by field; the id makes a repeat harmless."""

    request_id: str
    changes: dict[str, Any]
    reason: str = ""


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/record-changes/{request_id}``."""

    accept: bool
    note: str = ""


class VisitBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/records/{record_id}/visits``: met, not_met, moved_away, refused or exception."""

    visit_id: str
    result: str
    answers: dict[str, Any] = {}


class RegisterExport(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/registers/{register_id}/export``: the reason, the list's filters, whole numbers or masked."""

    reason: str
    q: str = ""
    division: str = ""
    whole: bool = False


@router.get("/api/registers")
def registers(use: Use, who: Who) -> Response:
    """The registers that the person may read, with their fields."""
    found = RegisterDesk(use, who.actor).registers()
    return respond({"items": [_described(register) for register in found], "next": None})


def _described(register: Register) -> dict[str, Any]:
    fields = [
        {"name": f.name, "zh": f.zh, "en": f.en, "type": f.type, "required": f.required, "sensitive": f.sensitive,
         "choices": f.choices}
        for f in register.fields
    ]  # fmt: skip
    return {
        "register_id": register.id, "zh": register.zh, "en": register.en, "title": register.title,
        "facets": register.facets, "place": register.place, "key": register.key, "fields": fields,
    }  # fmt: skip


@router.get("/api/registers/{register_id}/records")
def records(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """A page of records, masked.

    q: name, pinyin, initials or a whole number; division, facet_a, facet_b, building, bbox, offset, limit, order, desc.
    """
    query = query_of(register_id, request)
    items, total = RegisterDesk(use, who.actor).listed(query)
    return respond({"items": items, "total": total, "next": None})


def query_of(register_id: str | None, request: Request) -> Query:
    """The filters of a request."""
    given = request.query_params
    return Query(
        register_id, text(given, "q") or "", _digits(text(given, "division")), _several(text(given, "facet_a")),
        _several(text(given, "facet_b")), text(given, "building") or "", bbox(given),
        order=text(given, "order") or "name",
        descending=bool(yesno(given, "desc")), offset=whole(given, "offset", 0, 0, 1_000_000),
        limit=whole(given, "limit", 50, 1, MOST),
    )  # fmt: skip


def _several(given: str | None) -> tuple[str, ...]:
    return tuple(part for part in (given or "").split(",") if part)


def _digits(given: str | None) -> str:
    if given and not (given.isascii() and given.isdigit() and len(given) in (6, 9, 12, 15)):
        raise InputInvalid(field="division", detail=f"{given!r} is no code", how="send 6, 9, 12 or 15 digits")
    return given or ""


@router.get("/api/registers/{register_id}/cells")
def cells(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """Records a grid cell: counts, never persons as points."""
    division = _digits(text(request.query_params, "division"))
    found = RegisterDesk(use, who.actor).cells(register_id, division)
    return respond({"items": [{"grid_code": code, "count": n} for code, n in found.items()], "next": None})


@router.post("/api/registers/{register_id}/import")
async def take_in(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """Import the file that is the body (XLSX, CSV …).

    name: its name; dry_run (default true) checks and counts only; good_rows takes the good rows although others are
    wrong; map: ``heading=field`` pairs with semicolons.
    """
    given = request.query_params
    dry_run, good = yesno(given, "dry_run"), bool(yesno(given, "good_rows"))
    pairs = [pair.partition("=") for pair in (text(given, "map", 4000) or "").split(";") if pair]
    mapped = {heading: field for heading, _, field in pairs} or None
    content = io.BytesIO(await request.body())
    desk, name = RegisterDesk(use, who.actor), text(given, "name") or "upload"
    async with _importing:
        report = await asyncio.to_thread(desk.take_file, register_id, content, name, mapped, dry_run is not False, good)
    return respond(report.as_dict())


@router.post("/api/registers/{register_id}/export", openapi_extra=takes(RegisterExport))
async def send_out(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """The records as CSV; the reason goes into the audit chain."""
    sent = await body(request, RegisterExport)
    query = Query(register_id, sent.q, _digits(sent.division))
    desk = RegisterDesk(use, who.actor)
    content = await asyncio.to_thread(desk.export, query, sent.reason, sent.whole)
    kept = {"Content-Disposition": f'attachment; filename="{register_id[:40]}.csv"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=kept)


@router.get("/api/records/{record_id}")
def record(record_id: str, use: Use, who: Who) -> Response:
    """One record, masked, with its history and links."""
    return respond(RegisterDesk(use, who.actor).record(record_id))


@router.post("/api/records/{record_id}/unmask", openapi_extra=takes(Unmask))
async def show_whole(record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Sensitive fields in full; who, which and why is written to the audit chain first."""
    sent = await body(request, Unmask)
    values = await asyncio.to_thread(RegisterDesk(use, who.actor).unmask, record_id, sent.fields, sent.reason)
    return respond({"values": values}, headers={"Cache-Control": "no-store"})


@router.post("/api/records/{record_id}/changes", openapi_extra=takes(Correction))
async def correct(record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Propose a correction; the same request_id again answers the first one."""
    sent = await body(request, Correction)
    desk = RegisterDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.propose, record_id, sent.request_id, sent.changes, sent.reason), 201)


@router.get("/api/record-changes")
def changes(request: Request, use: Use, who: Who) -> Response:
    """Corrections: state open (default), accepted or refused; oldest first."""
    given = request.query_params
    state, limit = text(given, "state") or "open", whole(given, "limit", 100, 1, 500)
    return respond({"items": RegisterDesk(use, who.actor).requests(state, limit), "next": None})


@router.post("/api/record-changes/{request_id}", openapi_extra=takes(Decision))
async def settle(request_id: str, request: Request, use: Use, who: Who) -> Response:
    """Accept or refuse a correction; nobody decides his own."""
    sent = await body(request, Decision)
    desk = RegisterDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.decide, request_id, sent.accept, sent.note))


@router.post("/api/records/{record_id}/visits", openapi_extra=takes(VisitBody))
async def visited(record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Note a visit; the same visit_id again answers the first one."""
    sent = await body(request, VisitBody)
    desk = RegisterDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.visit, record_id, sent.visit_id, sent.answers, sent.result), 201)


@router.get("/api/visits")
def visits(request: Request, use: Use, who: Who) -> Response:
    """Records whose visit is due, the longest overdue first.

    until: a day (default today); division: default the person's own.
    """
    given = request.query_params
    desk = RegisterDesk(use, who.actor)
    try:
        until = date.fromisoformat(text(given, "until") or desk.today.isoformat())
    except ValueError as error:
        raise InputInvalid(field="until", detail=str(error), how="send 2026-11-28") from error
    division = _digits(text(given, "division")) or who.actor.division_code or ""
    return respond({"items": desk.due(until, division, whole(given, "limit", 200, 1, 500)), "next": None})
