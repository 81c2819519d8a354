"""Log in, log out, who am I, one's own password."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid, YiwangError
from dashboard.answers.people import LoggedOut, Me, SignedIn
from dashboard.api.deps import Done, Use, Who, answers, respond, takes
from dashboard.api.params import body
from dashboard.errors import LoginFailed
from dashboard.login_limits import DEVICE_COOKIE, DEVICE_DAYS, device_cookie, known_device
from dashboard.security import COOKIE

router = APIRouter(tags=["session"])
_hashing = asyncio.Semaphore(2)  # 64 MiB each: a flood of logins must not take the machine's memory


def address_of(request: Request) -> str:
    """The client's address (behind trusted proxies what they say)."""
    return request.client.host if request.client else ""


class LoginBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/login``; ``code`` of the second factor where the account has one."""

    login: str
    password: str
    code: str = ""


class Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/me/confirm``."""

    password: str
    code: str = ""


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/me/password``."""

    old_password: str
    new_password: str


@router.post("/api/login", openapi_extra=takes(LoginBody), **answers(SignedIn))
async def log_in(request: Request, use: Use) -> Response:
    """Open a session: sets the cookie, answers the user and the CSRF token for later changes."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        # A form of another site cannot send this type without asking first.
        raise InputInvalid(field="content-type", detail="is not application/json", how="send JSON")
    sent = await body(request, LoginBody)
    if not sent.login or len(sent.login) > 60 or len(sent.password) > 200:
        raise InputInvalid(field="login", detail="is empty or too long", how="send a login and a password")
    config = use.identity.config if use.identity is not None else None
    if config is not None and not config.password_login and sent.login not in config.break_glass:
        raise LoginFailed()  # people log in over the identity provider
    address = address_of(request)
    secret = use.settings.session_secret
    device = known_device(secret, sent.login, request.cookies.get(DEVICE_COOKIE, ""))
    async with _hashing:
        agent = request.headers.get("user-agent", "")
        new = await asyncio.to_thread(
            use.accounts.log_in, sent.login, sent.password, address, agent, device, sent.code[:20]
        )
    response = respond({"user": new.principal.public(), "csrf_token": new.principal.csrf_token})
    response.set_cookie(
        COOKIE,
        new.secret,
        max_age=7 * 86400,
        httponly=True,
        samesite="lax",
        secure=use.settings.public_url.startswith("https://"),
        path="/",
    )
    if not device:  # this browser is known from now on: a flood of guesses elsewhere does not slow it
        response.set_cookie(
            DEVICE_COOKIE,
            device_cookie(secret, sent.login),
            max_age=DEVICE_DAYS * 86400,
            httponly=True,
            samesite="strict",
            secure=use.settings.public_url.startswith("https://"),
            path="/api/login",
        )
    return response


@router.post("/api/logout", **answers(LoggedOut))
async def log_out(use: Use, who: Who) -> Response:
    """End this session; where it came of the identity provider, ``logout_url`` ends the provider's own, too."""
    method = await asyncio.to_thread(use.accounts.method_of, who.session_hash)
    url = ""
    if use.identity is not None and method == "oidc":
        with contextlib.suppress(YiwangError):
            url = await use.identity.logout_url(f"{use.settings.public_url}/login")
    await asyncio.to_thread(use.accounts.log_out, who.session_hash)
    use.sessions.forget(who.actor.user_id)
    response = respond({"ok": True, "logout_url": url} if url else {"ok": True})
    response.delete_cookie(COOKIE, path="/")
    return response


@router.get("/api/me", **answers(Me))
async def me(who: Who) -> Response:
    """The signed-in person and the CSRF token."""
    return respond({"user": who.public(), "csrf_token": who.csrf_token, **who.public()})


@router.post("/api/me/confirm", openapi_extra=takes(Confirmation), **answers(Done))
async def confirm(request: Request, use: Use, who: Who) -> Response:
    """Prove again to be there: making administrators and exports ask for it after a quarter of an hour."""
    sent = await body(request, Confirmation)
    async with _hashing:
        await asyncio.to_thread(use.accounts.confirm, who, sent.password[:200], sent.code[:20], address_of(request))
    use.sessions.forget(who.actor.user_id)
    return respond({"ok": True})


@router.post("/api/me/password", openapi_extra=takes(NewPassword), **answers(Done))
async def change_password(request: Request, use: Use, who: Who) -> Response:
    """Set one's own password; the account's other sessions end."""
    sent = await body(request, NewPassword)
    async with _hashing:
        words = (sent.old_password, sent.new_password)
        await asyncio.to_thread(use.accounts.change_password, who, *words, address_of(request))
    use.sessions.forget(who.actor.user_id)
    return respond({"ok": True})
