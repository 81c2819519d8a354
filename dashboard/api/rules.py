"""Rules: edit one, write a new one, take one away; the plug-ins and their parameters."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from dashboard.answers.duty import RuleList, RuleRow, RuleTrial
from dashboard.api.deps import CENTRE, Done, Use, Who, allow, answers, respond, takes
from dashboard.api.params import body, decode
from dashboard.desk.rules import TRIED_BY, RuleBody, SimulateBody, remove_rule, rule_list, save_rule, try_rule

router = APIRouter(tags=["rules"])


@router.get("/api/rules", dependencies=[allow(*CENTRE)], **answers(RuleList))
def rules(use: Use, who: Who) -> Response:
    """The rules in force, the kinds there are with their parameters, and the happenings a rule may name."""
    return respond(rule_list(use, who))


_simulating = asyncio.Semaphore(1)  # a replay reads half a million rows: one at a time


@router.post(
    "/api/rules/simulate", dependencies=[allow(*TRIED_BY)], openapi_extra=takes(SimulateBody), **answers(RuleTrial)
)
async def try_out(request: Request, use: Use, who: Who) -> Response:
    """Replay a past period through the rules and say which cases would have opened and gone where; writes nothing."""
    raw = await body(request, dict[str, Any])
    inner = raw.get("rule")
    if isinstance(inner, dict) and "rule_id" in inner:
        raw["rule_id"] = inner["rule_id"]
    sent = decode(SimulateBody, msgspec.json.encode(raw))
    async with _simulating:
        return respond(await asyncio.to_thread(try_rule, use, who, sent))


@router.put("/api/rules/{rule_id}", dependencies=[allow("admin")], openapi_extra=takes(RuleBody), **answers(RuleRow))
async def save(rule_id: str, request: Request, use: Use, who: Who) -> Response:
    """Write the whole rule (a new id makes a new rule); the worker follows within seconds.

    ``version``, when sent, must be the one in force: two editors do not overwrite each other.
    """
    sent = await body(request, RuleBody)
    return respond(await asyncio.to_thread(save_rule, use, who, rule_id, sent))


@router.delete("/api/rules/{rule_id}", dependencies=[allow("admin")], **answers(Done))
def remove(rule_id: str, use: Use, who: Who) -> Response:
    """Take a rule out of force; one that we ship is switched off, because it would come back."""
    remove_rule(use, who, rule_id)
    return respond({"ok": True})
