"""The web process: REST, live push, tiles, media, video, and the pages on top."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse

from core.clock import Clock, SystemClock
from core.disk import is_no_room, is_read_only
from core.errors import InputInvalid, StorageBusy, StorageFull, YiwangError
from core.media import MediaStore
from core.settings import Settings
from dashboard.accounts.confirming import ConfirmationRequired
from dashboard.api.deps import respond
from dashboard.auth import Accounts
from dashboard.client_address import ClientAddress, Proxies
from dashboard.errors import body_of, retry_headers, status_of
from dashboard.health import Health
from dashboard.identity.sign_on import SignOn
from dashboard.live import LiveHub
from dashboard.rooms.listed import add_rooms
from dashboard.security import BODY_LIMIT, RESUMABLE_LIMIT, UPLOAD_LIMIT, Gate, SessionCache
from dashboard.services import Services
from dashboard.videowall.rooms import VideoRooms
from layers.tiles import load_tilesets
from storage.availability import RETRY_AFTER_S, as_typed
from storage.session import make_engine

log = logging.getLogger("yiwang.web")

BUSY_S = 3.0  # a person who saves something while the database is locked is told after this long

_ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_app(settings: Settings, clock: Clock | None = None, *, pages: bool = True, late: bool = False) -> FastAPI:
    """The application; ``pages`` False leaves out the pages (tests of the API).

    ``late``: modules of routes are imported when they are first asked for (the web process), else at once.

    The gate stands in front of everything, also of what the pages mount: default deny.
    """
    services = make_services(settings, clock or SystemClock())
    app = FastAPI(
        title="Yiwang 一网统管",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.services = services
    add_rooms(app, late=late)
    app.api_route("/api/{path:path}", methods=_ALL, include_in_schema=False)(_unknown)
    _handle_errors(app)
    if pages:
        from dashboard.pages.mount import mount

        mount(app)
    app.add_middleware(
        Gate,
        sessions=services.sessions,
        body_limit=_body_limit,
        room=services.health.check_room,
        hosts=settings.allowed_hosts,
        public_url=settings.public_url,
    )
    app.add_middleware(ClientAddress, proxies=Proxies.parse(settings.trusted_proxies))
    return app


def make_services(settings: Settings, clock: Clock) -> Services:
    """Everything the routes share; opens the database, nothing else."""
    engine = make_engine(settings.database_url, busy_s=BUSY_S)
    accounts = Accounts(engine, clock, settings.session_secret, separate=settings.separate_admins)
    hub = LiveHub(settings, engine, clock)
    return Services(
        settings=settings,
        engine=engine,
        clock=clock,
        accounts=accounts,
        sessions=SessionCache(accounts),
        media=MediaStore(settings.media_url),
        hub=hub,
        health=Health(settings, engine, clock, hub),
        video=VideoRooms(settings.video_past_s),
        tilesets=load_tilesets(settings.tiles_dir),
        sign_on=SignOn(settings),
    )


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    watched = (
        lambda: services.forms, lambda: services.city, lambda: _inbox(services), lambda: _lineage(services),
    )  # fmt: skip
    jobs = (services.hub.run(), services.health.run(), *(_watch(make) for make in watched))
    tasks = [asyncio.create_task(job) for job in jobs]
    for task in tasks:
        task.add_done_callback(_say_end)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        services.video.close()
        services.engine.dispose()


async def _watch(make: Callable[[], Any]) -> None:
    """Run a watcher of files; its modules are loaded beside the first requests."""
    watcher = await asyncio.to_thread(make)
    await watcher.run()


def _inbox(services: Services) -> Any:
    from dashboard.drones.inbox import Inbox

    return Inbox(services, services.settings)


def _lineage(services: Services) -> Any:
    from dashboard.catalogue.lineage_keeper import LineageKeeper

    return LineageKeeper(services.engine, services.hub, services.clock)


def _say_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("a background task ended: %s", task.exception(), exc_info=task.exception())


def _body_limit(path: str) -> int:
    """Bytes that a request to ``path`` may carry."""
    if path.startswith("/api/uploads"):
        return RESUMABLE_LIMIT  # written through, never held; each upload checks its own length
    large = path.endswith(("/attachments", "/sheet", "/template")) or path.startswith(
        ("/api/import", "/api/registers/", "/open311/v2/requests")
    )
    return UPLOAD_LIMIT if large else BODY_LIMIT


async def _unknown(path: str) -> Response:
    return respond({"error": "not_found", "message": f"there is no /api/{path}", "remedy": "see docs/api.md"}, 404)


def _handle_errors(app: FastAPI) -> None:
    app.add_exception_handler(YiwangError, _typed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(OverflowError, _too_large)
    app.add_exception_handler(DataError, _too_large)
    app.add_exception_handler(DBAPIError, _stored_nothing)
    app.add_exception_handler(PoolTimeout, _stored_nothing)
    app.add_exception_handler(OSError, _stored_nothing)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broken)


async def _typed(request: Request, error: Exception) -> Response:
    assert isinstance(error, YiwangError)
    status = status_of(error)
    if isinstance(error, ConfirmationRequired) and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/login?confirm=1&next={quote(_asked_on(request), safe='/')}", 303)
    if status == 422 and request.url.path.startswith(("/ogc", "/api/sensorthings")):
        status = 400  # what OGC's standards ask for
    return respond(body_of(error, request.headers.get("accept-language", "")), status, retry_headers(error))


def _asked_on(request: Request) -> str:
    """The page of ours on which somebody pressed this link, to go back to; the address itself when that is unknown."""
    page = urlsplit(request.headers.get("referer", ""))
    own = page.path if page.netloc == request.url.netloc else request.url.path
    return own + (f"?{page.query}" if own == page.path and page.query else "")


async def _invalid(request: Request, error: Exception) -> Response:
    """A filter or part of the path that does not fit, told by its own name."""
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = next(iter(error.errors()), {})
    place = [str(part) for part in first.get("loc", ())]
    detail = str(first.get("msg", "is not valid")).removeprefix("Value error, ")
    field = ".".join(place[1:] or place)[:200]
    return await _typed(request, InputInvalid(field=field, detail=detail[:400], how="see docs/api.md"))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    body = {"error": code, "message": f"{request.method} {request.url.path}: {error.detail}", "remedy": ""}
    return respond(body, error.status_code, dict(error.headers or {}))


async def _too_large(request: Request, error: Exception) -> Response:
    """A number that no column holds (SQLite says so before, PostgreSQL after it was sent)."""
    log.info("%s %s: %s", request.method, request.url.path, type(error).__name__)
    wrong = InputInvalid(field="number", detail="a number does not fit what is stored", how="send a smaller one")
    return await _typed(request, wrong)


async def _too_deep(request: Request, error: Exception) -> Response:
    """Brackets in brackets, deeper than any reader goes."""
    log.info("%s %s: nested too deeply", request.method, request.url.path)
    wrong = InputInvalid(field="body", detail="is nested too deeply", how="send what is asked for")
    return await _typed(request, wrong)


async def _stored_nothing(request: Request, error: Exception) -> Response:
    """A full, locked or read-only disk or database is said as such, with when to try again; all else is a fault."""
    typed = as_typed(error)
    if is_no_room(error):
        typed = StorageFull(detail="the disk is full")
    elif is_read_only(error):
        typed = StorageBusy(detail="the disk takes no writes", retry_after_s=RETRY_AFTER_S)
    if typed is None:
        return await _broken(request, error)
    return await _typed(request, typed)


async def _gone(request: Request, error: Exception) -> Response:
    """The line broke, or the page was closed, before the whole request was here: nothing was done, nobody listens."""
    log.info("%s %s: the client went away before its request was complete", request.method, request.url.path)
    return Response(status_code=499)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    body = {
        "error": "internal",
        "message": "something broke here; it was logged",
        "remedy": "try again, tell operations",
    }
    return respond(body, 500)
