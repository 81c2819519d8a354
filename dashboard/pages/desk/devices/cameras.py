"""All cameras: an endless list, the picked one's picture and live video."""

from __future__ import annotations

import json
from typing import Any

from dash import Input, Output, State, html, no_update

from dashboard import queries
from dashboard.components import CameraView
from dashboard.pages.camera_words import algorithm_chips, state_chips
from dashboard.pages.choices import own, word
from dashboard.pages.desk.devices.page import PAGE
from dashboard.pages.desk.devices.parts import HEIGHT
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.tables import column, named, parts, table, window
from storage.session import read_scope


@PAGE.callback(
    Output("cam-list", "children"), Output("cam-filters", "data"), Input("cam-category", "value"),
    Input("cam-enabled", "value"), Input("cam-text", "value"),
)  # fmt: skip
async def lists(visit: Visit, category: Any, enabled: Any, text: Any) -> Any:
    """A fresh list for the filters: it asks for its pages by itself."""
    t = visit.t
    filters = {"category": category or None, "q": (text or "").strip()[:100] or None,
               "enabled": {"true": True, "false": False}.get(enabled or "")}  # fmt: skip
    columns = [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=200, sortable=False),
        column("kind", t("fact.kind"), width=130, sortable=False),
        column("site", t("fact.site"), minWidth=130, sortable=False),
        column("state", t("fact.state"), cellRenderer="Parts", minWidth=170, sortable=False),
        column("algorithms", t("vision.algorithms"), cellRenderer="Parts", minWidth=160, sortable=False),
    ]
    grid = table(visit, "cam-table", columns, key="camera_id", height=HEIGHT, options={"rowHeight": 50})
    return html.Div(grid, key=json.dumps(filters, sort_keys=True)), filters


@PAGE.callback(
    Output("cam-table", "getRowsResponse"), Output("cam-total", "children"), Input("cam-table", "getRowsRequest"),
    State("cam-filters", "data"),
)  # fmt: skip
async def rows(visit: Visit, request: dict[str, Any] | None, filters: dict[str, Any] | None) -> Any:
    """One page of the list."""
    if filters is None:
        return no_update, no_update
    items, total = await in_thread(_page, visit, filters, *window(request))
    return {"rowData": [row_of(c, visit) for c in items], "rowCount": total}, visit.t("kit.total", n=total)


@PAGE.callback(Output("cam-panel", "children"), Input("cam-table", "cellClicked"), True)
async def picked(visit: Visit, cell: dict[str, Any] | None) -> Any:
    """Picture and live video of the camera that was picked."""
    if not cell or not cell.get("rowId"):
        return no_update
    detail = await in_thread(_one, visit, str(cell["rowId"]))
    view = CameraView(id="cam-view", camera_id=detail["camera_id"])
    return html.Div([html.H2(own(visit, detail)), html.Div(view, key=detail["camera_id"])], className="desk-stack")


def _page(visit: Visit, filters: dict[str, Any], start: int, number: int) -> tuple[list[dict[str, Any]], int]:
    with read_scope(visit.services.engine) as session:
        return queries.camera_page(
            session, visit.principal.actor, visit.services.hub.states, filters, number, start
        )  # fmt: skip


def _one(visit: Visit, camera_id: str) -> dict[str, Any]:
    with read_scope(visit.services.engine) as session:
        use = visit.services
        return queries.camera_detail(session, visit.principal.actor, use.hub.states, camera_id, use.camera_seal)


def row_of(c: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A camera as the list shows it."""
    return {
        "camera_id": c["camera_id"], "kind": word(visit, "category", c["category"]), "site": c["site_name"] or "—",
        **named("name", own(visit, c), c["camera_id"]), **parts("state", *state_chips(c, visit)),
        **parts("algorithms", *algorithm_chips(c["algorithms"], visit)),
    }  # fmt: skip
