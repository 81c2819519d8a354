"""Benefits without application: rules and their state, simulation, switching, who gets what and why, refusals."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from dashboard.answers.benefits import (
    BenefitExplained,
    BenefitGrants,
    BenefitList,
    BenefitRefused,
    BenefitSimulated,
    BenefitState,
)
from dashboard.api.deps import EXPORT, Use, Who, answers, respond, sends, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.benefits.desk import BenefitDesk

router = APIRouter(tags=["benefits"])
CSV = "text/csv; charset=utf-8"
_simulating = asyncio.Semaphore(1)


class SimulationWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/benefits/{benefit_id}/simulation``: how many past periods."""

    periods: int = 12


class BenefitMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/benefits/{benefit_id}/state``: ask, confirm, refuse, on (alone, with a reason) or off."""

    action: str
    reason: str = ""


class RefusalNote(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST …/records/{record_id}/refusal``; ``all_benefits``: of any; ``end``: the person wants it after all.

    ``channel``: counter, phone, visit, case or letter.
    """

    reason: str
    channel: str = "counter"
    all_benefits: bool = False
    end: bool = False


class BenefitHandOver(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST …/files/{period}/handover``: what the list is for; ``whole``: with numbers in full."""

    reason: str
    whole: bool = False


class GrantFilters(Filters):
    """Which grants."""

    period: Text = Field("", description="e.g. 2026-11; the one that runs when left out")
    state: Literal["", "proposed", "confirmed", "rejected", "refused", "gone", "handed"] = ""
    limit: int = Field(200, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=1_000_000)


class ExplanationDay(Filters):
    """On which day."""

    day: date | None = Field(None, description="YYYY-MM-DD; today when left out")


@router.get("/api/benefits", **answers(BenefitList))
def listed(use: Use, who: Who) -> Response:
    """The benefits with rule, state, last simulation and the figures of the period that runs."""
    return respond({"items": BenefitDesk(use, who.actor).listed(), "next": None})


@router.post("/api/benefits/{benefit_id}/simulation", openapi_extra=takes(SimulationWish), **answers(BenefitSimulated))
async def simulate(benefit_id: str, request: Request, use: Use, who: Who) -> Response:
    """What the rule would have given over past periods, each record as it was then; one simulation at a time."""
    wish = await body(request, SimulationWish)
    async with _simulating:
        return respond(await asyncio.to_thread(BenefitDesk(use, who.actor).simulate, benefit_id, wish.periods))


@router.post("/api/benefits/{benefit_id}/state", openapi_extra=takes(BenefitMove), **answers(BenefitState))
async def move(benefit_id: str, request: Request, use: Use, who: Who) -> Response:
    """Ask for it to be switched on, confirm as somebody else, switch it off."""
    sent = await body(request, BenefitMove)
    done = await asyncio.to_thread(BenefitDesk(use, who.actor).move, benefit_id, sent.action, sent.reason)
    return respond(done)


@router.get("/api/benefits/{benefit_id}/grants", **answers(BenefitGrants))
def grants(benefit_id: str, asked: Annotated[GrantFilters, Query()], use: Use, who: Who) -> Response:
    """Who gets it in a period and why, for the department that pays."""
    desk = BenefitDesk(use, who.actor)
    items, total = desk.grants(benefit_id, asked.period, asked.state, asked.limit, asked.offset)
    return respond({"items": items, "total": total, "next": None})


@router.get("/api/benefits/{benefit_id}/records/{record_id}", **answers(BenefitExplained))
def explained(
    benefit_id: str, record_id: str, asked: Annotated[ExplanationDay, Query()], use: Use, who: Who
) -> Response:
    """Why a record is entitled on a day or not: every condition with what it saw; its periods and refusals."""
    return respond(BenefitDesk(use, who.actor).explained(benefit_id, record_id, asked.day))


@router.post(
    "/api/benefits/{benefit_id}/records/{record_id}/refusal", openapi_extra=takes(RefusalNote),
    **answers(BenefitRefused),
)  # fmt: skip
async def refusal(benefit_id: str, record_id: str, request: Request, use: Use, who: Who) -> Response:
    """Note that the person wants none, or that they want it after all."""
    sent = await body(request, RefusalNote)
    desk = BenefitDesk(use, who.actor)

    def note() -> dict[str, object]:
        return desk.refuse(
            benefit_id, record_id, sent.reason, sent.channel, all_benefits=sent.all_benefits, end=sent.end
        )

    return respond(await asyncio.to_thread(note))


@router.post(
    "/api/benefits/{benefit_id}/files/{period}/handover",
    dependencies=[EXPORT],
    openapi_extra=takes(BenefitHandOver),
    **sends(CSV),
)
async def hand_over(benefit_id: str, period: str, request: Request, use: Use, who: Who) -> Response:
    """The payer's list of a period that is over, each grant once."""
    sent = await body(request, BenefitHandOver)
    desk = BenefitDesk(use, who.actor)
    content = await asyncio.to_thread(desk.hand_over, benefit_id, period, sent.reason, sent.whole)
    name = "".join(c for c in f"{benefit_id}-{period}" if c.isascii() and (c.isalnum() or c in "-_"))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(content, media_type=CSV, headers=headers)
