"""Keys with which other platforms call the open interfaces: made, listed, revoked by an administrator."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import select, update

from core.errors import InputInvalid, NotFound
from dashboard.answers.office import KeyList, NewKeyShown
from dashboard.api.deps import Done, Use, Who, allow, answers, audit, must_be, respond, takes
from dashboard.api.params import body
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.people import ApiKey, User

router = APIRouter(tags=["interfaces"])

SCOPES = ("open311", "sensorthings", "sensorthings_write", "ogc")
PER_MINUTE = 120
FORMATS = {"json": "application/json", "xml": "text/xml"}


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/keys``: whose rights the key carries, and what it may be used for."""

    name: str
    user_id: str
    scope: str = "open311"


@router.get("/api/keys", dependencies=[allow("admin")], **answers(KeyList))
def keys(use: Use, who: Who) -> Response:
    """The keys of other platforms; never the keys themselves."""
    return respond({"items": key_list(use, who), "next": None})


def key_list(use: Services, who: Any) -> list[dict[str, Any]]:
    """The keys of other platforms; never the keys themselves."""
    must_be(who, "admin")
    query = select(ApiKey, User.login).join(User, User.user_id == ApiKey.user_id).order_by(ApiKey.created_at)
    with read_scope(use.engine) as session:
        return [
            {"name": k.name, "login": login, "scope": k.scope, "created_at": k.created_at, "revoked_at": k.revoked_at}
            for k, login in session.execute(query)
        ]


@router.post("/api/keys", dependencies=[allow("admin")], openapi_extra=takes(NewKey), **answers(NewKeyShown, 201))
async def make_key(request: Request, use: Use, who: Who) -> Response:
    """A new key; it stands in the answer, this once."""
    sent = await body(request, NewKey)
    return respond(await asyncio.to_thread(make_key_of, use, who, sent), 201)


def make_key_of(use: Services, who: Any, sent: NewKey) -> dict[str, Any]:
    """A new key; it stands in the answer, this once."""
    must_be(who, "admin")
    if sent.scope not in SCOPES:
        raise InputInvalid(field="scope", detail=f"{sent.scope!r} is unknown", how=f"use: {', '.join(SCOPES)}")
    if not 0 < len(sent.name.strip()) <= 80:
        raise InputInvalid(field="name", detail="is empty or too long", how="name the platform that will use it")
    key = secrets.token_urlsafe(32)
    with session_scope(use.engine) as session:
        if session.get(User, sent.user_id) is None:
            raise NotFound(what="user", key=sent.user_id)
        if session.scalar(select(ApiKey.name).where(ApiKey.name == sent.name)):
            raise InputInvalid(field="name", detail=f"{sent.name!r} is taken", how="choose another name")
        row = ApiKey(
            key_hash=_hash(key), name=sent.name, user_id=sent.user_id, scope=sent.scope, created_at=use.clock.now()
        )
        session.add(row)
        audit(session, use, who, "key_create", msgspec.to_builtins(sent))
    return {"name": sent.name, "scope": sent.scope, "key": key}


@router.delete("/api/keys/{name}", dependencies=[allow("admin")], **answers(Done))
def revoke_key(name: str, use: Use, who: Who) -> Response:
    """Take a key back, at once."""
    revoke(use, who, name)
    return respond({"ok": True})


def revoke(use: Services, who: Any, name: str) -> None:
    """Take a key back, at once."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        done = session.execute(
            update(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None)).values(revoked_at=use.clock.now())
            .returning(ApiKey.name)
        ).first()  # fmt: skip
        if done is None:
            raise NotFound(what="key", key=name)
        audit(session, use, who, "key_revoke", {"name": name})


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
