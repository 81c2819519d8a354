"""Mounts login page, static files, phone shell, command centre and desk on the web process."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dashboard.i18n import LANGUAGES
from dashboard.pages import centre, phone
from dashboard.pages.desk_room import DeskRoom
from dashboard.pages.files.release import Release, keeping, words_file
from dashboard.pages.files.suites import Suites
from dashboard.pages.headers import SecurityHeaders, content_policy
from dashboard.pages.styles import STYLES

STATIC = Path(__file__).parent.parent / "static"


class _Static(StaticFiles):
    """Our modules are revalidated at each load (ETag), the locked libraries may be kept for a day."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.startswith("vendor")
        response.headers["Cache-Control"] = "public, max-age=86400" if kept else "no-cache"
        return response


def mount(app: FastAPI) -> None:
    """Add the pages to ``app``; call it last, after every API route (the desk answers whatever is left).

    Open without a session: ``/login``, ``/static/*``, ``/m`` and ``/m/*``.  They hold no data.
    """
    mimetypes.add_type("text/javascript", ".mjs")
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    app.state.release = Release(STATIC, STYLES)
    _add_open_routes(app)
    app.include_router(centre.router)
    desk = DeskRoom(app, Suites(STATIC / "vendor"))
    app.mount("", desk, name="desk")
    # Asked at each page, because Dash adds inline scripts when it builds its first one.
    app.add_middleware(SecurityHeaders, policy=lambda: content_policy(desk.script_hashes()))


def _add_open_routes(app: FastAPI) -> None:
    @app.get("/login", include_in_schema=False)
    async def login() -> FileResponse:
        return FileResponse(STATIC / "login.html")

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/static/i18n/{language}.json", include_in_schema=False)
    async def page_words(language: str, request: Request, v: str = "") -> Response:
        if language not in LANGUAGES:
            raise HTTPException(404, "no such language")
        body, tag = await asyncio.to_thread(words_file, language, app.state.release.groups())
        kept = v == tag.strip('"')  # the address names this very state
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if kept else "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        content, coding = body.answer(request.headers)
        return Response(content, media_type="application/json", headers=headers | coding)

    @app.get("/static/v/{version}/{path:path}", include_in_schema=False)
    async def released(version: str, path: str, request: Request) -> Response:
        release: Release = app.state.release
        found = await asyncio.to_thread(release.file, path)
        if found is None:
            raise HTTPException(404, "no such file")
        content, coding = found.body.answer(request.headers)
        return Response(content, media_type=found.media_type, headers=keeping(release, version) | coding)

    app.mount("/static", GZipMiddleware(_Static(directory=STATIC), minimum_size=800), name="static")
    app.include_router(phone.router)
