"""The command centre's page (``/`` and ``/cases/{id}``): plain HTML whose places are filled by ES modules.

It needs no Dash, neither here nor in the browser: list, map, panel and time slider read the REST API themselves.
What the first map needs comes at once: the modules are named in the head (nobody waits for one to learn of the next),
they and the words are kept by the browser under addresses that name their content, and the first answers of the API
stand in the page.
"""

from __future__ import annotations

import gzip
import json
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboard.api.deps import principal_of
from dashboard.errors import NotSignedIn
from dashboard.i18n import COOKIE, DEFAULT, LANGUAGES
from dashboard.pages.files.release import SHEET, Release, words_file
from dashboard.pages.menu import menu

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>一网统管 Yiwang</title>
<link rel="icon" type="image/svg+xml" href="/static/icon.svg">
__HEAD__
</head>
<body>
<script type="application/json" id="brought">__BROUGHT__</script>
<div class="page"><div class="wall">
<div id="top" class="own own-topbar" data-props="__TOP__"></div>
<div class="wall-body">
<aside class="wall-list"><div id="cases" class="own own-left"></div></aside>
<main class="wall-map"><div class="wall-canvas"><div id="map" class="own own-map"></div></div>
<div id="time" class="own own-timeline"></div></main>
<aside class="wall-panel"><div id="panel" class="own own-right"></div></aside>
</div>
</div></div>
</body>
</html>
"""
ENTRY = "ui/wall/page.mjs"
MAP = "ui/map/map.mjs"

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/cases/{rest:path}")
def centre(request: Request) -> Response:
    """The page; whoever has no session is sent to the login page by its bar."""
    try:
        who = principal_of(request)
    except NotSignedIn:
        entries, brought = [], b"{}"
    else:
        from dashboard.pages.first_answers import first_answers  # the routes' own answers: loaded with the first page

        entries, brought = menu(who), first_answers(request, who)
    top = json.dumps({"compact": False, "page": "wall", "menu": entries}, ensure_ascii=False)
    page = _PAGE.replace("__HEAD__", _head(request)).replace("__TOP__", escape(top))
    body = page.encode().replace(b"__BROUGHT__", brought)
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body, 3, mtime=0), headers | {"Content-Encoding": "gzip"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


def _head(request: Request) -> str:
    """Style sheet, scripts, and what they will ask for, so that all of it is fetched side by side."""
    release: Release = request.app.state.release
    asked = request.cookies.get(COOKIE, DEFAULT)
    language = asked if asked in LANGUAGES else DEFAULT
    words = words_file(language, release.groups())[1].strip('"')
    modules = [MAP, *(m for m in release.modules([MAP, ENTRY]) if m != MAP)]
    lines = [
        f'<meta name="words-version" content="{words}">',
        f'<link rel="stylesheet" href="{release.address(SHEET)}">',
        f'<script src="{release.address("ui/first_look.js")}"></script>',
        f'<link rel="preload" as="fetch" crossorigin href="/static/i18n/{language}.json?v={words}">',
        f'<script type="module" src="{release.address(ENTRY)}"></script>',
        *(f'<link rel="modulepreload" href="{release.address(m)}">' for m in modules if m != ENTRY),
    ]
    return "\n".join(lines)
