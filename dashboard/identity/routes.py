"""Logins over the identity provider, its logouts, and which identity is which account."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import delete, select

from core.errors import NotFound, YiwangError
from dashboard.api.deps import Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.api.session import address_of
from dashboard.desk import identities as desk
from dashboard.desk.identities import IdentityView
from dashboard.identity import binding
from dashboard.identity.problems import NotBound, SignOnFailed
from dashboard.identity.provider import Provider, new_secret
from dashboard.security import COOKIE
from dashboard.services import Services
from events.evidence import audit_log
from storage.session import session_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.people import LoginSession

router = APIRouter(tags=["identity"])
STATE_COOKIE = "yiwang_sign_on"
STATE_S = 600
PATH = "/auth/oidc/"


class BackFrom(msgspec.Struct, frozen=True):
    """What the provider sends the browser back with."""

    state: str
    code: str
    iss: str
    error: str


class Subject(msgspec.Struct, forbid_unknown_fields=True):
    """The provider's number (``sub``) of the person."""

    subject: str


class IdentityList(msgspec.Struct):
    items: list[IdentityView]


class SignOnAbout(msgspec.Struct):
    """How people may log in here; ``oidc``: the button's words by language, null without a provider."""

    password: bool
    oidc: dict[str, str] | None


def _provider(use: Services) -> Provider:
    if use.identity is None:
        raise NotFound(what="identity provider", key="oidc.json")
    return use.identity


@router.get("/auth/oidc/about", **answers(SignOnAbout))
def about(use: Use) -> Response:
    """What the login page shows."""
    config = use.identity.config if use.identity is not None else None
    return respond(SignOnAbout(config.password_login if config else True, config.title if config else None))


@router.get("/auth/oidc/login", include_in_schema=False)
async def begin(use: Use, next: str = "/") -> Response:  # noqa: A002 - as every login page calls it
    """To the provider; what must come back is kept in a signed cookie of this browser for ten minutes."""
    provider = _provider(use)
    state, nonce, verifier = new_secret(), new_secret(), new_secret()
    kept = {
        "state": state, "nonce": nonce, "verifier": verifier, "until": int(time.time()) + STATE_S,
        "next": own_path(next),
    }  # fmt: skip
    url = await provider.authorize_url(state, nonce, verifier)
    answer = RedirectResponse(url, 303)
    secure = use.settings.public_url.startswith("https://")
    answer.set_cookie(
        STATE_COOKIE, sealed(use.settings.session_secret, kept), max_age=STATE_S, httponly=True, samesite="lax",
        secure=secure, path=PATH,
    )  # fmt: skip
    return answer


@router.get("/auth/oidc/callback", include_in_schema=False)
async def back(request: Request, use: Use, state: str = "", code: str = "", iss: str = "", error: str = "") -> Response:
    """From the provider: a session for the account that the identity is bound to; nobody is made."""
    try:
        secret, to = await _signed_on(request, use, BackFrom(state, code, iss, error[:80]))
    except YiwangError as refused:
        told = {"problem": refused.code}
        told |= {"subject": str(refused.data["subject"])} if isinstance(refused, NotBound) else {}
        answer: Response = RedirectResponse(f"/login?{urlencode(told)}", 303)
        answer.delete_cookie(STATE_COOKIE, path=PATH)
        return answer
    answer = RedirectResponse(to, 303)
    answer.delete_cookie(STATE_COOKIE, path=PATH)
    answer.set_cookie(
        COOKIE, secret, max_age=7 * 86400, httponly=True, samesite="lax",
        secure=use.settings.public_url.startswith("https://"), path="/",
    )  # fmt: skip
    return answer


async def _signed_on(request: Request, use: Services, got: BackFrom) -> tuple[str, str]:
    provider = _provider(use)
    kept = opened(use.settings.session_secret, request.cookies.get(STATE_COOKIE, ""))
    if kept is None or not hmac.compare_digest(str(kept["state"]).encode(), got.state.encode()):
        raise SignOnFailed(detail="it was not begun in this browser, or too long ago")
    if got.iss not in ("", provider.config.issuer):  # RFC 9207
        raise SignOnFailed(detail="another issuer answered")
    if got.error or not got.code:
        raise SignOnFailed(detail=got.error or "no code")
    claims = await provider.exchange(got.code, str(kept["verifier"]), str(kept["nonce"]))
    return await asyncio.to_thread(_open, use, request, claims), str(kept["next"])


def _open(use: Services, request: Request, claims: dict[str, Any]) -> str:
    config, now, address = _provider(use).config, use.clock.now(), address_of(request)
    try:
        with session_scope(use.engine) as session:
            user = binding.user_of(session, config, claims, now)
            return use.accounts.open_in(
                session, user.user_id, user.login, address, request.headers.get("user-agent", ""), method="oidc",
                issuer=config.issuer, provider_session=str(claims.get("sid") or ""),
                longest=timedelta(hours=config.session_hours),
            )  # fmt: skip
    except NotBound as error:
        with session_scope(use.engine) as session:
            content = {"issuer": config.issuer, "subject": error.data["subject"], "address": address[:60]}
            audit_log.append(session, audit_log.ACCESS_CHAIN, now, "system", "identity_unknown", content)
        raise


@router.post("/auth/oidc/backchannel", include_in_schema=False)
async def ended(request: Request, use: Use) -> Response:
    """The provider says that somebody logged out there: the sessions that came of it end here."""
    provider = _provider(use)
    form = parse_qs((await request.body())[:65_536].decode(errors="replace"))
    subject, provider_session = await provider.logged_out((form.get("logout_token") or [""])[0])
    await asyncio.to_thread(_end, use, provider.config.issuer, subject, provider_session)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


def _end(use: Services, issuer: str, subject: str, provider_session: str) -> None:
    with session_scope(use.engine) as session:
        which = LoginSession.provider_session == provider_session
        if not provider_session:
            bound = select(ExternalIdentity.user_id).where(
                ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject
            )
            which = LoginSession.user_id.in_(bound)
        gone = list(session.scalars(select(LoginSession).where(which, LoginSession.issuer == issuer)))
        for row in gone:
            content = {"address": row.address, "by": "identity provider"}
            audit_log.append(session, audit_log.ACCESS_CHAIN, use.clock.now(), row.user_id, "logout", content)
        hashes = [row.session_hash for row in gone]
        session.execute(delete(LoginSession).where(LoginSession.session_hash.in_(hashes)))
    for user_id in {row.user_id for row in gone}:
        use.sessions.forget(user_id)


@router.get("/api/users/{user_id}/identities", dependencies=[allow("security")], **answers(IdentityList))
def identities(user_id: str, use: Use, who: Who) -> Response:
    """The identities that are bound to an account."""
    return respond(IdentityList(desk.bound_to(use, who, user_id)))


@router.post(
    "/api/users/{user_id}/identities", dependencies=[allow("security")], openapi_extra=takes(Subject),
    **answers(IdentityView, 201),
)  # fmt: skip
async def bind_identity(user_id: str, request: Request, use: Use, who: Who) -> Response:
    """Bind an identity of the provider to an account."""
    sent = await body(request, Subject)
    return respond(desk.bind(use, who, user_id, sent.subject), 201)


@router.delete("/api/identities/{identity_id}", dependencies=[allow("security")], **answers(IdentityView))
def unbind(identity_id: str, use: Use, who: Who) -> Response:
    """Take a binding away; the sessions that came of it end."""
    return respond(desk.unbind(use, who, identity_id))


def own_path(wanted: str) -> str:
    """A path of our own, never a way to another host."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
    return wanted[:500] if plain and wanted.isprintable() else "/"


def sealed(secret: str, kept: dict[str, Any]) -> str:
    """``kept`` as a cookie that nobody else can write."""
    text = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode()
    return f"{text}.{_mark(secret, text)}"


def opened(secret: str, cookie: str) -> dict[str, Any] | None:
    """What :func:`sealed` made, while it is fresh."""
    text, _, mark = cookie.partition(".")
    if not text or not hmac.compare_digest(mark.encode(), _mark(secret, text).encode()):
        return None
    kept: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
    return kept if kept["until"] >= time.time() else None


def _mark(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), b"sign-on" + text.encode(), hashlib.sha256).hexdigest()
