"""What the tabs of the devices' page consist of: filters, tables, panels still empty."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.pages.choices import Choice, choices, departments, named_words
from dashboard.pages.frame import Visit
from dashboard.pages.tables import column, table

HEIGHT = "calc(100vh - 250px)"
CATEGORIES = (
    "fire_control_room", "fuel_station", "waterlogging", "key_place", "warehouse", "traffic", "public_security",
)  # fmt: skip


def dialog(identifier: str) -> Any:
    """An empty dialog; what it holds is drawn when it opens."""
    return dmc.Modal(id=identifier, size="lg", children=html.Div(id=f"{identifier}-held"))


def select(identifier: str, label: str, data: list[Choice], width: int = 190) -> Any:
    """A filter's list; its first entry is everything."""
    return dmc.Select(id=identifier, data=data, value="", allowDeselect=False, searchable=len(data) > 10, w=width,
                      **{"aria-label": label})  # fmt: skip


def search(identifier: str, visit: Visit) -> Any:
    """A filter's text."""
    return dmc.TextInput(id=identifier, value="", placeholder=visit.t("devices.search"), debounce=300, w=240,
                         **{"aria-label": visit.t("devices.search")})  # fmt: skip


def split(main: list[Any], side_id: str, visit: Visit) -> Any:
    """The list at the left, what was picked at the right."""
    side = html.Aside(html.P(visit.t("devices.pick"), className="quiet"), id=side_id, className="split-side")
    return html.Div([html.Div(main, className="split-main"), side], className="split")


def devices(visit: Visit, tab: str) -> Any:
    """All devices, or those in quarantine."""
    t = visit.t
    filters = [
        select("dev-source", t("devices.sources"), choices(named_words(visit, "protocol"), t("devices.all_sources"))),
        select("dev-state", t("fact.state"), choices(named_words(visit, "devstate"), t("devices.all_states")), 150),
        select("dev-department", t("filter.department"),
               [{"value": "", "label": t("filter.all_departments")}, *departments(visit)]),
        search("dev-text", visit),
        dmc.Button(t("act.refresh"), id="dev-refresh", variant="default"),
        html.Span(id="dev-total", className="quiet", **{"aria-live": "polite"}),
    ]  # fmt: skip
    columns = [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=170),
        column("type", t("devices.type"), cellRenderer="Parts", minWidth=130),
        column("site", t("fact.site"), minWidth=110),
        column("state", t("fact.state"), cellRenderer="Parts", minWidth=110, autoHeight=True),
        column("heard", t("devices.heard"), width=140, filter=False),
        column("values", t("devices.last"), cellRenderer="Parts", minWidth=170),
        column("refused", t("devices.c_refused"), width=90, type="rightAligned", filter=False),
    ]
    grid = table(visit, "dev-table", columns, [], key="device_id", height=HEIGHT,
                 options={"rowHeight": 50, "paginationPageSize": 500})  # fmt: skip
    hold = [dcc.Store(id="dev-tab", data=tab), dcc.Store(id="dev-since")]
    return html.Div([*hold, dmc.Group(filters, gap="sm", mb="sm"), split([grid], "dev-panel", visit)])


def cameras(visit: Visit) -> Any:
    """All cameras, with picture and live video of the one that was picked."""
    t = visit.t
    kinds = {name: t(f"category.{name}") for name in CATEGORIES}
    filters = [
        select("cam-category", t("fact.kind"), choices(kinds, t("devices.all_categories"))),
        select("cam-enabled", t("fact.state"),
               choices({"true": t("devices.analysed"), "false": t("camstate.patrol")}, t("devices.all_cameras"))),
        search("cam-text", visit),
        html.Span(id="cam-total", className="quiet", **{"aria-live": "polite"}),
    ]  # fmt: skip
    store = dcc.Store(id="cam-filters")
    grid = html.Div(id="cam-list")
    return html.Div([store, dmc.Group(filters, gap="sm", mb="sm"), split([grid], "cam-panel", visit)])


def sources(visit: Visit) -> Any:
    """Counters of each source, and what it refused without knowing of which device."""
    t = visit.t
    right: dict[str, Any] = {"type": "rightAligned", "width": 130}
    columns = [
        column("name", t("devices.source"), width=190),
        *(column(n, t(f"devices.c_{n}"), **right) for n in ("messages", "refused", "connections")),
        column("errors", t("devices.c_errors"), cellRenderer="Parts", autoHeight=True),
        column("events", t("devices.c_events"), cellRenderer="Parts", autoHeight=True),
        column("heard", t("devices.heard"), width=170),
    ]
    refused = [
        column("at", t("admin.when"), width=170), column("source", t("devices.source"), width=150),
        column("code", t("devices.code"), width=190),
        column("detail", t("devices.why"), wrapText=True, autoHeight=True),
        column("message", t("devices.message"), wrapText=True, autoHeight=True, cellClass="code"),
    ]  # fmt: skip
    return html.Div(
        [
            table(visit, "src-table", columns, [], key="source", height="46vh", options={"pagination": False}),
            html.H2(t("devices.refused_unknown"), className="mt"),
            table(visit, "src-refused", refused, [], key="id", height="36vh", options={"pagination": False}),
        ]
    )  # fmt: skip
