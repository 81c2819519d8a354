"""The Dash pages as one ASGI application that is built when somebody opens the first of them.

Dash, plotly and the components take a second and a hundred megabytes: a process that only feeds walls, phones and other
platforms never pays for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from dashboard.pages.asked import asked
from dashboard.pages.files.suites import ADDRESS, Suites
from dashboard.security import is_open

CALLBACKS = "/_dash"


class DeskRoom:
    """Answers every page that no route before it took, with the services and the error answers of ``outer``."""

    def __init__(self, outer: FastAPI, suites: Suites) -> None:
        self._outer = outer
        self._suites = suites
        self._lock = threading.Lock()
        self._inner: FastAPI | None = None
        self._hashes: Callable[[], list[str]] = list

    def script_hashes(self) -> list[str]:
        """What the content policy must allow for Dash's inline scripts; nothing before Dash is there."""
        return list(dict.fromkeys(self._hashes()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_open(scope["path"]):  # below an interface without a session; there are no pages
            raise HTTPException(404, "Not Found")
        if scope["type"] == "http" and scope["method"] != "GET" and not scope["path"].startswith(CALLBACKS):
            await PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET"})(scope, receive, send)
            return
        if scope["path"].startswith(ADDRESS) and (answer := self._library(scope)) is not None:
            await answer(scope, receive, send)
            return
        inner = self._inner
        if inner is None:
            inner = await asyncio.to_thread(self._built)
        token = asked.set(Request(scope)) if scope["type"] == "http" else None
        try:
            await inner(scope, receive, send)
        finally:
            if token is not None:
                asked.reset(token)

    def _library(self, scope: Scope) -> FileResponse | None:
        found = self._suites.find(scope["path"], Headers(scope=scope).get("accept-encoding", ""))
        return found and FileResponse(found[0], headers=found[1], media_type="text/javascript")

    def _built(self) -> FastAPI:
        """Build it once; requests that come meanwhile wait in their threads."""
        with self._lock:
            if self._inner is None:
                from dashboard.pages.dash_app import build

                handlers: dict[Any, Any] = dict(self._outer.exception_handlers)
                inner = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, exception_handlers=handlers)
                inner.state = self._outer.state
                self._hashes = build(inner).csp_hashes
                asyncio.run(_start(inner))
                self._inner = inner
            return self._inner


async def _start(app: FastAPI) -> None:
    """Dash lays its last route when a server starts its application; the outer one started long ago."""
    messages: Iterator[Message] = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(messages)

    async def send(_message: Message) -> None:
        return None

    await app({"type": "lifespan", "app": app, "state": {}}, receive, send)
