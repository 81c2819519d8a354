"""The frame of the Dash pages, pure: language and content in, component tree out."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.components import TopBar
from dashboard.i18n import translate


def shell() -> Any:
    """The frame that every address starts with; the router callback fills it."""
    return html.Div([dcc.Location(id="url", refresh=False), html.Div(id="page", className="page")])


def desk_page(name: str, content: Any, menu: list[dict[str, str]]) -> Any:
    """The bar and a desk page's content."""
    return html.Div(
        [TopBar(id="top", compact=True, page=name, menu=menu), html.Main(content, className="sheet")], className="desk"
    )


def missing(language: str, menu: list[dict[str, str]]) -> Any:
    """No such page."""
    words = [html.H1(translate(language, "page.missing")), html.A(translate(language, "page.home"), href="/")]
    return desk_page("", words, menu)
