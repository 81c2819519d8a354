"""The outside door's own web application: ``/h`` and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from core.errors import YiwangError
from dashboard.client_address import ClientAddress, Proxies
from dashboard.outside import limits, routes, site_files
from dashboard.outside.counter import Counter
from dashboard.outside.doors.bus import BusDoor
from dashboard.outside.problems import STATUS, DoorClosed
from dashboard.outside.settings import OutsideSettings
from dashboard.outside.wire import Door

log = logging.getLogger("yiwang.outside")
TELL_S = 60.0

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:",
        "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
}


def door_of(settings: OutsideSettings) -> Door:
    """The way in that the settings name."""
    if settings.database_url:
        from dashboard.outside.doors.database import DatabaseDoor

        return DatabaseDoor(settings)
    return BusDoor(settings)


def create_outside_app(settings: OutsideSettings, door: Door | None = None) -> FastAPI:
    """The application; ``door`` for tests."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    app.state.counter = Counter(door or door_of(settings), settings.secret)
    app.include_router(routes.router)
    app.include_router(site_files.router)
    app.middleware("http")(_guarded)
    app.add_exception_handler(YiwangError, _refused)
    app.add_exception_handler(HTTPException, _plain)
    app.add_middleware(ClientAddress, proxies=Proxies.parse(settings.proxies))
    app.state.secure = settings.url.startswith("https://")
    return app


async def _guarded(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Rates by address, and the headers of every answer."""
    counter: Counter = request.app.state.counter
    try:
        if request.url.path.startswith("/h/api/"):
            counter.rates.take("requests", limits.REQUESTS, routes.address_of(request))
        elif request.url.path != "/healthz":
            counter.files.take("files", limits.FILES, routes.address_of(request))
        answer = await call_next(request)
    except YiwangError as error:
        answer = _page_of(error) if request.url.path in ("/", "/h", "/h/") else _answer(error)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.app.state.secure:
        answer.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.url.path.startswith("/h/api/"):
        answer.headers["Cache-Control"] = "no-store"
    return answer


async def _refused(request: Request, error: Exception) -> Response:
    return _answer(error)


async def _plain(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    body = {"error": "not_found" if status == 404 else "refused", "message": "there is nothing here"}
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _answer(error: Exception) -> Response:
    assert isinstance(error, YiwangError)
    body = error.as_dict()
    headers = {"Retry-After": str(body["retry_after_s"])} if "retry_after_s" in body else {}
    status = STATUS.get(error.code, 422)
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _page_of(error: YiwangError) -> Response:
    """Who opens the page too often reads it in words."""
    waits = int(error.data.get("retry_after_s", 60))
    text = f"访问过于频繁，请 {waits} 秒后再试。紧急情况请拨打 110、119、120。"
    text += f"<br>Too many visits, try again in {waits} seconds. In danger of life call 110, 119 or 120."
    body = f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><p>{text}</p>'
    return Response(body, 429, {"Retry-After": str(waits)}, media_type="text/html; charset=utf-8")


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    counter: Counter = app.state.counter
    telling = asyncio.create_task(_tell(counter))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await counter.door.close()


async def _tell(counter: Counter) -> None:
    while True:
        await asyncio.sleep(TELL_S)
        with contextlib.suppress(DoorClosed):
            await counter.tell_guesses()
