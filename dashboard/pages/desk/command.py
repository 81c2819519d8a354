"""Command screen of a case: tasks of its plans, forces and vehicles on the map, stock, the call list."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, no_update

from core.ids import new_id
from dashboard.api.deps import CENTRE
from dashboard.components import GroundMap
from dashboard.desk import command_post
from dashboard.desk import plans as desk
from dashboard.desk.command_post import CallEntry, CommandPicture, Force
from dashboard.i18n.case_titles import case_title
from dashboard.pages.choices import word
from dashboard.pages.desk.plans.emergency import task_item
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.moments import shown
from dashboard.pages.presses import pressed

PAGE = Page(path="/command", zh="现场指挥", en="Command", roles=CENTRE, below=True)
EVERY_MS = 15_000


def layout(visit: Visit, below: list[str]) -> Any:
    """``/command/{case_id}``."""
    if len(below) != 1:
        return html.H1(visit.t("page.missing"))
    case_id = below[0]
    found = command_post.picture(visit.services, visit.principal, case_id)
    case = found.case
    return html.Div(
        [
            dcc.Store(id="command-case", data=case_id), dcc.Store(id="command-ground"),
            dcc.Store(id="command-changed", data=""), dcc.Interval(id="command-tick", interval=EVERY_MS),
            html.H1([html.A(case.number, href=f"/cases/{case_id}"), f" {case_title(case, visit.language)}"]),
            html.Div(_head(visit, found), id="command-head"),
            html.Div([
                html.Section([html.H2(visit.t("plans.tasks")), html.Div(_tasks(visit, found), id="command-tasks")]),
                html.Section([
                    GroundMap(id="command-map", target="command-ground", pins=_pins(found), view=None, zoom=14,
                              focus={"lon": case.lon, "lat": case.lat} if case.lon is not None else None),
                    html.Div(_forces(visit, found), id="command-forces"),
                ]),
                html.Section([
                    html.H2(visit.t("command.calls")), html.Div(_calls(visit, found), id="command-calls"),
                    html.H2(visit.t("command.stock")), html.Div(_stock(visit, found), id="command-stock"),
                ]),
            ], className="command-post"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("command-head", "children"), Output("command-tasks", "children"), Output("command-forces", "children"),
    Output("command-calls", "children"), Output("command-stock", "children"), Output("command-map", "pins"),
    Input("command-tick", "n_intervals"), Input("command-changed", "data"), State("command-case", "data"), True,
)  # fmt: skip
async def refresh(visit: Visit, _tick: int | None, _changed: str, case_id: str) -> Any:
    """Everything anew, every fifteen seconds and after each deed."""
    found = await in_thread(command_post.picture, visit.services, visit.principal, case_id)
    parts = (_head, _tasks, _forces, _calls, _stock)
    return *(part(visit, found) for part in parts), _pins(found)


@PAGE.callback(
    Output("command-changed", "data", allow_duplicate=True), Input({"task": ALL, "do": ALL}, "n_clicks"), True
)
async def moved(visit: Visit, _clicks: Any) -> Any:
    """Take a task on, tick it off, cancel it."""
    button, _ = pressed()
    if not button:
        return no_update
    await in_thread(desk.move, visit.services, visit.principal, button["task"], button["do"])
    return new_id()


@PAGE.callback(
    Output("command-changed", "data", allow_duplicate=True), Input({"called": ALL, "once": ALL}, "n_clicks"),
    State("command-case", "data"), True,
)  # fmt: skip
async def called(visit: Visit, _clicks: Any, case_id: str) -> Any:
    """Somebody of the call list was told: noted in the case."""
    button, _ = pressed()
    if not button:
        return no_update
    given = (visit.services, visit.principal, case_id, button["called"], button["once"])
    await in_thread(command_post.called, *given)
    return new_id()


def _head(visit: Visit, found: CommandPicture) -> Any:
    t, case = visit.t, found.case
    done = sum(task["state"] == "done" for task in found.tasks)
    late = sum(bool(task["due_at"] and task["state"] in ("open", "accepted")
                    and task["due_at"] < visit.services.clock.now()) for task in found.tasks)  # fmt: skip
    facts = [
        (t("fact.severity"), t(f"severity.{case.severity}")), (t("fact.opened"), shown(case.opened_at)),
        (t("fact.deadline"), shown(case.deadline_at)), (t("fact.department"), case.department_name or "—"),
        (t("command.plans"), "、".join(run["name"] for run in found.plans) or "—"),
        (t("command.done"), f"{done} / {len(found.tasks)}"), (t("command.late"), str(late)),
    ]  # fmt: skip
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="command-facts")


def _tasks(visit: Visit, found: CommandPicture) -> Any:
    if not found.tasks:
        start = dcc.Link(visit.t("plans.start"), href=f"/plans?case={found.case.case_id}")
        return html.P([visit.t("command.no_plan"), " ", start], className="quiet")
    order = sorted(found.tasks, key=lambda task: (task["state"] not in ("open", "accepted"), task["position"]))
    return html.Ul([task_item(visit, task) for task in order], className="plan-tasks")


def _forces(visit: Visit, found: CommandPicture) -> Any:
    return [
        html.Div([html.H2(visit.t(f"command.{name}", n=len(forces))), _lines(visit, forces, mark)])
        for name, forces, mark in (("people", found.people, "人"), ("vehicles", found.vehicles, "车"))
    ]


def _lines(visit: Visit, forces: list[Force], mark: str) -> Any:
    if not forces:
        return html.P(visit.t("command.none_near"), className="quiet")
    return html.Ul([
        html.Li([html.B(f"{mark}{n}"), f" {each.name} ", html.Span(
            " · ".join(filter(None, (each.department, _away(each.distance_m), shown(each.at, "%H:%M")))),
            className="quiet",
        )])
        for n, each in enumerate(forces, 1)
    ], className="command-list")  # fmt: skip


def _away(distance_m: float | None) -> str:
    return "" if distance_m is None else f"{distance_m / 1000:.1f} km"


def _calls(visit: Visit, found: CommandPicture) -> Any:
    if not found.contacts:
        return html.P(visit.t("command.no_contacts"), className="quiet")
    return html.Ul([_call(visit, each) for each in found.contacts], className="command-list")


def _call(visit: Visit, each: CallEntry) -> Any:
    post = word(visit, "post", each.post) if each.post else ""
    number = html.A(each.phone, href=f"tel:{each.phone}") if each.phone else visit.t("command.no_number")
    told = (
        html.Span("✓ " + visit.t("command.called_at", time=shown(each.called_at, "%H:%M"), by=each.called_by),
                  className="chip good")
        if each.called_at
        else dmc.Button(visit.t("command.called_now"), id={"called": each.key, "once": new_id()}, size="compact-xs",
                        variant="default", n_clicks=0)
    )  # fmt: skip
    where = html.Span(" · ".join(filter(None, (each.department, post))), className="quiet")
    return html.Li([html.B(each.name), " ", number, " ", where, " ", told])


def _stock(visit: Visit, found: CommandPicture) -> Any:
    if not found.stock:
        return html.P(visit.t("command.none_near"), className="quiet")
    return html.Ul([
        html.Li([html.B(f"{each.item} {each.amount}"), " ",
                 html.Span(" · ".join(filter(None, (each.warehouse, _away(each.distance_m)))), className="quiet")])
        for each in found.stock
    ], className="command-list")  # fmt: skip


def _pins(found: CommandPicture) -> list[dict[str, Any]]:
    """The case, people, vehicles and stores, marked as in the lists."""
    case = found.case
    pins = [{"n": "●", "lon": case.lon, "lat": case.lat}] if case.lon is not None else []
    pins += [{"n": f"人{n}", "lon": each.lon, "lat": each.lat} for n, each in enumerate(found.people, 1)]
    pins += [{"n": f"车{n}", "lon": each.lon, "lat": each.lat} for n, each in enumerate(found.vehicles, 1)]
    stores = {(each.lon, each.lat) for each in found.stock if each.lon is not None and each.lat is not None}
    return pins + [{"n": "库", "lon": lon, "lat": lat} for lon, lat in sorted(stores)]
