"""The counter and life events: offers, prefill, applications, queue and appointments."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from dashboard.answers.items import (
    ApplicationTaken,
    BundleList,
    BundleState,
    CounterOffer,
    CounterOffers,
    CounterPrefill,
    TicketList,
    TicketRow,
)
from dashboard.answers.registers import WholeValues
from dashboard.api.deps import Use, Who, answers, respond, takes
from dashboard.api.filters import Day, Filters
from dashboard.api.params import body
from dashboard.items import bundles
from dashboard.items.counter import CounterDesk
from dashboard.items.desk import CatalogueDesk
from dashboard.items.queue import QueueDesk

router = APIRouter(tags=["counter"])
OfferKind = Literal["item", "bundle"]


class BundleSave(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/bundles/{bundle_id}``: items with ``basic`` and ``after`` (basic codes that come first)."""

    zh: str
    items: list[dict[str, Any]]
    en: str = ""


class BundleMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/bundles/{bundle_id}/state``: published or withdrawn."""

    state: str


class PrefillWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/counter/prefill``: the applicant's record, or the number on the card that was shown."""

    kind: OfferKind
    key: str
    record_id: str = ""
    number: str = ""


class CounterApplication(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/counter/applications``; the same ``request_id`` again is the same application.

    ``papers``: name → ``{"from": applicant|licence|register|other_item|later, "number"}``; ``accept``: at once.
    """

    kind: OfferKind
    key: str
    answers: dict[str, Any]
    papers: dict[str, Any] = {}
    accept: bool = True
    request_id: str = ""
    ticket: str = ""
    cross_province: str = ""
    courier: str = ""
    agent: str = ""


class AnswersWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/counter/applications/{case_id}/answers``: what they are needed for."""

    reason: str


class TicketWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/counter/tickets``: a walk_in, or an appointment of a day and a half hour."""

    kind: str = "walk_in"
    holder: str = ""
    item_id: str = ""
    day: date | None = None
    slot: str = ""


class TicketCall(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/counter/tickets/call``: the window that is free."""

    window: str


class TicketEnd(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/counter/tickets/{ticket_id}``: served, missed or cancelled."""

    state: str


class DayFilter(Filters):
    """Which day; today when left out."""

    day: Day | None = None


class OfferFilter(Filters):
    """An item or a life event."""

    kind: OfferKind = "item"
    key: str


@router.get("/api/bundles", **answers(BundleList))
def bundle_list(use: Use, who: Who) -> Response:
    """Life events with what merging saves."""
    return respond({"items": bundles.listed(CatalogueDesk(use, who.actor)), "next": None})


@router.put("/api/bundles/{bundle_id}", openapi_extra=takes(BundleSave), **answers(BundleState))
async def bundle_save(bundle_id: str, request: Request, use: Use, who: Who) -> Response:
    """Make a life event or change its items."""
    sent = await body(request, BundleSave)
    desk, names = CatalogueDesk(use, who.actor), {"zh": sent.zh, "en": sent.en}
    return respond(await asyncio.to_thread(bundles.save, desk, bundle_id, names, sent.items))


@router.post("/api/bundles/{bundle_id}/state", openapi_extra=takes(BundleMove), **answers(BundleState))
async def bundle_move(bundle_id: str, request: Request, use: Use, who: Who) -> Response:
    """Release (never with an item that is not in force or a conflict) or withdraw."""
    sent = await body(request, BundleMove)
    return respond(await asyncio.to_thread(bundles.set_state, CatalogueDesk(use, who.actor), bundle_id, sent.state))


@router.get("/api/counter/offers", **answers(CounterOffers))
def offers(use: Use, who: Who) -> Response:
    """The high-frequency items and the life events."""
    return respond({"items": CounterDesk(use, who.actor).offers(), "next": None})


@router.get("/api/counter/form", **answers(CounterOffer))
def form(asked: Annotated[OfferFilter, Query()], use: Use, who: Who) -> Response:
    """The one form and the papers of an item or a life event."""
    return respond(CounterDesk(use, who.actor).form(asked.kind, asked.key))


@router.post("/api/counter/prefill", openapi_extra=takes(PrefillWish), **answers(CounterPrefill))
async def prefill(request: Request, use: Use, who: Who) -> Response:
    """Answers from the registers, by right; numbers in full only for whoever may see them, noted in the audit chain."""
    sent = await body(request, PrefillWish)
    desk = CounterDesk(use, who.actor)
    if sent.number and not sent.record_id:
        found = await asyncio.to_thread(desk.presented, sent.kind, sent.key, sent.number)
    else:
        found = await asyncio.to_thread(desk.prefill, sent.kind, sent.key, sent.record_id)
    return respond(found, headers={"Cache-Control": "no-store"})


@router.post("/api/counter/applications", openapi_extra=takes(CounterApplication), **answers(ApplicationTaken, 201))
async def apply(request: Request, use: Use, who: Who) -> Response:
    """Take an application: one case, or one and a child an item; a single item is accepted and its notice written."""
    sent = await body(request, CounterApplication)
    desk = CounterDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.take, sent.kind, sent.key, msgspec.structs.asdict(sent)), 201)


@router.post("/api/counter/applications/{case_id}/answers", openapi_extra=takes(AnswersWish), **answers(WholeValues))
async def application_answers(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """An application's answers in full, for a reason that goes into the audit chain first."""
    sent = await body(request, AnswersWish)
    desk = CounterDesk(use, who.actor)
    values = await asyncio.to_thread(desk.answers, case_id, sent.reason)
    return respond({"values": values}, headers={"Cache-Control": "no-store"})


@router.get("/api/counter/tickets", **answers(TicketList))
def tickets(asked: Annotated[DayFilter, Query()], use: Use, who: Who) -> Response:
    """The day's numbers in the order in which they are called."""
    return respond({"items": QueueDesk(use, who.actor).listed(asked.day), "next": None})


@router.post("/api/counter/tickets", openapi_extra=takes(TicketWish), **answers(TicketRow, 201))
async def draw(request: Request, use: Use, who: Who) -> Response:
    """A number of the queue, or an appointment."""
    sent = await body(request, TicketWish)
    desk = QueueDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.draw, sent.kind, sent.holder, sent.item_id, sent.day, sent.slot), 201)


@router.post("/api/counter/tickets/call", openapi_extra=takes(TicketCall), **answers(TicketRow))
async def call(request: Request, use: Use, who: Who) -> Response:
    """The next number to a window."""
    sent = await body(request, TicketCall)
    return respond(await asyncio.to_thread(QueueDesk(use, who.actor).call, sent.window))


@router.post("/api/counter/tickets/{ticket_id}", openapi_extra=takes(TicketEnd), **answers(TicketRow))
async def end(ticket_id: str, request: Request, use: Use, who: Who) -> Response:
    """Served, missed or cancelled."""
    sent = await body(request, TicketEnd)
    return respond(await asyncio.to_thread(QueueDesk(use, who.actor).end, ticket_id, sent.state))
