"""The page ``/devices?tab=…&device=…``: its tabs, and what the open one shows."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, dcc, html, no_update

from dashboard.pages.address import address, asked, tabs
from dashboard.pages.desk.devices import parts
from dashboard.pages.frame import Page, Visit, in_thread

ROLES = ("admin", "operator", "dispatcher", "manager", "staff")
PAGE = Page(path="/devices", zh="物联设备", en="Devices", roles=ROLES, order=10)
TABS = ("all", "quarantine", "cameras", "sources")
SOURCES_FOR = ("admin", "operator", "manager", "viewer")


def layout(visit: Visit) -> Any:
    """The tabs that this person may use; the callback below fills the open one."""
    t = visit.t
    titles = {
        "all": t("devices.all"), "quarantine": t("devices.quarantine"), "cameras": t("layer.cameras"),
        "sources": t("devices.sources"),
    }  # fmt: skip
    shown = [(n, titles[n]) for n in TABS if n != "sources" or visit.principal.has(*SOURCES_FOR)]
    return html.Div(
        [
            html.H1(t("page.devices")),
            tabs("dev-tabs", shown, "all"),
            html.Div(id="dev-body"),
            dcc.Store(id="dev-open"), dcc.Store(id="dev-changed"), dcc.Store(id="dev-at"),
            dcc.Interval(id="dev-tick", interval=5000),
            parts.dialog("dev-dialog"), parts.dialog("dev-secret"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("dev-body", "children"), Output("dev-tabs", "value"), Output("dev-open", "data"), Input("url", "search"),
    State("dev-open", "data"),
)  # fmt: skip
async def opened(visit: Visit, search: str | None, before: str | None) -> Any:
    """The tab that the address names; drawn once, a device picked in it changes nothing here."""
    wanted = asked(search).get("tab", "all")
    tab = wanted if wanted in TABS else "all"
    if tab == before:
        return no_update, no_update, no_update
    draw = {"cameras": parts.cameras, "sources": parts.sources}.get(tab)
    drawn = draw(visit) if draw else await in_thread(parts.devices, visit, tab)
    return drawn, tab, tab


@PAGE.callback(
    Output("dev-at", "data", allow_duplicate=True), Output("url", "search", allow_duplicate=True),
    Input("dev-tabs", "value"), State("url", "search"), True,
)  # fmt: skip
async def turned(_visit: Visit, tab: str | None, search: str | None) -> Any:
    """The address follows the tab."""
    if not tab or tab == asked(search).get("tab", "all"):
        return no_update, no_update
    return None, address("", tab=tab)
