"""Accounts in one go from a table, invitations by one-time code, and the first password that goes with one."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from core.errors import InputInvalid
from dashboard import login_limits
from dashboard.accounts.batch import Batch
from dashboard.accounts.invitations import InvitationRefused, redeem
from dashboard.accounts.users import password_matches
from dashboard.answers.people import FactorSecret, FactorState, InvitationCode, LoginName
from dashboard.api.deps import Done, Use, Who, allow, answers, audit, respond, takes, takes_file
from dashboard.api.filters import Filters
from dashboard.api.params import body
from dashboard.api.session import address_of
from dashboard.desk import people
from dashboard.services import Services
from events.evidence.audit_log import SYSTEM_CHAIN, append
from storage.session import read_scope, session_scope
from storage.tables.people import User

router = APIRouter(tags=["accounts"])
MAX_BYTES = 20 << 20
_DOOR = "(invitation)"  # how tries of codes are counted at the door
_hashing = asyncio.Semaphore(2)


class Redeem(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/invitations/redeem``."""

    code: str
    password: str


class DryRun(Filters):
    """Whether a file is only checked."""

    dry_run: bool = Field(False, description="only check")


@router.post(
    "/api/import/users",
    dependencies=[allow("security")],
    openapi_extra=takes_file("multipart/form-data"),
    **answers(Batch, 201, 200),
)
async def import_users(request: Request, asked: Annotated[DryRun, Query()], use: Use, who: Who) -> Response:
    """Accounts from a table: multipart field ``file`` with columns login, name, roles, department, division, phone.

    ``dry_run`` true only checks.  Every problem stands with its row; the good rows become accounts, each with an
    invitation code that is shown this once.  Logins that exist are left as they are.
    """
    try:
        form = await request.form(max_files=1, max_fields=4)
    except MultiPartException as error:
        raise InputInvalid(field="file", detail=error.message, how="send multipart/form-data") from error
    file: Any = form.get("file")
    if not isinstance(file, UploadFile):
        raise InputInvalid(field="file", detail="is missing", how="send multipart/form-data with a field named file")
    data = await file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputInvalid(field="file", detail="is larger than 20 MB", how="split it")
    dry = asked.dry_run
    name = file.filename or "table"
    made = await asyncio.to_thread(lambda: people.import_users(use, who, data, name, dry_run=dry))
    return respond(made, 200 if dry else 201)


@router.post("/api/users/{user_id}/invitation", dependencies=[allow("security")], **answers(InvitationCode, 201))
async def invite_user(user_id: str, use: Use, who: Who) -> Response:
    """A one-time code for a person, shown this once, valid for 14 days; earlier codes of the person end."""

    code = await asyncio.to_thread(people.invite_user, use, who, user_id)
    link = people.invitation_link(use, code)
    return respond({"user_id": user_id, "code": code, "link": link}, 201)


@router.post("/api/invitations/redeem", openapi_extra=takes(Redeem), **answers(LoginName))
async def redeem_code(request: Request, use: Use) -> Response:
    """Set one's first password with an invitation's code; answers the login.  Guessing is slowed as at the door."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise InputInvalid(field="content-type", detail="is not application/json", how="send JSON")
    sent = await body(request, Redeem)
    if len(sent.code) > 60 or len(sent.password) > 200:
        raise InputInvalid(field="code", detail="is too long", how="type the code as it was given")
    async with _hashing:
        login = await asyncio.to_thread(_redeem, use, sent, address_of(request))
    return respond({"login": login})


def _redeem(use: Services, sent: Redeem, address: str) -> str:
    now = use.clock.now()
    login_limits.check(use.engine, _DOOR, address, "", now)
    try:
        with session_scope(use.engine) as session:
            user = redeem(session, sent.code, sent.password, now)
            append(session, SYSTEM_CHAIN, now, user.user_id, "invitation_redeem", {"address": address[:60]})
            login = user.login
    except InvitationRefused:
        use.accounts.door.failed(_DOOR, address, "", now)
        raise
    use.sessions.forget(user.user_id)
    return login


class Password(msgspec.Struct, forbid_unknown_fields=True):
    """One's own password, asked again before the second factor changes."""

    password: str


class Code(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the second factor."""

    code: str


async def _ask_again(request: Request, use: Services, who: Any) -> None:
    """The person's own password, typed anew; guessing it counts as at the door."""
    sent = await body(request, Password)
    address, now = address_of(request), use.clock.now()
    async with _hashing:
        right = await asyncio.to_thread(_is_own, use, who, sent.password, address)
    if not right:
        await asyncio.to_thread(use.accounts.door.failed, who.login, address, "", now, "password_guess")
        raise InputInvalid(field="password", detail="is wrong", how="type the password you logged in with")


def _is_own(use: Services, who: Any, password: str, address: str) -> bool:
    login_limits.check(use.engine, who.login, address, "", use.clock.now())
    with read_scope(use.engine) as session:
        user = session.get(User, who.actor.user_id)
        stored = user.password_hash if user is not None else ""
    return password_matches(stored, password)


@router.get("/api/me/second-factor", **answers(FactorState))
async def second_factor(use: Use, who: Who) -> Response:
    """Whether a code is asked for at my login."""
    return respond({"on": await asyncio.to_thread(use.accounts.second.wanted, who.actor.user_id)})


@router.post("/api/me/second-factor", openapi_extra=takes(Password), **answers(FactorSecret, 201))
async def begin_second_factor(request: Request, use: Use, who: Who) -> Response:
    """A secret for my authenticator app (also as ``otpauth:`` address for a QR code); it counts once confirmed."""
    await _ask_again(request, use, who)
    return respond(await asyncio.to_thread(use.accounts.second.begin, who.actor.user_id, who.login), 201)


@router.post("/api/me/second-factor/confirm", openapi_extra=takes(Code), **answers(Done))
async def confirm_second_factor(request: Request, use: Use, who: Who) -> Response:
    """Switch the second factor on with a code that the app shows."""
    sent = await body(request, Code)
    if not await asyncio.to_thread(use.accounts.second.confirm, who.actor.user_id, sent.code, use.clock.now()):
        raise InputInvalid(field="code", detail="is not right", how="type the code that the app shows now")
    await asyncio.to_thread(_told, use, who, "second_factor_on", who.actor.user_id)
    return respond({"ok": True})


@router.post("/api/me/second-factor/remove", openapi_extra=takes(Password), **answers(Done))
async def remove_second_factor(request: Request, use: Use, who: Who) -> Response:
    """Ask for no code any more."""
    await _ask_again(request, use, who)
    await asyncio.to_thread(_removed, use, who, who.actor.user_id)
    return respond({"ok": True})


@router.delete("/api/users/{user_id}/second-factor", dependencies=[allow("security")], **answers(Done))
async def reset_second_factor(user_id: str, use: Use, who: Who) -> Response:
    """A lost authenticator: the person logs in without a code and sets up a new one."""
    await asyncio.to_thread(_removed, use, who, user_id)
    return respond({"ok": True})


def _removed(use: Services, who: Any, user_id: str) -> None:
    use.accounts.second.remove(user_id)
    _told(use, who, "second_factor_off", user_id)


def _told(use: Services, who: Any, action: str, user_id: str) -> None:
    with session_scope(use.engine) as session:
        audit(session, use, who, action, {"user_id": user_id})
