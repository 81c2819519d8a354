"""Web Push: the key that browsers subscribe with, and one's own subscriptions."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import delete, select

from core.errors import InputInvalid, NotFound
from dashboard.answers.people import SubscriptionId, Subscriptions
from dashboard.api.deps import Done, Use, Who, answers, respond, takes
from dashboard.api.params import body
from dashboard.auth import Principal
from dashboard.services import Services
from events.notify import push_encryption
from events.notify.channel import params_of
from storage.session import read_scope, session_scope
from storage.tables.people import LoginSession, PushSubscription

router = APIRouter(tags=["push"])

MAX_EACH = 10  # browsers a person; the one unused for longest goes


class PushKeys(msgspec.Struct, forbid_unknown_fields=True):
    """Keys of a subscription, base64url."""

    p256dh: str
    auth: str


class NewSubscription(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/push-subscriptions``: what the browser's ``PushSubscription.toJSON()`` gives."""

    endpoint: str
    keys: PushKeys
    expirationTime: float | None = None  # noqa: N815 - the browser's name


@router.get("/api/push-subscriptions", **answers(Subscriptions))
async def subscriptions(use: Use, who: Who) -> Response:
    """Whether Web Push is switched on, the VAPID public key, and one's own subscriptions."""
    return respond(await asyncio.to_thread(_list, use, who))


def _list(use: Services, who: Principal) -> dict[str, Any]:
    if params_of(use.settings, "web_push") is None:
        return {"enabled": False, "public_key": None, "items": [], "next": None}
    query = select(PushSubscription).where(PushSubscription.user_id == who.actor.user_id)
    with read_scope(use.engine) as session:
        items = [
            {
                "subscription_id": row.subscription_id,
                "service": urlsplit(row.endpoint).hostname,
                "user_agent": row.user_agent,
                "created_at": row.created_at,
                "last_used_at": row.last_used_at,
                "last_error": row.last_error,
            }
            for row in session.scalars(query.order_by(PushSubscription.created_at.desc()))
        ]
    key = push_encryption.base64url(push_encryption.public_bytes(push_encryption.server_key(use.settings.data_dir)))
    return {"enabled": True, "public_key": key, "items": items, "next": None}


@router.post("/api/push-subscriptions", openapi_extra=takes(NewSubscription), **answers(SubscriptionId, 201))
async def subscribe(request: Request, use: Use, who: Who) -> Response:
    """Let this browser be reached; sending it again changes nothing. It lasts as long as the session."""
    sent = await body(request, NewSubscription)
    agent = request.headers.get("user-agent", "")[:200]
    return respond({"subscription_id": await asyncio.to_thread(_subscribe, use, who, sent, agent)}, 201)


def _subscribe(use: Services, who: Principal, sent: NewSubscription, agent: str) -> str:
    params = params_of(use.settings, "web_push")
    if params is None:
        raise InputInvalid(field="web_push", detail="is not switched on here", how='add "web_push" to notify.json')
    push_encryption.check_endpoint(sent.endpoint, params.allow_private)
    push_encryption.browser_key(sent.keys.p256dh)
    push_encryption.browser_secret(sent.keys.auth)
    number = push_encryption.subscription_id(sent.endpoint)
    row = PushSubscription(
        subscription_id=number,
        user_id=who.actor.user_id,
        session_hash=who.session_hash,
        endpoint=sent.endpoint,
        p256dh=sent.keys.p256dh,
        auth=sent.keys.auth,
        user_agent=agent,
        created_at=use.clock.now(),
        last_error="",
    )
    with session_scope(use.engine) as session:
        session.merge(row)  # a phone that another person used before is now this one's
        session.flush()
        mine = select(PushSubscription.subscription_id).where(PushSubscription.user_id == who.actor.user_id)
        live = select(LoginSession.session_hash).where(LoginSession.user_id == who.actor.user_id)
        ended = PushSubscription.session_hash.not_in(live)
        session.execute(delete(PushSubscription).where(PushSubscription.user_id == who.actor.user_id, ended))
        extra = list(session.scalars(mine.order_by(PushSubscription.created_at.desc()).offset(MAX_EACH)))
        if extra:
            session.execute(delete(PushSubscription).where(PushSubscription.subscription_id.in_(extra)))
    return number


@router.delete("/api/push-subscriptions/{subscription_id}", **answers(Done))
async def unsubscribe(subscription_id: str, use: Use, who: Who) -> Response:
    """Take one of one's own subscriptions back."""
    await asyncio.to_thread(_unsubscribe, use, who, subscription_id)
    return respond({"ok": True})


def _unsubscribe(use: Services, who: Principal, subscription_id: str) -> None:
    mine = PushSubscription.user_id == who.actor.user_id
    with session_scope(use.engine) as session:
        done = session.execute(
            delete(PushSubscription)
            .where(mine, PushSubscription.subscription_id == subscription_id)
            .returning(PushSubscription.subscription_id)
        ).first()
        if done is None:
            raise NotFound(what="push subscription", key=subscription_id)
