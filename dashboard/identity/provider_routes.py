"""``/api/identity-provider``: what is set (never the secret), a change, a trial, taking it away."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from dashboard.api.deps import Done, Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.desk import sign_on
from dashboard.desk.sign_on import ProviderTrial, SignOnView, SignOnWish

router = APIRouter(tags=["identity"])
PATH = "/api/identity-provider"


@router.get(PATH, dependencies=[allow("security")], **answers(SignOnView))
def provider_state(use: Use, who: Who) -> Response:
    """The identity provider that is set, and the addresses to be registered there."""
    return respond(sign_on.state(use, who))


@router.put(PATH, dependencies=[allow("security")], openapi_extra=takes(SignOnWish), **answers(SignOnView))
async def provider_change(request: Request, use: Use, who: Who) -> Response:
    """Set it; taken up without a restart.  Asks for a confirmed login."""
    wish = await body(request, SignOnWish)
    return respond(await asyncio.to_thread(sign_on.change, use, who, wish))


@router.delete(PATH, dependencies=[allow("security")], **answers(Done))
def provider_remove(use: Use, who: Who) -> Response:
    """Take it away: people log in by password again."""
    sign_on.take_away(use, who)
    return respond(Done(ok=True))


@router.post(f"{PATH}/test", dependencies=[allow("security")], **answers(ProviderTrial))
async def provider_trial(use: Use, who: Who) -> Response:
    """Ask the provider for what a login needs; nobody is logged in."""
    return respond(await sign_on.trial(use, who))
