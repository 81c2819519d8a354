"""The catalogue of service items: lists, versions, review, release, problem lists, workbooks."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from dashboard.answers.items import (
    ElementChanges,
    ItemCheckResult,
    ItemImport,
    ItemPage,
    ItemProblemPage,
    ItemProblemsOverview,
    ItemProblemState,
    ItemVersionState,
    ItemWhole,
)
from dashboard.api.deps import EXPORT, Done, Use, Who, answers, respond, sends, takes, takes_file
from dashboard.api.filters import Filters, Text, Word
from dashboard.api.params import body
from dashboard.items.desk import CatalogueDesk
from dashboard.items.files import export as export_items
from dashboard.items.files import take_file
from records.items.finding import MOST, ItemQuery

router = APIRouter(tags=["items"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_taking = asyncio.Semaphore(1)


class ItemCreation(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/items``: elements by name; ``parent_id``: the upper item that is reused (复用)."""

    data: dict[str, Any]
    department_id: str = ""
    parent_id: str | None = None
    note: str = ""


class ItemSave(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/items/{item_id}``: elements to set (null empties), the version they were seen at."""

    values: dict[str, Any]
    version: int | None = None
    note: str = ""


class ItemMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/items/{item_id}/state``.

    ``action``: submit, approve, refuse, publish, suspend, withdraw, restore, adopt.
    """

    action: str
    note: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


class ItemLock(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/items/{item_id}/locked``: elements that lower items take over; empty: the table's."""

    elements: list[str]


class ProblemAcceptance(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/items/{item_id}/problems``: a warning that may stand, and why."""

    element: str
    rule: str
    note: str


class CatalogueFilters(Filters):
    """Filters of the list."""

    q: Text = Field("", description="part of a name, pinyin, initials, or the beginning of a code")
    department: Word = ""
    level: Literal["", "1", "2", "3", "4", "5", "6"] = ""
    state: Literal["", "draft", "published", "suspended", "withdrawn"] = ""
    outdated: bool = Field(False, description="only those whose upper item has changed")
    blocked: bool = Field(False, description="only those with a blocking problem")
    limit: int = Field(100, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=1_000_000)

    def query(self) -> ItemQuery:
        """As the catalogue takes it."""
        return ItemQuery(self.q, self.department, self.level, self.state, self.outdated, self.blocked,
                         offset=self.offset, limit=self.limit)  # fmt: skip


class ProblemFilters(Filters):
    """Filters of a problem list; without a department all of them, where the person may see all."""

    department: Word = ""
    state: Literal["", "open", "fixed", "accepted"] = "open"
    limit: int = Field(100, ge=1, le=2000)
    offset: int = Field(0, ge=0, le=1_000_000)


class VersionFilter(Filters):
    """Which version."""

    version: int = Field(0, ge=0, le=100_000, description="0: the newest")


class DiffFilter(Filters):
    """Two versions."""

    old: int = Field(0, ge=0, le=100_000, description="0: what the upper item fixes")
    new: int = Field(0, ge=0, le=100_000, description="0: the newest")


class ItemFileFilter(Filters):
    """How a file is taken."""

    name: Text = "items.xlsx"
    dry_run: bool = True
    in_force: bool = Field(False, description="first filling: what is clean and on the duty list is released")


@router.get("/api/items", **answers(ItemPage))
def items(asked: Annotated[CatalogueFilters, Query()], use: Use, who: Who) -> Response:
    """Items of the catalogue by name."""
    found, total = CatalogueDesk(use, who.actor).listed(asked.query())
    return respond({"items": found, "total": total, "next": None})


@router.post("/api/items", openapi_extra=takes(ItemCreation), **answers(ItemVersionState, 201))
async def create(request: Request, use: Use, who: Who) -> Response:
    """A new item as a draft; with ``parent_id`` its locked elements come from the upper item."""
    sent = await body(request, ItemCreation)
    desk = CatalogueDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.create, sent.data, sent.department_id, sent.parent_id, sent.note), 201)


@router.get("/api/items.xlsx", dependencies=[EXPORT], **sends(XLSX))
def export(asked: Annotated[CatalogueFilters, Query()], use: Use, who: Who) -> Response:
    """The filtered items as a workbook with element names as headings; it can be imported again."""
    content = export_items(CatalogueDesk(use, who.actor), asked.query())
    kept = {"Content-Disposition": 'attachment; filename="items.xlsx"', "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=kept)


@router.post("/api/items/import", openapi_extra=takes_file(XLSX, "text/csv", "application/json"), **answers(ItemImport))
async def take(asked: Annotated[ItemFileFilter, Query()], request: Request, use: Use, who: Who) -> Response:
    """Take a workbook, CSV or JSON list of items as drafts, or try it (the default)."""
    content = await request.body()
    desk = CatalogueDesk(use, who.actor)
    async with _taking:
        return respond(await asyncio.to_thread(take_file, desk, content, asked.name, asked.dry_run, asked.in_force))


@router.post("/api/items/checks", **answers(ItemCheckResult))
async def check(use: Use, who: Who) -> Response:
    """Check the catalogue (a department: its own items) and keep the problem lists."""
    async with _taking:
        return respond(await asyncio.to_thread(CatalogueDesk(use, who.actor).run))


@router.get("/api/items/problems", **answers(ItemProblemPage))
def problems(asked: Annotated[ProblemFilters, Query()], use: Use, who: Who) -> Response:
    """A department's problem list, the longest overdue first."""
    desk = CatalogueDesk(use, who.actor)
    found, total = desk.problems(asked.department, asked.state, asked.offset, asked.limit)
    return respond({"items": found, "total": total, "next": None})


@router.get("/api/items/departments", **answers(ItemProblemsOverview))
def departments(use: Use, who: Who) -> Response:
    """Each department's problem list in numbers."""
    return respond(CatalogueDesk(use, who.actor).overview())


@router.get("/api/items/{item_id}", **answers(ItemWhole))
def item(item_id: str, asked: Annotated[VersionFilter, Query()], use: Use, who: Who) -> Response:
    """One item."""
    return respond(CatalogueDesk(use, who.actor).item(item_id, asked.version))


@router.get("/api/items/{item_id}/diff", **answers(ElementChanges))
def diff(item_id: str, asked: Annotated[DiffFilter, Query()], use: Use, who: Who) -> Response:
    """What two versions differ in, in meaning; rows by name."""
    return respond({"items": CatalogueDesk(use, who.actor).diff(item_id, asked.old, asked.new), "next": None})


@router.put("/api/items/{item_id}", openapi_extra=takes(ItemSave), **answers(ItemVersionState))
async def save(item_id: str, request: Request, use: Use, who: Who) -> Response:
    """Set elements; a released item gets a new draft."""
    sent = await body(request, ItemSave)
    desk = CatalogueDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.save, item_id, sent.values, sent.version, sent.note))


@router.post("/api/items/{item_id}/state", openapi_extra=takes(ItemMove), **answers(ItemVersionState))
async def move(item_id: str, request: Request, use: Use, who: Who) -> Response:
    """Send to review, approve or refuse (never one's own), release, suspend, withdraw, restore, adopt."""
    sent = await body(request, ItemMove)
    desk = CatalogueDesk(use, who.actor)
    done = await asyncio.to_thread(desk.move, item_id, sent.action, sent.note, sent.valid_from, sent.valid_to)
    return respond(done)


@router.put("/api/items/{item_id}/locked", openapi_extra=takes(ItemLock), **answers(Done))
async def lock(item_id: str, request: Request, use: Use, who: Who) -> Response:
    """Which elements lower items take over unchanged."""
    sent = await body(request, ItemLock)
    await asyncio.to_thread(CatalogueDesk(use, who.actor).lock, item_id, sent.elements)
    return respond({"ok": True})


@router.post("/api/items/{item_id}/problems", openapi_extra=takes(ProblemAcceptance), **answers(ItemProblemState))
async def accept(item_id: str, request: Request, use: Use, who: Who) -> Response:
    """Let a warning stand, with its reason."""
    sent = await body(request, ProblemAcceptance)
    desk = CatalogueDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.accept, item_id, sent.element, sent.rule, sent.note))
