"""Accounts in one go from a table, invitations by one-time code, and the first password that goes with one."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from core.errors import InputInvalid, NotFound
from dashboard import login_limits
from dashboard.accounts import batch
from dashboard.accounts.invitations import InvitationRefused, invite, redeem
from dashboard.api.deps import Use, Who, allow, audit, respond, takes
from dashboard.api.params import body, yesno
from dashboard.api.session import address_of
from dashboard.services import Services
from events.evidence.audit_log import SYSTEM_CHAIN, append
from storage.session import session_scope
from storage.tables.people import User

router = APIRouter(tags=["accounts"])
MAX_BYTES = 20 << 20
_DOOR = "(invitation)"  # how tries of codes are counted at the door
_hashing = asyncio.Semaphore(2)


class Redeem(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/invitations/redeem``."""

    code: str
    password: str


@router.post("/api/import/users", dependencies=[allow("admin")])
async def import_users(request: Request, use: Use, who: Who) -> Response:
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
    dry = bool(yesno(request.query_params, "dry_run"))
    made = await asyncio.to_thread(_import, use, who, data, file.filename or "table", dry)
    return respond(made, 200 if dry else 201)


def _import(use: Services, who: Any, data: bytes, name: str, dry: bool) -> batch.Batch:
    with session_scope(use.engine) as session:
        made = batch.import_accounts(
            session, io.BytesIO(data), name, who.actor.user_id, use.clock.now(), dry_run=dry, language=who.language
        )
        if not dry:
            note = {"file": name, "created": len(made.created), "problems": len(made.problems)}
            audit(session, use, who, "users_import", note)
        return made


@router.post("/api/users/{user_id}/invitation", dependencies=[allow("admin")])
async def invite_user(user_id: str, use: Use, who: Who) -> Response:
    """A one-time code for a person, shown this once, valid for 14 days; earlier codes of the person end."""

    def write() -> str:
        with session_scope(use.engine) as session:
            user = session.get(User, user_id)
            if user is None:
                raise NotFound(what="user", key=user_id)
            audit(session, use, who, "user_invite", {"user_id": user_id})
            return invite(session, user, who.actor.user_id, use.clock.now())

    code = await asyncio.to_thread(write)
    link = f"{use.settings.public_url}/m#/invitation/{code}"
    return respond({"user_id": user_id, "code": code, "link": link}, 201)


@router.post("/api/invitations/redeem", openapi_extra=takes(Redeem))
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
        use.accounts.failed(_DOOR, address, "", now)
        raise
    use.sessions.forget(user.user_id)
    return login
