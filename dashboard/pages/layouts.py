"""The layouts of the Dash pages, pure: language in, component tree out."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.components import Panel, Timeline, TopBar, WallLeft, WallRight
from dashboard.i18n import translate
from dashboard.map import CityMap

# path → (module of static/ui, roles that see it in the menu; the API decides what they may read)
MODULE_PAGES: dict[str, str] = {}


def shell() -> Any:
    """The frame that every address starts with; the router callback fills it."""
    return html.Div([dcc.Location(id="url", refresh=False), html.Div(id="page", className="page")])


def wall(menu: list[dict[str, str]]) -> Any:
    """The command centre: list, map with its time slider, panel; ``data-layout`` makes it a wall or a desk."""
    return html.Div(
        [
            TopBar(id="top", compact=False, page="wall", menu=menu),
            html.Div(
                [
                    html.Aside(WallLeft(id="cases"), className="wall-list"),
                    html.Main(
                        [html.Div(CityMap(id="map"), className="wall-canvas"), Timeline(id="time")],
                        className="wall-map",
                    ),
                    html.Aside(WallRight(id="panel"), className="wall-panel"),
                ],
                className="wall-body",
            ),
        ],
        className="wall",
    )


def module_page(module: str, menu: list[dict[str, str]]) -> Any:
    """A page that one ES module draws."""

    return html.Div(
        [
            TopBar(id="top", compact=True, page=module, menu=menu),
            html.Main(Panel(id="body", module=module), className="sheet"),
        ],
        className="desk",
    )


def desk_page(name: str, content: Any, menu: list[dict[str, str]]) -> Any:
    """The bar and a desk page's content."""
    return html.Div(
        [TopBar(id="top", compact=True, page=name, menu=menu), html.Main(content, className="sheet")], className="desk"
    )


def missing(language: str) -> Any:
    """No such page."""
    return html.Div(
        [
            TopBar(id="top", compact=True, page=""),
            html.Main(
                [html.H1(translate(language, "page.missing")), html.A(translate(language, "page.home"), href="/")],
                className="sheet",
            ),
        ],
        className="desk",
    )


def layout_of(path: str, language: str, menu: list[dict[str, str]]) -> Any:
    """The page at ``path``."""
    clean = path.rstrip("/") or "/"
    if clean == "/" or clean.startswith("/cases/"):
        return wall(menu)
    module = MODULE_PAGES.get(clean)
    return module_page(module, menu) if module else missing(language)
