"""``/api/connections``: connections to other platforms, for administrators."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from dashboard.answers.exchange import (
    ConnectionDetail,
    ConnectionKey,
    ConnectionList,
    ConnectionRow,
    ConnectionTest,
    ConnectionTrial,
)
from dashboard.api.deps import Done, Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.connections import desk, trial
from dashboard.connections.desk import NewConnection, Secrets, Version
from dashboard.connections.live import with_live
from dashboard.connections.trial import Trial

router = APIRouter(tags=["connections"])
ADMIN = [allow("admin")]


@router.get("/api/connections", dependencies=ADMIN, **answers(ConnectionList))
def connections(use: Use, who: Who) -> Response:
    """Every connection with its state, and the kinds that there are with their parameters."""
    rows = [with_live(use, row) for row in desk.connection_list(use, who)]
    return respond({"items": rows, "kinds": desk.kinds(who.language), "next": None})


@router.post("/api/connections", dependencies=ADMIN, openapi_extra=takes(NewConnection), **answers(ConnectionRow, 201))
async def make(request: Request, use: Use, who: Who) -> Response:
    """A new connection, switched off and empty."""
    sent = await body(request, NewConnection)
    return respond(await asyncio.to_thread(desk.make, use, who, sent), 201)


@router.get("/api/connections/{connection_id}", dependencies=ADMIN, **answers(ConnectionDetail))
def one(connection_id: str, use: Use, who: Who) -> Response:
    """One connection: its version in force, all versions, its runs, what it refused last."""
    return respond(with_live(use, desk.connection(use, who, connection_id), whole=True))


@router.put(
    "/api/connections/{connection_id}", dependencies=ADMIN, openapi_extra=takes(Version), **answers(ConnectionDetail)
)
async def save(connection_id: str, request: Request, use: Use, who: Who) -> Response:
    """Save a new version; it is in force within seconds, without a restart."""
    sent = await body(request, Version)
    return respond(await asyncio.to_thread(desk.save, use, who, connection_id, sent))


@router.delete("/api/connections/{connection_id}", dependencies=ADMIN, **answers(Done))
def remove(connection_id: str, use: Use, who: Who) -> Response:
    """Take a connection away; the cases of its orders stay."""
    desk.remove(use, who, connection_id)
    return respond({"ok": True})


@router.put(
    "/api/connections/{connection_id}/secrets", dependencies=ADMIN, openapi_extra=takes(Secrets),
    **answers(ConnectionRow),
)  # fmt: skip
async def keep_secrets(connection_id: str, request: Request, use: Use, who: Who) -> Response:
    """Set secrets; they are encrypted and never shown again."""
    sent = await body(request, Secrets)
    return respond(await asyncio.to_thread(desk.keep_secrets, use, who, connection_id, sent))


@router.post("/api/connections/{connection_id}/test", dependencies=ADMIN, **answers(ConnectionTest))
async def test(connection_id: str, use: Use, who: Who) -> Response:
    """Ask the sender once with the version in force; nothing is stored."""
    return respond(await trial.test(use, who, connection_id))


@router.post(
    "/api/connections/{connection_id}/try", dependencies=ADMIN, openapi_extra=takes(Trial), **answers(ConnectionTrial)
)
async def try_mapping(connection_id: str, request: Request, use: Use, who: Who) -> Response:
    """What a mapping makes of a sample: readings, events, orders, refusals; nothing is stored."""
    sent = await body(request, Trial)
    return respond(await asyncio.to_thread(trial.try_mapping, use, who, connection_id, sent))


@router.post("/api/connections/{connection_id}/on", dependencies=ADMIN, **answers(ConnectionRow))
def switch_on(connection_id: str, use: Use, who: Who) -> Response:
    """Switch on."""
    return respond(desk.switch(use, who, connection_id, True))


@router.post("/api/connections/{connection_id}/off", dependencies=ADMIN, **answers(ConnectionRow))
def switch_off(connection_id: str, use: Use, who: Who) -> Response:
    """Switch off; its sender is refused within seconds."""
    return respond(desk.switch(use, who, connection_id, False))


@router.post("/api/connections/{connection_id}/key", dependencies=ADMIN, **answers(ConnectionKey, 201))
def make_key(connection_id: str, use: Use, who: Who) -> Response:
    """A key for the sender, shown this once; the former one ends."""
    return respond(desk.make_key(use, who, connection_id), 201)


@router.delete("/api/connections/{connection_id}/key", dependencies=ADMIN, **answers(ConnectionRow))
def revoke_key(connection_id: str, use: Use, who: Who) -> Response:
    """End the key within seconds."""
    return respond(desk.revoke_key(use, who, connection_id))


@router.post(
    "/api/connections/{connection_id}/versions/{version}/restore", dependencies=ADMIN, **answers(ConnectionDetail)
)
def restore(connection_id: str, version: int, use: Use, who: Who) -> Response:
    """An earlier version again, as a new one."""
    return respond(desk.restore(use, who, connection_id, version))
