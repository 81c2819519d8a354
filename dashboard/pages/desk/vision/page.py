"""The page ``/vision?tab=…&camera=…``: its tabs, the list of cameras, and what the open tab shows."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from dashboard import queries
from dashboard.pages.address import address, asked, tabs
from dashboard.pages.camera_words import state_chips
from dashboard.pages.choices import own, word
from dashboard.pages.desk.vision import calibration, precision, workers, zones
from dashboard.pages.desk.vision.base import PAGE, camera_of
from dashboard.pages.faults import files_at_fault
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.tables import column, named, parts, table, window
from storage.session import read_scope

TABS = ("zones", "calibration", "precision", "workers")
OF_A_CAMERA = {"zones": zones.draw, "calibration": calibration.draw}


def layout(visit: Visit) -> Any:
    """The tabs, the cameras to choose from, the place for the open tab."""
    t = visit.t
    titles = [(name, t(f"vision.{name}") if name != "workers" else t("vision.at_work")) for name in TABS]
    search = dmc.TextInput(id="vis-text", value="", placeholder=t("devices.search"), debounce=300, mb="xs",
                           **{"aria-label": t("devices.search")})  # fmt: skip
    picker = html.Aside([search, html.Div(id="vis-list")], id="vis-picker")
    return html.Div(
        [
            html.H1(t("page.vision")), files_at_fault(visit, "plugins/algorithms", "plugins/detectors"),
            tabs("vis-tabs", titles, "zones"),
            html.Div([picker, html.Div(id="vis-work", className="vis-work")], id="vis-body", className="vis-body"),
            dcc.Store(id="vis-open"), dcc.Store(id="vis-saved"), dcc.Store(id="vis-filter"), dcc.Store(id="vis-picked"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("vis-work", "children"), Output("vis-tabs", "value"), Output("vis-body", "className"),
    Output("vis-open", "data"), Input("url", "search"), Input("vis-saved", "data"),
)  # fmt: skip
async def opened(visit: Visit, search: str | None, _saved: Any) -> Any:
    """What the address names: a tab, and in two of them a camera."""
    given = asked(search)
    tab = given.get("tab", "zones") if given.get("tab") in TABS else "zones"
    camera_id = given.get("camera", "")
    if tab in OF_A_CAMERA:
        if not camera_id:
            return html.P(visit.t("vision.pick"), className="quiet"), tab, "vis-body", tab
        camera = await in_thread(camera_of, visit, camera_id)
        return await in_thread(OF_A_CAMERA[tab], visit, camera), tab, "vis-body", f"{tab} {camera_id}"
    draw = precision.draw if tab == "precision" else workers.draw
    return await in_thread(draw, visit), tab, "vis-body whole", tab


@PAGE.callback(
    Output("vis-picked", "data", allow_duplicate=True), Output("url", "search", allow_duplicate=True),
    Input("vis-tabs", "value"), State("url", "search"), True,
)  # fmt: skip
async def turned(_visit: Visit, tab: str | None, search: str | None) -> Any:
    """The address follows the tab and keeps the camera."""
    if not tab or tab == asked(search).get("tab", "zones"):
        return no_update, no_update
    return tab, address(search, tab=tab)


@PAGE.callback(
    Output("vis-picked", "data"), Output("url", "search", allow_duplicate=True), Input("vis-table", "cellClicked"),
    State("url", "search"), True,
)  # fmt: skip
async def picked(_visit: Visit, cell: dict[str, Any] | None, search: str | None) -> Any:
    """The address follows the camera."""
    if not cell or not cell.get("rowId") or cell["rowId"] == asked(search).get("camera"):
        return no_update, no_update
    return cell["rowId"], address(search, camera=cell["rowId"])


@PAGE.callback(Output("vis-list", "children"), Output("vis-filter", "data"), Input("vis-text", "value"))
async def lists(visit: Visit, text: str | None) -> Any:
    """A fresh list: analysed cameras, or those of all that fit what was typed."""
    wanted = (text or "").strip()[:100]
    filters: dict[str, Any] = {"q": wanted} if wanted else {"enabled": True}
    columns = [
        column("name", visit.t("case.camera"), cellRenderer="Parts", sortable=False, minWidth=130),
        column("state", visit.t("fact.state"), cellRenderer="Parts", sortable=False, minWidth=110),
    ]
    grid = table(visit, "vis-table", columns, key="camera_id", height="calc(100vh - 250px)",
                 options={"rowHeight": 54})  # fmt: skip
    return html.Div(grid, key=json.dumps(filters)), filters


@PAGE.callback(
    Output("vis-table", "getRowsResponse"), Input("vis-table", "getRowsRequest"), State("vis-filter", "data")
)
async def rows(visit: Visit, request: dict[str, Any] | None, filters: dict[str, Any] | None) -> Any:
    """One page of the cameras."""
    if filters is None:
        return no_update
    start, number = window(request)
    items, total = await in_thread(_page, visit, filters, number, start)
    return {"rowData": [_row(c, visit) for c in items], "rowCount": total}


def _page(visit: Visit, filters: dict[str, Any], number: int, start: int) -> tuple[list[dict[str, Any]], int]:
    with read_scope(visit.services.engine) as session:
        states = visit.services.hub.states
        return queries.camera_page(session, visit.principal.actor, states, filters, number, start)


def _row(c: dict[str, Any], visit: Visit) -> dict[str, Any]:
    below = c["site_name"] or word(visit, "category", c["category"])
    shown = named("name", own(visit, c), below)
    return {"camera_id": c["camera_id"], **shown, **parts("state", *state_chips(c, visit))}
