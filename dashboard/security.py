"""The gate in front of every route: session, CSRF, origin, body size, headers.  Pure ASGI, default deny.

What needs no session is listed in ``OPEN``; everything else, also what other code mounts, is refused without one.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Forbidden, YiwangError
from dashboard.auth import Accounts, Principal
from dashboard.errors import (
    BodyTooLarge,
    CsrfRefused,
    HostUnknown,
    NotSignedIn,
    PasswordChangeRequired,
    WrongPerson,
    body_of,
    retry_headers,
    status_of,
)
from storage.availability import as_typed

COOKIE = "yiwang_session"
OPEN = frozenset(
    {
        "/login",
        "/m",
        "/favicon.ico",
        "/healthz",
        "/livez",
        "/api/login",
        "/api/invitations/redeem",
        "/ogc",
        "/stac",
        "/pilot",
    }
)
# interfaces check keys themselves
OPEN_BELOW = (
    "/static/",
    "/m/",
    "/auth/oidc/",
    "/open311/",
    "/api/sensorthings/",
    "/ogc/",
    "/stac/",
    "/share/v1/",
    "/manage/api/v1/",
    "/media/api/v1/",
    "/storage/api/v1/",
    "/wayline/api/v1/",
    "/map/api/v1/",
)
PASSWORD_PATHS = frozenset({"/api/me", "/api/me/password", "/api/logout"})  # all that a first password opens
PROBES = frozenset({"/healthz", "/livez"})  # asked from inside, by address
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_LIMIT = 1 << 20
UPLOAD_LIMIT = 24 << 20
RESUMABLE_LIMIT = 16 << 30
CACHE_S = 5.0  # a closed account or a changed role bites after this many seconds at the latest
CACHE_SIZE = 4096
EXTENSION = "yiwang.connection"  # of the server (dashboard/sockets.py)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class SessionCache:
    """Principals by cookie for ``CACHE_S`` seconds: a map page asks for dozens of tiles at once."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._kept: dict[str, tuple[float, Principal]] = {}

    async def principal(self, secret: str) -> Principal | None:
        """Whom the cookie stands for; unknown cookies are never kept."""
        known = self._kept.get(secret)
        if known and known[0] > time.monotonic():
            return known[1]
        principal = await asyncio.to_thread(self._accounts.principal, secret)
        self._kept.pop(secret, None)
        if principal is not None:
            if len(self._kept) >= CACHE_SIZE:
                self._kept.pop(next(iter(self._kept)))
            self._kept[secret] = (time.monotonic() + CACHE_S, principal)
        return principal

    def forget(self, user_id: str | None = None) -> None:
        """Drop one user's entries, or all."""
        self._kept = {k: v for k, v in self._kept.items() if user_id and v[1].actor.user_id != user_id}


def is_open(path: str) -> bool:
    """Needs no session."""
    return path in OPEN or path.startswith(OPEN_BELOW)


class Gate:
    """Refuses what has no session, a foreign origin or no CSRF token; puts the principal into ``scope["state"]``."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: SessionCache,
        body_limit: Callable[[str], int],
        room: Callable[[], None] = lambda: None,
        hosts: str = "",
        public_url: str = "",
    ) -> None:
        self.app = app
        self._room = room
        self._hosts = frozenset(h.strip().lower() for h in hosts.split(",") if h.strip())
        self._https = public_url.startswith("https://")
        self._sessions = sessions
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(headers, scope["path"])
            principal = await self._principal(headers)
            scope.setdefault("state", {})["principal"] = principal
            if principal is not None and EXTENSION in scope.get("extensions", {}):
                scope["extensions"][EXTENSION]["sign_in"]()  # its connection has a budget of its own
            self._check(scope, headers, principal)
            if scope["type"] == "http" and scope["method"] not in SAFE and self._body_limit(scope["path"]) > BODY_LIMIT:
                await asyncio.to_thread(self._room)
        except YiwangError as error:
            await _refuse(scope, receive, send, error)
            return
        except SQLAlchemyError as error:
            typed = as_typed(error)
            if typed is None:
                raise
            await _refuse(scope, receive, send, typed)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        limit = self._body_limit(scope["path"])
        await self.app(scope, _bounded(receive, limit), _with_headers(scope, send, self._https))

    def _check_host(self, headers: Headers, path: str) -> None:
        """Only names that are ours: a page of another name that was pointed at us (DNS rebinding) gets nothing."""
        if self._hosts and path not in PROBES:
            try:
                name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
            except ValueError:
                name = ""
            if name.lower() not in self._hosts:
                raise HostUnknown()

    async def _principal(self, headers: Headers) -> Principal | None:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None
        if cookie is None or not 20 <= len(cookie.value) <= 100:
            return None
        return await self._sessions.principal(cookie.value)

    def _check(self, scope: Scope, headers: Headers, principal: Principal | None) -> None:
        path, websocket = scope["path"], scope["type"] == "websocket"
        method = "GET" if websocket else scope["method"]
        if websocket or method not in SAFE:
            _same_origin(headers)
        if is_open(path):
            return
        if principal is None:
            raise NotSignedIn()
        if method not in SAFE and not path.startswith("/_dash"):
            token = headers.get("x-csrf-token", "")
            if not hmac.compare_digest(token.encode(), principal.csrf_token.encode()):
                raise CsrfRefused()
        acting = headers.get("x-acting-user")
        if acting is not None and acting != principal.actor.user_id:
            raise WrongPerson()  # what one person queued on a shared phone is never sent as another
        if principal.must_change_password and path not in PASSWORD_PATHS:
            raise PasswordChangeRequired()
        length = headers.get("content-length", "0")
        limit = self._body_limit(path)
        if not length.isdigit() or int(length) > limit:
            raise BodyTooLarge(limit_bytes=limit)


def _same_origin(headers: Headers) -> None:
    """A browser names the page's origin on every change and every WebSocket: it must be ours."""
    origin = headers.get("origin")
    if origin is None:
        return  # not a browser; the CSRF token is asked for all the same
    try:
        named = urlsplit(origin).netloc
    except ValueError:
        named = ""
    if named != headers.get("host", ""):
        raise Forbidden(action="send this from another site")


def _bounded(receive: Receive, limit: int) -> Receive:
    """A body without Content-Length is counted as it comes."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise BodyTooLarge(limit_bytes=limit)
        return message

    return counted


def _with_headers(scope: Scope, send: Send, https: bool = False) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("X-Frame-Options", "DENY")
            if https or scope.get("scheme") == "https":
                headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
            headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            if not headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("Content-Security-Policy", API_POLICY)
            if scope["path"].startswith("/api/"):
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, error: YiwangError) -> None:
    path = scope["path"]
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4401 if isinstance(error, NotSignedIn) else 4403})
        return
    sending = _with_headers(scope, send)
    page = scope["method"] == "GET" and not path.startswith(("/api/", "/_dash", "/tiles/", "/media/", "/metrics"))
    if isinstance(error, NotSignedIn | PasswordChangeRequired) and page:
        query = scope.get("query_string", b"").decode("latin-1")
        target = quote(path + (f"?{query}" if query else ""), safe="/")
        headers = [(b"location", f"/login?next={target}".encode()), (b"content-length", b"0")]
        await sending({"type": "http.response.start", "status": 303, "headers": headers})
        await sending({"type": "http.response.body", "body": b""})
        return
    accept = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    body = json.dumps(body_of(error, accept), ensure_ascii=False).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    head += [(name.encode(), value.encode()) for name, value in (retry_headers(error) or {}).items()]
    await sending({"type": "http.response.start", "status": status_of(error), "headers": head})
    await sending({"type": "http.response.body", "body": body})
