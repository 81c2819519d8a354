"""Drills: start one over a recorded period, decide its cases against the clock, the marks of everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.clock import BEIJING
from dashboard.pages.choices import departments
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.moments import moment_field, moment_of
from dashboard.pages.moments import shown as local
from dashboard.pages.presses import pressed
from dashboard.pages.tables import chip, column, parts, table
from dashboard.training.drills import LEADERS, DrillDesk
from records.training.decisions import ALLOWED_S

PAGE = Page(path="/drills", zh="演练", en="Drills", order=92, roles=("admin", "manager", "operator", "dispatcher"))
TONES = {"running": "warn", "done": "good", "failed": "bad", "stopped": ""}
POLL_MS = 3000


def layout(visit: Visit) -> Any:
    """The form that starts one, the drills, the one that was picked."""
    t = visit.t
    now = visit.services.clock.now().astimezone(BEIJING).replace(minute=0, second=0, microsecond=0)
    columns = [
        column("title", t("drill.title"), minWidth=200), column("period", t("drill.period"), minWidth=240),
        column("speed", t("drill.speed"), width=100),
        column("state", t("drill.state"), cellRenderer="Parts", width=120),
        column("progress", t("drill.progress"), width=120), column("cases", t("drill.cases"), width=100),
        column("told", t("drill.told"), minWidth=180),
    ]  # fmt: skip
    form = dmc.Group([
        dmc.TextInput(id="drill-title", label=t("drill.title"), value="", w=220),
        moment_field("drill-since", t("drill.since"), now - timedelta(hours=4), w=210),
        moment_field("drill-until", t("drill.until"), now, w=210),
        dmc.NumberInput(id="drill-speed", label=t("drill.speed"), value=60, min=1, max=1000, w=110),
        dmc.Button(t("drill.start"), id="drill-start", n_clicks=0),
    ], align="flex-end", mb="sm", style={} if visit.principal.has(*LEADERS) else {"display": "none"})  # fmt: skip
    return html.Div([
        html.H1(t("page.drills")), html.P(t("drill.help"), className="quiet"), form,
        table(visit, "drill-list", columns, [], key="id", height="200px", options={"pagination": False}),
        html.Div(id="drill-head", **{"aria-live": "polite"}), html.Div(id="drill-case"), html.Div(id="drill-marks"),
        dcc.Store(id="drill-picked"), dcc.Store(id="drill-changed", data=0), dcc.Store(id="drill-shown"),
        dcc.Interval(id="drill-poll", interval=POLL_MS),
    ])  # fmt: skip


@PAGE.callback(Output("drill-list", "rowData"), Input("drill-poll", "n_intervals"), Input("drill-changed", "data"))
async def drills(visit: Visit, _poll: Any, _changed: Any) -> list[dict[str, Any]]:
    """The drills now."""
    return [drill_row(visit, one) for one in await in_thread(_desk(visit).listed)]


def drill_row(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    """A drill's line."""
    share = min(1.0, one["gone_s"] / one["lasts_s"]) if one["lasts_s"] else 1.0
    shown = f"{100 * share:.0f} %" if one["state"] == "running" else f"{one['gone_s']:.0f} s"
    return {
        "id": one["drill_id"], "title": one["title"], "period": f"{local(one['since'])} – {local(one['until'])}",
        "speed": f"{one['speed']:g}×", "progress": shown, "cases": one["report"].get("cases", ""), "told": one["told"],
        **parts("state", chip(visit.t(f"drill.state_{one['state']}"), TONES[one["state"]])),
    }  # fmt: skip


@PAGE.callback(
    Output("drill-changed", "data"), Output("drill-picked", "data"), Input("drill-start", "n_clicks"),
    Input({"drill": ALL}, "n_clicks"), Input("drill-list", "cellClicked"), State("drill-title", "value"),
    State("drill-since", "value"), State("drill-until", "value"), State("drill-speed", "value"),
    State("drill-picked", "data"), State("drill-changed", "data"), True,
)  # fmt: skip
async def act(
    visit: Visit, clicks: int | None, _buttons: list[Any], cell: dict[str, Any] | None, title: str | None,
    since: str | None, until: str | None, speed: float | None, kept: str | None, changed: int | None,
) -> Any:  # fmt: skip
    """Start a drill, stop the one that is open, or open the one that was clicked."""
    if ctx.triggered_id == "drill-list":
        return no_update, str(cell["rowId"]) if cell and cell.get("rowId") else no_update
    button, _ = pressed()
    desk = _desk(visit)
    if button == "drill-start" and clicks:
        kept = await in_thread(desk.start, title or "", moment_of(since, "since"), moment_of(until, "until"),
                               float(speed or 60))  # fmt: skip
        tell(visit.t("drill.started"))
    elif isinstance(button, dict) and kept:
        await in_thread(desk.stop, kept)
    else:
        return no_update, no_update
    return (changed or 0) + 1, kept


@PAGE.callback(
    Output("drill-head", "children"), Output("drill-marks", "children"), Input("drill-picked", "data"),
    Input("drill-poll", "n_intervals"), Input("drill-changed", "data"), Input("drill-shown", "data"), True,
)  # fmt: skip
async def one(visit: Visit, wanted: str | None, _poll: Any, _changed: Any, _shown: Any) -> Any:
    """How far it is, and everybody's marks."""
    if not wanted:
        return no_update, no_update
    found = await in_thread(_desk(visit).one, wanted)
    return head(visit, found), marks(visit, found)


def head(visit: Visit, found: dict[str, Any]) -> Any:
    """Title, state, what it came to, and the button that ends it."""
    t, report = visit.t, found["report"]
    stop = dmc.Button(t("drill.stop"), id={"drill": "stop"}, size="xs", variant="outline", n_clicks=0)
    may = found["state"] == "running" and visit.principal.has(*LEADERS)
    told = t("drill.report", **{k: report.get(k, 0) for k in ("published", "stored", "cases", "busiest_10_min")})
    return html.Div([
        html.H2(f"{found['title']} · {t('drill.state_' + found['state'])}"),
        html.P(t("drill.time", gone=f"{found['gone_s']:.0f}", lasts=f"{found['lasts_s']:.0f}", cases=found["cases"])),
        html.P(told) if report else None, html.P(found["told"], className="quiet"), stop if may else None,
    ])  # fmt: skip


def marks(visit: Visit, found: dict[str, Any]) -> Any:
    """Everybody's marks, and one's own decisions."""
    t = visit.t
    names = {choice["value"]: choice["label"] for choice in departments(visit)}
    heads = {"percent": 110, "answered": 110, "right": 100, "missed": 110, "median": 140}
    people = [column("name", t("exam.person"), minWidth=140)]
    people += [column(name, t(f"drill.{name}"), width=width) for name, width in heads.items()]
    rows = [{**p, "percent": "—" if p["percent"] is None else f"{p['percent']:g} %",
             "median": "" if p["median_s"] is None else f"{p['median_s']:g} s"} for p in found["people"]]  # fmt: skip
    own = [
        {"id": a["case_id"], "given": _decision(visit, names, a["department_id"], a["false_alarm"]),
         "right": _decision(visit, names, a["right_department"], a["right_false_alarm"]), "seconds": a["seconds"],
         "points": a["points"]} for a in found["own"]
    ]  # fmt: skip
    mine = [column("given", t("drill.given"), minWidth=200), column("right", t("drill.would_be"), minWidth=200)]
    mine += [column("seconds", t("drill.seconds"), width=110), column("points", t("drill.points"), width=100)]
    return html.Div([
        html.H3(t("drill.people")),
        table(visit, "drill-people", people, rows, key="user_id", height="200px", options={"pagination": False}),
        html.H3(t("drill.own")),
        table(visit, "drill-own", mine, own, key="id", height="220px", options={"pagination": False}),
    ])  # fmt: skip


def _decision(visit: Visit, names: dict[str, str], department: str, false_alarm: bool) -> str:
    return visit.t("drill.false_alarm") if false_alarm else names.get(department, department or "—")


@PAGE.callback(
    Output("drill-case", "children"), Output("drill-shown", "data"), Input("drill-picked", "data"),
    Input("drill-poll", "n_intervals"), Input({"decide": ALL}, "n_clicks"), State("drill-shown", "data"),
    State({"decided": ALL}, "value"), True,
)  # fmt: skip
async def decide(
    visit: Visit, wanted: str | None, _poll: Any, _clicks: list[Any], shown: dict[str, Any] | None, chosen: list[Any]
) -> Any:
    """The next case to decide; it stays until it is decided."""
    if not wanted:
        return no_update, no_update
    desk, (button, _) = _desk(visit), pressed()
    same = bool(shown and shown["drill"] == wanted)
    if isinstance(button, dict) and "decide" in button and shown and shown["case"]:
        false = button["decide"] == "false"
        department = str(chosen[0] or "") if chosen else ""
        if not false and not department:
            tell(visit.t("drill.choose"), bad=True)
            return no_update, no_update
        got = await in_thread(desk.answer, wanted, shown["case"], department, false)
        tell(visit.t("drill.got", points=f"{got['points']:g}", seconds=f"{got['seconds']:g}"), bad=not got["points"])
    elif same and shown and shown["case"]:
        return no_update, no_update
    case = await in_thread(desk.next, wanted)
    if case is None and same and shown and not shown["case"]:
        return no_update, no_update
    return case_card(visit, case), {"drill": wanted, "case": case["case_id"] if case else ""}


def case_card(visit: Visit, case: dict[str, Any] | None) -> Any:
    """A case with what is to be decided."""
    t = visit.t
    if case is None:
        return html.P(t("drill.nothing"), className="quiet")
    allowed = f"{ALLOWED_S.get(case['severity'], ALLOWED_S[1]):.0f}"
    return html.Div([
        html.H3(case["title"]),
        html.P(t("drill.facts", severity=t(f"severity.{case['severity']}"), place=case["place"] or "—",
                 at=local(case["opened_at"]), left=case["left"], allowed=allowed)),
        html.P(case["description"]),
        dmc.Group([
            dmc.Select(id={"decided": "department"}, data=departments(visit), value=None, searchable=True, w=260,
                       placeholder=t("drill.department"), **{"aria-label": t("drill.department")}),
            dmc.Button(t("drill.dispatch"), id={"decide": "dispatch"}, n_clicks=0),
            dmc.Button(t("drill.false_alarm"), id={"decide": "false"}, n_clicks=0, variant="outline"),
        ]),
    ], className="card", key=case["case_id"])  # fmt: skip


def _desk(visit: Visit) -> DrillDesk:
    return DrillDesk(visit.services, visit.principal.actor)
