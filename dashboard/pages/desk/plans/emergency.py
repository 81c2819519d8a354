"""Emergency plans: one with its tasks, putting it into force for a case, the tasks of what is in force."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from dashboard.desk import plans as desk
from dashboard.i18n.case_titles import case_title
from dashboard.pages.address import asked
from dashboard.pages.choices import Choice, departments, word
from dashboard.pages.desk.plans.page import PAGE
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.moments import shown
from dashboard.pages.presses import pressed
from dashboard.pages.tables import chip, named, parts
from events.cases.queries import CaseFilter, list_cases
from events.dispatching.emergency_plans import MAY_RUN
from storage.session import read_scope

ROMAN = ("", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ")
MOST_CASES = 500
Row = dict[str, Any]


@PAGE.callback(
    Output("plan-table", "rowData"), Output("run-table", "rowData"), Input("plan-here", "data"),
    Input("plan-changed", "data"),
)  # fmt: skip
async def listed(visit: Visit, _tab: Any, _changed: Any) -> Any:
    """The plans and what is in force."""
    found = await in_thread(desk.plan_list, visit.services, visit.principal)
    return [plan_row(visit, p) for p in found["items"]], [run_row(visit, r) for r in found["runs"]]


def plan_row(visit: Visit, p: Row) -> Row:
    """A plan as the list shows it."""
    t, level = visit.t, p["level"] or 0
    on = chip(t("rules.on"), "good") if p["enabled"] else chip(t("rules.off"), "off")
    return {
        "plan_id": p["plan_id"], "tasks": len(p["body"].get("tasks", [])), "version": p["version"],
        "level": t("plans.level_n", n=ROMAN[level] if level < len(ROMAN) else level) if level else "—",
        **named("name", p["name"], p["plan_id"]), **parts("state", on),
    }  # fmt: skip


def run_row(visit: Visit, r: Row) -> Row:
    """A plan in force as the list shows it."""
    done = sum(task["state"] == "done" for task in r["tasks"])
    link = {"text": r["case_number"] or "—", "c": "", "href": f"/cases/{r['case_id']}" if r["case_id"] else ""}
    return {
        "run_id": r["run_id"], "plan": r["plan_name"], "from": shown(r["started_at"]), "by": r["started_by_name"],
        "state": shown(r["ended_at"]) if r["ended_at"] else visit.t("plans.running"),
        "done": f"{done} / {len(r['tasks'])}", **parts("case", link),
    }  # fmt: skip


@PAGE.callback(
    Output("plan-at", "data", allow_duplicate=True), Input("plan-table", "cellClicked"),
    Input("run-table", "cellClicked"), True,
)  # fmt: skip
async def picked(_visit: Visit, plan: Row | None, run: Row | None) -> Any:
    """The plan, or what is in force, that was picked."""
    name, cell = ("run", run) if ctx.triggered_id == "run-table" else ("plan", plan)
    return {name: cell["rowId"]} if cell and cell.get("rowId") else no_update


@PAGE.callback(
    Output("plan-panel", "children"), Input("plan-at", "data"), Input("plan-changed", "data"), State("url", "search"),
    True,
)  # fmt: skip
async def panel(visit: Visit, at: Row | None, _changed: Any, search: str | None) -> Any:
    """Everything about what was picked."""
    if not at:
        return no_update
    found = await in_thread(desk.plan_list, visit.services, visit.principal)
    if "run" in at:
        run = next((r for r in found["runs"] if r["run_id"] == at["run"]), None)
        return run_panel(visit, run) if run else no_update
    plan = next((p for p in found["items"] if p["plan_id"] == at.get("plan")), None)
    return await in_thread(plan_panel, visit, plan, asked(search).get("case")) if plan else no_update


def plan_panel(visit: Visit, p: Row, case_id: str | None) -> Any:
    """The plan's tasks, who and what it calls up, and the way to put it into force."""
    t, body = visit.t, p["body"]
    names = {d["value"]: d["label"] for d in departments(visit)}
    names |= {key: t(f"plans.dept_{key}") for key in ("street", "site")}
    called = [
        html.P([html.B(t(f"plans.{key}")), " ", "、".join(str(x) for x in body[key])])
        for key in ("people", "warehouses", "cameras")
        if body.get(key)
    ]
    tasks = html.Ol([html.Li(task_line(visit, x, names)) for x in body.get("tasks", [])], className="why-lines")
    start = []
    if MAY_RUN & set(visit.principal.actor.roles):
        ask = dmc.Button(t("plans.start"))
        start = [
            dmc.Select(id="plan-case", label=t("plans.case"), data=open_cases(visit), value=case_id, searchable=True,
                       placeholder=t("plans.choose_case"), limit=80),
            dcc.ConfirmDialogProvider(ask, id="plan-start", message=t("plans.really_start", name=p["name"])),
        ]  # fmt: skip
    return html.Div([html.H2(p["name"]), html.H3(t("plans.tasks")), tasks, *called, *start], className="desk-stack")


def task_line(visit: Visit, x: Row, names: dict[str, str]) -> list[Any]:
    """A task of a plan: what, who, by when."""
    due = x.get("due")
    said = [
        names.get(x.get("department", ""), x.get("department", "")),
        f"{due['value']:g} {visit.t('unit.' + due['unit'])}" if due else "",
        word(visit, "post", x["post"]) if x.get("post") else "",
    ]
    return [html.B(x["title"]), html.Span(" " + " · ".join(s for s in said if s), className="quiet")]


def open_cases(visit: Visit) -> list[Choice]:
    """The open cases that this person may see, newest first."""
    with read_scope(visit.services.engine) as session:
        found = list_cases(session, visit.principal.actor, CaseFilter(open=True), None, MOST_CASES)
    return [{"value": c.case_id, "label": f"{c.number} {case_title(c, visit.language)}"} for c in found.items]


@PAGE.callback(
    Output("plan-changed", "data"), Input("plan-start", "submit_n_clicks"), State("plan-case", "value"),
    State("plan-at", "data"), True,
)  # fmt: skip
async def started(visit: Visit, clicks: int | None, case_id: str | None, at: Row | None) -> Any:
    """Put the plan into force."""
    if not clicks or not at or "plan" not in at:
        return no_update
    if not case_id:
        tell(visit.t("plans.choose_case"), bad=True)
        return no_update
    await in_thread(desk.put_into_force, visit.services, visit.principal, at["plan"], case_id)
    tell(visit.t("plans.started", name=at["plan"]))
    return visit.services.clock.now().isoformat()


def run_panel(visit: Visit, r: Row) -> Any:
    """The tasks of a plan in force, to take on and to tick off."""
    link = None
    if r["case_id"]:
        links = [html.A(r["case_number"] or r["case_id"], href=f"/cases/{r['case_id']}"),
                 dcc.Link(visit.t("command.open"), href=f"/command/{r['case_id']}", className="button")]  # fmt: skip
        link = dmc.Group(links)
    tasks = html.Ul([task_item(visit, task) for task in r["tasks"]], className="plan-tasks")
    return html.Div([html.H2(r["plan_name"]), link, tasks], className="desk-stack")


def task_item(visit: Visit, x: Row) -> Any:
    """A task: who until when, with which stores and cameras."""
    t, who = visit.t, visit.principal
    department = (x["department_name_en"] if visit.language == "en" else "") or x["department_name"] or ""
    said = [" · ".join(s for s in (department, x["user_name"] or t("plans.no_one")) if s)]
    if x["due_at"]:
        said.append(t("case.until", time=shown(x["due_at"])))
    if x["site_name"]:
        said.append(f"{t('plans.warehouses')}：{x['site_name']}")
    if x["cameras"]:
        said.append(f"{t('plans.cameras')}：{'、'.join(c['name'] for c in x['cameras'])}")
    runs = bool(MAY_RUN & set(who.actor.roles))
    own = who.actor.department_id is not None and who.actor.department_id == x["department_id"]
    names = (["accepted"] if x["state"] == "open" else []) + ["done"] + (["cancelled"] if runs else [])
    open_ = x["state"] in ("open", "accepted") and (runs or own)
    buttons = [
        dmc.Button(t(f"plans.do_{n}"), id={"task": x["task_id"], "do": n}, size="compact-xs", variant="default")
        for n in names
        if open_
    ]
    head = html.Div([html.B(x["title"]), html.Span(word(visit, "taskstate", x["state"]), className=
                    f"chip task-{x['state']}")], className="line")  # fmt: skip
    return html.Li([head, *(html.Small(s) for s in [*said, x["note"]] if s), dmc.Group(buttons, gap=6)],
                   className=x["state"])  # fmt: skip


@PAGE.callback(Output("plan-changed", "data", allow_duplicate=True), Input({"task": ALL, "do": ALL}, "n_clicks"), True)
async def moved(visit: Visit, _clicks: Any) -> Any:
    """Take a task on, tick it off, cancel it."""
    button, _ = pressed()
    if not button:
        return no_update
    await in_thread(desk.move, visit.services, visit.principal, button["task"], button["do"])
    return f"{button['task']} {button['do']}"
