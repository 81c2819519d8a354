"""Builds the Dash application: shell, router, the desk pages' callbacks.  Imported by :mod:`desk_room` alone."""

from __future__ import annotations

import logging
from asyncio import to_thread
from typing import Any

from dash import Dash, Input, Output
from fastapi import FastAPI

from core.errors import YiwangError
from dashboard.errors import NotSignedIn
from dashboard.pages.faults import refusal
from dashboard.pages.files.release import SHEET, Release, words_file
from dashboard.pages.frame import current_visit, frame, language_of_request, page_of, register
from dashboard.pages.layouts import desk_page, missing, shell
from dashboard.pages.menu import menu

log = logging.getLogger("yiwang.pages")

LOADER = "/static/ui/loader.js"
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


class Pages(Dash):  # type: ignore[misc]
    """Dash, with our own files under the addresses that name their content."""

    def interpolate_index(self, **parts: str) -> str:
        """The page that a browser loads first; its language is known from the request."""
        release: Release = self.server.state.release
        language = language_of_request()
        head = (
            f'<meta name="words-version" content="{words_file(language, release.groups())[1].strip(chr(34))}">\n'
            f'<link rel="stylesheet" href="{release.address(SHEET)}">\n'
            f'<script src="{release.address("ui/first_look.js")}"></script>\n'
        )
        scripts = parts["scripts"].replace(LOADER, release.address(LOADER.removeprefix("/static/")))
        page: str = super().interpolate_index(**parts | {"css": head + parts["css"], "scripts": scripts})
        return page


def build(app: FastAPI) -> Dash:
    """Dash on ``app``, which answers whatever address it has no other route for."""
    dash = Pages(
        "yiwang",
        server=app,
        compress=True,
        title="一网统管 Yiwang",
        update_title=None,
        index_string=INDEX,
        include_assets_files=False,
        pages_folder="",
        external_scripts=[{"src": LOADER}],
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
    return dash


def page_at(path: str) -> Any:
    """The desk page at ``path`` by the visitor's rights, else "no such page"."""
    try:
        visit = current_visit()
    except NotSignedIn:  # the bar sends whoever has no session to the login page
        return missing(language_of_request(), [])
    entries = menu(visit.principal)
    found = page_of(path)
    if found is None or not found[0].PAGE.may_open(visit.principal):
        return missing(visit.language, entries)
    module, below = found
    try:
        content = module.layout(visit, below) if module.PAGE.below else module.layout(visit)
    except YiwangError as error:  # what the address names is not there, or not for this person
        content = refusal(visit, error)
    return frame(desk_page(module.PAGE.path.lstrip("/"), content, entries))
