"""Guided tours of pages, and the handbook."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from dashboard.answers.training.guides import GuideList, HandbookList, HandbookText
from dashboard.api.deps import Done, Use, Who, answers, respond, takes
from dashboard.api.filters import Filters, Text, Word
from dashboard.api.params import body
from dashboard.training.guides import GuideDesk, handbook_page, handbook_pages, own_pages

router = APIRouter(tags=["training"])


class TourFilter(Filters):
    """Of which page."""

    page: Text = Field("/", description="the page's address, e.g. /filing or /m")


class HandbookFilter(Filters):
    """In which language."""

    language: Word = Field("zh", description="zh or en")


class TourEnd(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/tours/{guide_id}/seen``."""

    skipped: bool = False


@router.get("/api/tours", **answers(GuideList))
def listed(asked: Annotated[TourFilter, Query()], use: Use, who: Who) -> Response:
    """The tours of a page for the person who asks, each with whether it was seen."""
    return respond({"items": GuideDesk(use, who.actor).listed(asked.page), "next": None})


@router.post("/api/tours/{guide_id}/seen", openapi_extra=takes(TourEnd), **answers(Done))
async def seen(guide_id: str, request: Request, use: Use, who: Who) -> Response:
    """The tour was seen to its end, or skipped: it is not offered again until it changes."""
    sent = await body(request, TourEnd)
    await asyncio.to_thread(GuideDesk(use, who.actor).see, guide_id, sent.skipped)
    return respond({"ok": True})


@router.get("/api/handbook", **answers(HandbookList))
def pages(asked: Annotated[HandbookFilter, Query()], who: Who) -> Response:
    """The handbook's pages with their titles; ``own``: those of the person's roles."""
    own = set(own_pages(who.actor))
    found = [handbook_page(name, asked.language) for name in handbook_pages()]
    items = [{"name": page["name"], "title": page["title"], "own": page["name"] in own} for page in found]
    return respond({"items": items, "next": None})


@router.get("/api/handbook/{name}", **answers(HandbookText))
def page(name: str, asked: Annotated[HandbookFilter, Query()], who: Who) -> Response:
    """A page of the handbook, as Markdown."""
    del who
    return respond(handbook_page(name, asked.language))
