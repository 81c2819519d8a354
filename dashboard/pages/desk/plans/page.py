"""The page ``/plans?tab=duty|plans``: its tabs, and what the open one consists of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from dashboard.desk.plans import READERS
from dashboard.pages.address import address, asked, tabs
from dashboard.pages.desk.devices.parts import dialog
from dashboard.pages.frame import Page, Visit
from dashboard.pages.tables import column, table
from events.dispatching.duty_roster import MAY_PLAN

PAGE = Page(path="/plans", zh="预案与值守", en="Plans and duty", order=50)
DAYS = 7


def layout(visit: Visit) -> Any:
    """The tabs that this person may use; the callback below fills the open one."""
    t = visit.t
    shown = [("duty", t("plans.duty"))]
    if visit.principal.has(*READERS):
        shown.append(("plans", t("plans.plans")))
    return html.Div(
        [
            html.H1(t("page.plans")), tabs("plan-tabs", shown, "duty"), html.Div(id="plan-body"),
            dcc.Store(id="plan-open"), dcc.Store(id="plan-changed"), dcc.Store(id="plan-at"),
            dcc.Store(id="duty-changed"), dcc.Store(id="duty-at"), dcc.Store(id="duty-asked"), dialog("duty-dialog"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("plan-body", "children"), Output("plan-tabs", "value"), Output("plan-open", "data"),
    Output("plan-at", "data"), Input("url", "search"), State("plan-open", "data"),
)  # fmt: skip
async def opened(visit: Visit, search: str | None, before: str | None) -> Any:
    """The tab that the address names, drawn once."""
    given = asked(search)
    wanted = "plans" if given.get("tab") == "plans" or given.get("plan") else "duty"
    tab = wanted if visit.principal.has(*READERS) else "duty"
    if tab == before:
        return (no_update,) * 4
    at = {"plan": given["plan"]} if given.get("plan") else no_update  # a plan that a link names is open
    return (plans(visit) if tab == "plans" else roster(visit)), tab, tab, at


@PAGE.callback(Output("url", "search", allow_duplicate=True), Input("plan-tabs", "value"), State("url", "search"), True)
async def turned(_visit: Visit, tab: str | None, search: str | None) -> Any:
    """The address follows the tab."""
    return address("", tab=tab) if tab and tab != asked(search).get("tab", "duty") else no_update


def roster(visit: Visit) -> Any:
    """A week: one row a department, one column a day; a cell opens its shifts at the right."""
    t = visit.t
    tools = [
        dmc.Button("‹", id="duty-back", variant="default", **{"aria-label": t("plans.week_before")}),
        dmc.Button(t("plans.this_week"), id="duty-today", variant="default"),
        dmc.Button("›", id="duty-on", variant="default", **{"aria-label": t("plans.week_after")}),
    ]
    if visit.principal.has(*MAY_PLAN):
        tools.append(dmc.Button(t("plans.add_shift"), id="duty-add"))
    start = today(visit)
    grid = table(visit, "duty-table", day_columns(visit, start), [], key="department_id", height="calc(100vh - 250px)",
                 options={"pagination": False})  # fmt: skip
    side = html.Aside(html.P(t("plans.pick_day"), className="quiet"), id="duty-panel", className="split-side")
    return html.Div(
        [
            dcc.Store(id="duty-start", data=start.isoformat()), dmc.Group(tools, gap="sm", mb="sm"),
            html.Div([html.Div(grid, className="split-main"), side], className="split"),
        ]
    )  # fmt: skip


def today(visit: Visit) -> datetime:
    """The midnight with which the running day began, in the district's time."""
    return visit.services.clock.now().astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)


def day_columns(visit: Visit, start: datetime) -> list[dict[str, Any]]:
    """The department and seven days from ``start``; today is marked."""
    first = column("department", visit.t("fact.department"), width=170, pinned="left", filter=True)
    days = [start + timedelta(days=n) for n in range(DAYS)]
    shown = [
        column(
            f"d{n}", f"{day.month}/{day.day} {visit.t(f'weekday.{day.isoweekday()}')}", minWidth=150, sortable=False,
            cellRenderer="Parts", autoHeight=True, filter=False,
            headerClass="today" if day == today(visit) else "",
        )
        for n, day in enumerate(days)
    ]  # fmt: skip
    return [first, *shown]


def plans(visit: Visit) -> Any:
    """The plans above, what is in force below; the picked one at the right."""
    t = visit.t
    heads = [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=200),
        column("level", t("plans.level"), width=120), column("tasks", t("plans.tasks"), width=90, type="rightAligned"),
        column("version", t("fact.version"), width=90, type="rightAligned"),
        column("state", t("fact.state"), cellRenderer="Parts", width=100),
    ]  # fmt: skip
    running = [
        column("plan", t("fact.name"), minWidth=160),
        column("case", t("plans.case"), cellRenderer="Parts", minWidth=150),
        column("from", t("rules.from"), width=170), column("state", t("fact.state"), width=170),
        column("by", t("plans.by"), width=110), column("done", t("plans.tasks"), width=90, type="rightAligned"),
    ]  # fmt: skip
    side = html.Aside(html.P(t("plans.pick"), className="quiet"), id="plan-panel", className="split-side")
    main = [
        table(visit, "plan-table", heads, [], key="plan_id", height="38vh", options={"rowHeight": 50,
              "pagination": False}),
        html.H2(t("plans.runs"), className="mt"),
        table(visit, "run-table", running, [], key="run_id", height="34vh", options={"pagination": False}),
    ]  # fmt: skip
    here = dcc.Store(id="plan-here", data="plans")
    return html.Div([here, html.Div(main, className="split-main"), side], className="split")
