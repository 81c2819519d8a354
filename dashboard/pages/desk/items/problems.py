"""The department manager's page of the catalogue: problem lists with state, due day and rates, and check runs."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.errors import InputInvalid
from dashboard.pages.desk.items.page import PAGE, day, desk_of, moment, percent
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import chip, column, named, parts, table, window

_STATES = ("open", "accepted", "fixed")


def problems_page(visit: Visit) -> Any:
    """Departments above, the picked one's problem list below."""
    t = visit.t
    columns = [
        column("department", t("items.department"), minWidth=200), column("items", t("items.count"), width=90),
        column("clean_rate", t("items.clean_rate"), width=120), column("open", t("items.open"), width=90),
        column("blocking", t("items.blocking"), width=90), column("overdue", t("items.overdue"), width=90),
        column("fixed", t("items.fixed"), width=90), column("accepted", t("items.accepted"), width=90),
        column("mended_rate", t("items.mended_rate"), width=120),
    ]  # fmt: skip
    found = desk_of(visit).overview()
    actions: list[Any] = [dcc.Link(f"← {t('page.items')}", href="/items", className="button")]
    if found["items"]:
        actions.append(dmc.Button(t("items.run"), id="items-run"))
    states = [{"value": s, "label": t(f"items.problem.{s}")} for s in _STATES]
    return html.Div([
        dmc.Group([html.H1(t("items.problems")), dmc.Group(actions, gap="xs")], justify="space-between"),
        html.P(_last(visit, found["last"]), id="items-last", className="quiet", **{"aria-live": "polite"}),
        table(visit, "items-departments", columns, _departments(visit, found), key="id", height="260px",
              options={"pagination": False}),
        dmc.Group([
            dmc.SegmentedControl(id="items-problem-state", data=states, value="open", size="xs"),
            dmc.TextInput(id="items-accept-note", placeholder=t("items.accept_note"), w=280, value=""),
            dmc.Button(t("items.accept"), id="items-accept", variant="default"),
            html.Span(id="items-problem-total", className="quiet", **{"aria-live": "polite"}),
        ], gap="sm", my="sm"),
        dcc.Store(id="items-problem-filters"), dcc.Store(id="items-problem-picked"),
        html.Div(id="items-problem-list"),
    ])  # fmt: skip


def _last(visit: Visit, last: dict[str, Any] | None) -> str:
    if last is None:
        return visit.t("items.never_run")
    return visit.t("items.last_run", at=moment(last["at"]), n=last["items"], found=last["found"], new=last["new"],
                   fixed=last["fixed"], seconds=f"{last['seconds']:.1f}")  # fmt: skip


def _departments(visit: Visit, found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**{k: d[k] for k in ("items", "open", "blocking", "overdue", "fixed", "accepted")},
         "id": d["department_id"] or "-", "department": d["department_name"],
         "clean_rate": percent(d["clean_rate"]), "mended_rate": percent(d["mended_rate"])}
        for d in found["items"]
    ]  # fmt: skip


@PAGE.callback(
    Output("items-departments", "rowData"), Output("items-last", "children"), Input("items-run", "n_clicks"), True,
    running=[(Output("items-run", "loading"), True, False)],
)  # fmt: skip
async def run(visit: Visit, clicks: int | None) -> Any:
    """Check the catalogue now."""
    if not clicks:
        return no_update, no_update
    done = await in_thread(desk_of(visit).run)
    tell(visit.t("items.ran", n=done["items"], found=done["found"]))
    found = await in_thread(desk_of(visit).overview)
    return _departments(visit, found), _last(visit, found["last"])


@PAGE.callback(
    Output("items-problem-list", "children"), Output("items-problem-filters", "data"),
    Input("items-departments", "cellClicked"), Input("items-problem-state", "value"),
)  # fmt: skip
async def chosen(visit: Visit, cell: dict[str, Any] | None, state: str) -> Any:
    """The problem list of the department that was picked; at first one's own or everybody's."""
    picked = str((cell or {}).get("rowId") or "")
    department = "" if picked == "-" else picked
    if not department and not visit.principal.has("admin", "manager", "operator", "dispatcher", "viewer"):
        department = visit.principal.actor.department_id or ""
    t = visit.t
    columns = [
        column("name", t("items.name"), cellRenderer="Parts", minWidth=220, sortable=False),
        column("message", t("items.problem"), cellRenderer="Parts", minWidth=320, sortable=False),
        column("element", t("items.element"), width=190, sortable=False),
        column("due", t("items.due"), cellRenderer="Parts", width=140, sortable=False),
        column("state", t("items.state"), width=110, sortable=False),
    ]
    filters = {"department": department, "state": state if state in _STATES else "open"}
    grid = table(visit, "items-problem-table", columns, key="key", height="calc(100vh - 520px)",
                 options={"rowHeight": 54})  # fmt: skip
    return html.Div(grid, key=json.dumps(filters), style={"minHeight": "260px"}), filters


@PAGE.callback(
    Output("items-problem-table", "getRowsResponse"), Output("items-problem-total", "children"),
    Input("items-problem-table", "getRowsRequest"), State("items-problem-filters", "data"),
)  # fmt: skip
async def rows(visit: Visit, request: dict[str, Any] | None, filters: dict[str, str] | None) -> Any:
    """One page of the problem list."""
    if not filters:
        return no_update, no_update
    start, number = window(request)
    found, total = await in_thread(desk_of(visit).problems, filters["department"], filters["state"], start, number)
    shown = [line_of(visit, problem) for problem in found]
    return {"rowData": shown, "rowCount": total}, visit.t("items.total_problems", n=total)


def line_of(visit: Visit, problem: dict[str, Any]) -> dict[str, Any]:
    """A problem as the list shows it."""
    english = visit.language == "en"
    tone = "bad" if problem["severity"] == "block" else "warn"
    said = problem["message_en"] if english else problem["message"]
    due = chip(day(problem["due"]), "bad" if problem["overdue"] else "")
    return {
        "key": "|".join((problem["item_id"], problem["element"], problem["rule"])),
        **named("name", problem["name"], problem["item"]),
        **parts("message", chip(problem["rule"], tone), {"text": said}, {"text": problem["remedy"], "c": "under"}),
        "element": problem["element"], **parts("due", due),
        "state": visit.t(f"items.problem.{problem['state']}"),
    }  # fmt: skip


@PAGE.callback(Output("items-problem-picked", "data"), Input("items-problem-table", "cellClicked"), True)
async def picked(_visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The problem that was clicked."""
    return str(cell["rowId"]) if cell and cell.get("rowId") else no_update


@PAGE.callback(
    Output("items-problem-list", "children", allow_duplicate=True), Input("items-accept", "n_clicks"),
    State("items-problem-picked", "data"), State("items-accept-note", "value"),
    State("items-problem-filters", "data"), True,
)  # fmt: skip
async def accept(visit: Visit, clicks: int | None, key: str | None, note: str | None, filters: Any) -> Any:
    """Let the picked warning stand."""
    if not clicks:
        return no_update
    if not key:
        raise InputInvalid(field=visit.t("items.problem"), detail="—", how=visit.t("items.pick"))
    item_id, element, rule = key.split("|", 2)
    await in_thread(desk_of(visit).accept, item_id, element, rule, note or "")
    tell(visit.t("items.was_accepted"))
    fresh, _ = await chosen(visit, {"rowId": filters["department"]}, filters["state"])
    return html.Div(fresh, key=key)
