"""Security headers on every answer of the web process (pure ASGI, so that streams pass untouched)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_policy(script_hashes: Iterable[str]) -> str:
    """The Content-Security-Policy: everything from ourselves, inline scripts only by hash.

    Styles need ``unsafe-inline`` (Dash and Mantine set style attributes); ``blob:`` is camera video and previews.
    """
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'"


class SecurityHeaders:
    """Adds the headers unless a route set its own; ``policy`` is asked late, when all callbacks are known."""

    def __init__(self, app: ASGIApp, policy: Callable[[], str]) -> None:
        self.app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(self), microphone=()")
                kind = headers.get("content-type", "")
                if kind.startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", self._policy())
                    headers.setdefault("Cache-Control", "no-store")
                elif kind.startswith("text/javascript"):
                    # A worker lives under the policy of its own script: the map's fetches tiles, the phone's its shell.
                    headers.setdefault("Content-Security-Policy", WORKER_POLICY)
            await send(message)

        await self.app(scope, receive, with_headers)
