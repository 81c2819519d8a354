"""The command centre's page (``/`` and ``/cases/{id}``): plain HTML whose places are filled by ES modules.

It needs no Dash, neither here nor in the browser: list, map, panel and time slider read the REST API themselves.
"""

from __future__ import annotations

import json
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboard.api.deps import principal_of
from dashboard.errors import NotSignedIn
from dashboard.pages.menu import menu
from dashboard.pages.styles import STYLES

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>一网统管 Yiwang</title>
<link rel="icon" type="image/svg+xml" href="/static/icon.svg">
__STYLES__
<script src="/static/ui/first_look.js"></script>
<script type="module" src="/static/ui/wall/page.mjs"></script>
</head>
<body>
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

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/cases/{rest:path}")
def centre(request: Request) -> Response:
    """The page; whoever has no session is sent to the login page by its bar."""
    try:
        entries = menu(principal_of(request))
    except NotSignedIn:
        entries = []
    top = json.dumps({"compact": False, "page": "wall", "menu": entries}, ensure_ascii=False)
    styles = "\n".join(f'<link rel="stylesheet" href="{address}">' for address in STYLES)
    body = _PAGE.replace("__STYLES__", styles).replace("__TOP__", escape(top))
    return Response(body, media_type="text/html; charset=utf-8")
