"""Supervision campaigns: plan, visit list, check-lists, warning letters, report."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid
from dashboard.answers.campaigns import (
    CampaignAdded,
    CampaignList,
    CampaignMade,
    CampaignState,
    CampaignVisited,
    CampaignWhole,
)
from dashboard.api.deps import Use, Who, answers, respond, takes
from dashboard.api.params import body
from dashboard.campaigns.desk import CampaignDesk

router = APIRouter(tags=["campaigns"])
ACTIONS = ("visit", "letter", "waive")


class CampaignCreation(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/campaigns``: the plan (docs/registers.md) and until when it is to be visited."""

    plan: dict[str, Any]
    due: date


class VisitList(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/campaigns/{campaign_id}/visits``: places by name, or records of the campaign's register."""

    places: list[dict[str, Any]] = []
    division: str = ""
    count: int = 0


class VisitDeed(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST …/visits/{visit_id}``: ``visit`` with answers, ``letter``, or ``waive`` with a reason."""

    action: str = "visit"
    answers: dict[str, Any] = {}
    reason: str = ""


class CampaignEnd(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/campaigns/{campaign_id}/close``."""

    reason: str


@router.get("/api/campaigns", **answers(CampaignList))
def listed(use: Use, who: Who) -> Response:
    """The campaigns with their figures, the newest first."""
    return respond({"items": CampaignDesk(use, who.actor).listed(), "next": None})


@router.post("/api/campaigns", openapi_extra=takes(CampaignCreation), **answers(CampaignMade))
async def make(request: Request, use: Use, who: Who) -> Response:
    """A campaign of one's own department."""
    sent = await body(request, CampaignCreation)
    made = await asyncio.to_thread(CampaignDesk(use, who.actor).make, sent.plan, sent.due)
    return respond({"campaign_id": made})


@router.get("/api/campaigns/{campaign_id}", **answers(CampaignWhole))
def one(campaign_id: str, use: Use, who: Who) -> Response:
    """A campaign with check-list, visits and report."""
    return respond(CampaignDesk(use, who.actor).one(campaign_id))


@router.post("/api/campaigns/{campaign_id}/visits", openapi_extra=takes(VisitList), **answers(CampaignAdded))
async def add(campaign_id: str, request: Request, use: Use, who: Who) -> Response:
    """Add to the visit list; a record that is on it already is not added again."""
    sent = await body(request, VisitList)
    desk = CampaignDesk(use, who.actor)
    added = await asyncio.to_thread(desk.add, campaign_id, sent.places, sent.division, sent.count)
    return respond({"campaign_id": campaign_id, "added": added})


@router.post(
    "/api/campaigns/{campaign_id}/visits/{visit_id}", openapi_extra=takes(VisitDeed), **answers(CampaignVisited)
)
async def deed(campaign_id: str, visit_id: str, request: Request, use: Use, who: Who) -> Response:
    """Note a visit (its problems become cases), issue its warning letter, or leave it out."""
    sent = await body(request, VisitDeed)
    desk = CampaignDesk(use, who.actor)
    match sent.action:
        case "visit":
            return respond(await asyncio.to_thread(desk.visit, campaign_id, visit_id, sent.answers))
        case "letter":
            return respond(await asyncio.to_thread(desk.letter, campaign_id, visit_id))
        case "waive":
            await asyncio.to_thread(desk.waive, campaign_id, visit_id, sent.reason)
            return respond({"visit_id": visit_id, "problems": [], "case_id": None})
        case _:
            raise InputInvalid(field="action", detail=f"{sent.action!r}", how=f"use one of {', '.join(ACTIONS)}")


@router.post("/api/campaigns/{campaign_id}/close", openapi_extra=takes(CampaignEnd), **answers(CampaignState))
async def close(campaign_id: str, request: Request, use: Use, who: Who) -> Response:
    """End a campaign."""
    sent = await body(request, CampaignEnd)
    await asyncio.to_thread(CampaignDesk(use, who.actor).close, campaign_id, sent.reason)
    return respond({"campaign_id": campaign_id, "state": "closed"})
