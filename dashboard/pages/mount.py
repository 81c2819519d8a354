"""Mounts login page, static files, phone shell and the Dash pages on the web process."""

from __future__ import annotations

import json
import logging
import mimetypes
from asyncio import to_thread
from hashlib import sha256
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from core.settings import Settings
from dashboard.errors import NotSignedIn
from dashboard.i18n import LANGUAGES, words
from dashboard.pages import phone
from dashboard.pages.frame import current_visit, frame, language_of_request, menu, page_of, register
from dashboard.pages.headers import SecurityHeaders, content_policy
from dashboard.pages.layouts import desk_page, layout_of, shell

log = logging.getLogger("yiwang.pages")

STATIC = Path(__file__).parent.parent / "static"

INDEX = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="/static/icon.svg">
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


class _Static(StaticFiles):
    """Our modules are revalidated at each load (ETag), the locked libraries may be kept for a day."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.startswith("vendor")
        response.headers["Cache-Control"] = "public, max-age=86400" if kept else "no-cache"
        return response


def mount(app: FastAPI, settings: Settings) -> Dash:
    """Add the pages to ``app``; call it last, after every API route (Dash answers whatever is left).

    Open without a session: ``/login``, ``/static/*``, ``/m`` and ``/m/*``.  They hold no data.
    """
    mimetypes.add_type("text/javascript", ".mjs")
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    _add_open_routes(app)
    dash = Dash(
        "yiwang",
        server=app,
        compress=True,
        title="一网统管 Yiwang",
        update_title=None,
        index_string=INDEX,
        include_assets_files=False,
        pages_folder="",
        external_scripts=[{"src": "/static/ui/loader.js"}],
        external_stylesheets=[
            "/static/vendor/maplibre/maplibre-gl.css",
            *(
                f"/static/css/{name}.css"
                for name in ("tokens", "base", "command", "map", "desk", "boards", "video", "work")
            ),
        ],
        suppress_callback_exceptions=True,
        add_log_handler=False,
    )
    dash.layout = shell

    @dash.callback(Output("page", "children"), Input("url", "pathname"))  # type: ignore[untyped-decorator]
    async def show(path: str | None) -> Any:
        try:
            return await to_thread(page_at, path or "/")
        except Exception:  # Dash answers 500 and writes nothing anywhere
            log.exception("the page at %s failed", path)
            raise

    register(dash)

    # Asked at each page, because Dash adds inline scripts when it builds its first one.
    app.add_middleware(SecurityHeaders, policy=lambda: content_policy(dict.fromkeys(dash.csp_hashes())))
    return dash


def page_at(path: str) -> Any:
    """The page at ``path``: a desk page by the visitor's rights, else the wall or "no such page"."""
    try:
        visit = current_visit()
    except NotSignedIn:  # the bar of the wall sends whoever has no session to the login page
        return layout_of(path, language_of_request(), [])
    entries = menu(visit.principal)
    found = page_of(path)
    if found is None:
        return layout_of(path, visit.language, entries)
    module, below = found
    if not module.PAGE.may_open(visit.principal):
        return layout_of("/forbidden", visit.language, entries)
    content = module.layout(visit, below) if module.PAGE.below else module.layout(visit)
    return frame(desk_page(module.PAGE.path.lstrip("/"), content, entries))


def _add_open_routes(app: FastAPI) -> None:
    @app.get("/login", include_in_schema=False)
    async def login() -> FileResponse:
        return FileResponse(STATIC / "login.html")

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/static/i18n/{language}.json", include_in_schema=False)
    async def page_words(language: str, request: Request) -> Response:
        if language not in LANGUAGES:
            raise HTTPException(404, "no such language")
        body = json.dumps(words(language), ensure_ascii=False).encode()
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    app.mount("/static", GZipMiddleware(_Static(directory=STATIC), minimum_size=800), name="static")
    app.include_router(phone.router)
