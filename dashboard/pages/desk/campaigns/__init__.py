"""Supervision campaigns: the campaigns with their figures; visits, check-list, letters and the report of one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from dashboard.campaigns.desk import CampaignDesk
from dashboard.pages.desk.campaigns.page import PAGE
from dashboard.pages.desk.campaigns.plans import plan_panel
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import chip, column, parts, table
from records.campaigns.campaign import ANSWERS, example_plans

TONES = {"visited": "good", "planned": "", "waived": "warn"}


def layout(visit: Visit) -> Any:
    """A new campaign and the campaigns above; the visits of the one that is picked below."""
    t = visit.t
    columns = [
        column("name", t("camp.name"), minWidth=260), column("due", t("camp.due"), width=120),
        column("state", t("camp.state"), cellRenderer="Parts", width=110),
        column("visited", t("camp.visited"), width=130), column("problems", t("camp.problems"), width=120),
        column("overdue", t("camp.overdue"), width=120),
    ]  # fmt: skip
    plans = [{"value": p.id, "label": p.en if visit.language == "en" else p.zh} for p in example_plans().values()]
    makes = visit.principal.has("admin", "manager")
    return html.Div([
        html.H1(t("page.campaigns")), html.P(t("camp.help"), className="quiet"),
        dmc.Group([
            dmc.Select(id="camp-plan", data=plans, value=plans[0]["value"], w=280, allowDeselect=False,
                       **{"aria-label": t("camp.plan")}),
            dmc.NumberInput(id="camp-days", value=14, min=1, max=365, w=110, **{"aria-label": t("camp.days")}),
            dmc.NumberInput(id="camp-count", value=20, min=1, max=2000, w=110, **{"aria-label": t("camp.count")}),
            dmc.Button(t("camp.make"), id="camp-make", size="xs", n_clicks=0),
        ], style={} if makes else {"display": "none"}, mb="sm"),
        plan_panel(visit) if makes else None,
        table(visit, "camp-list", columns, [], key="id", height="200px", options={"pagination": False}),
        html.Div(id="camp-one", **{"aria-live": "polite"}),
        dcc.Store(id="camp-picked"), dcc.Store(id="camp-changed", data=0),
    ])  # fmt: skip


@PAGE.callback(Output("camp-list", "rowData"), Input("camp-changed", "data"))
async def campaigns(visit: Visit, _changed: int | None) -> list[dict[str, Any]]:
    """The campaigns now."""
    return [campaign_row(visit, one) for one in await in_thread(_desk(visit).listed)]


def campaign_row(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    """A campaign's line with the figures of its report."""
    report = one["report"]
    tone = "good" if one["state"] == "open" else ""
    return {
        "id": one["campaign_id"], "name": _name(visit, one), "due": str(one["due"]),
        **parts("state", chip(visit.t(f"camp.state_{one['state']}"), tone)),
        "visited": f"{report['visited']}/{report['planned']}", "problems": report["problems"],
        "overdue": report["overdue"],
    }  # fmt: skip


@PAGE.callback(
    Output("camp-changed", "data"), Input("camp-make", "n_clicks"), State("camp-plan", "value"),
    State("camp-days", "value"), State("camp-count", "value"), State("camp-changed", "data"), True,
)  # fmt: skip
async def make(
    visit: Visit, clicks: int | None, plan: str | None, days: float | None, count: float | None, changed: int | None
) -> Any:
    """A campaign after one of the plans, with records of its register as its visit list."""
    if not clicks or plan not in example_plans():
        return no_update
    desk = _desk(visit)
    due = desk.today + timedelta(days=int(days or 14))
    made = await in_thread(desk.make, dict(example_plans()[plan].body), due)
    added = await in_thread(desk.add, made, [], "", int(count or 1))
    tell(visit.t("camp.made", n=added))
    return (changed or 0) + 1


@PAGE.callback(
    Output("camp-picked", "data"), Output("camp-one", "children"), Input("camp-list", "cellClicked"),
    Input("camp-changed", "data"), State("camp-picked", "data"), True,
)  # fmt: skip
async def picked(visit: Visit, cell: dict[str, Any] | None, _changed: int | None, kept: str | None) -> Any:
    """The campaign that was clicked, or the one that is open, as it is now."""
    wanted = str(cell["rowId"]) if ctx.triggered_id == "camp-list" and cell and cell.get("rowId") else kept
    if not wanted:
        return no_update, no_update
    return wanted, detail(visit, await in_thread(_desk(visit).one, wanted))


def detail(visit: Visit, one: dict[str, Any]) -> Any:
    """Visits, the check-list for the visit that is picked, and the report."""
    t = visit.t
    columns = [
        column("name", t("camp.place"), minWidth=200), column("address", t("camp.address"), minWidth=180),
        column("state", t("camp.state"), cellRenderer="Parts", width=110),
        column("problems", t("camp.problems"), minWidth=260), column("case", t("camp.case"), width=110),
    ]  # fmt: skip
    rows = [visit_row(visit, line) for line in one["visits"]]
    return html.Div([
        html.H2(_name(visit, one)), told(visit, one["report"]), drawn(visit, one["report"]),
        table(visit, "camp-visits", columns, rows, key="id", height="34vh"),
        html.H3(t("camp.checklist")), _checklist(visit, one["form"]),
        dmc.Group([
            dmc.Button(t("camp.note_visit"), id={"camp": "visit"}, size="xs", n_clicks=0),
            dmc.Button(t("camp.letter"), id={"camp": "letter"}, size="xs", variant="light", n_clicks=0),
            dmc.TextInput(id="camp-reason", value="", w=260, placeholder=t("camp.reason"),
                          **{"aria-label": t("camp.reason")}),
            dmc.Button(t("camp.waive"), id={"camp": "waive"}, size="xs", variant="outline", n_clicks=0),
            dmc.Button(t("camp.close"), id={"camp": "close"}, size="xs", variant="outline", n_clicks=0),
        ]),
    ])  # fmt: skip


def told(visit: Visit, report: dict[str, Any]) -> Any:
    """The report in one line; a rate of nothing is a dash."""
    rates = {k: "—" if report[k] is None else f"{report[k]:g} %" for k in ("done_rate", "problem_rate")}
    return html.P(visit.t("camp.report", **{**report, **rates}))


def drawn(visit: Visit, report: dict[str, Any]) -> Any:
    """Problems by question; nothing while there are none."""
    if not report["problems"]:
        return html.Div()
    key = "en" if visit.language == "en" else "zh"
    rows = report["questions"][::-1]
    bar = go.Bar(y=[q[key] for q in rows], x=[q["problems"] for q in rows], orientation="h", marker_color="#f2a33c")
    figure = go.Figure(bar)
    figure.update_layout(height=60 + 34 * len(rows), margin={"l": 8, "r": 12, "t": 8, "b": 28},
                         paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
                         yaxis={"automargin": True}, xaxis={"dtick": None, "rangemode": "tozero"})  # fmt: skip
    return dcc.Graph(id="camp-chart", figure=figure, config={"displaylogo": False})


def visit_row(visit: Visit, line: dict[str, Any]) -> dict[str, Any]:
    """A visit's line."""
    return {
        "id": line["visit_id"], "name": line["name"], "address": line["address"],
        **parts("state", chip(visit.t(f"camp.visit_{line['state']}"), TONES[line["state"]])),
        "problems": "；".join(p["title"] for p in line["problems"]) or line["note"],
        "case": visit.t("camp.opened") if line["case_id"] else "",
    }  # fmt: skip


def _checklist(visit: Visit, form: dict[str, Any]) -> Any:
    key = "en" if visit.language == "en" else "zh"
    options = [{"value": "", "label": "—"}]  # nothing is answered before somebody has looked
    options += [{"value": name, "label": words[key]} for name, words in ANSWERS.items()]
    asked = [
        dmc.Group([
            html.Span(q["label"].get(key) or q["label"]["zh"], style={"minWidth": "320px"}),
            dmc.SegmentedControl(id={"campq": q["name"]}, data=options, value="", size="xs"),
        ]) for q in form["questions"] if q["type"] == "select_one"
    ]  # fmt: skip
    note = dmc.Textarea(id={"campq": "note"}, value="", w=520, minRows=2, label=visit.t("camp.note"))
    return dmc.Stack([*asked, note], gap="xs", mb="sm")


@PAGE.callback(
    Output("camp-changed", "data", allow_duplicate=True), Input({"camp": ALL}, "n_clicks"),
    State("camp-visits", "cellClicked"), State({"campq": ALL}, "value"), State("camp-reason", "value"),
    State("camp-picked", "data"), State("camp-changed", "data"), True,
)  # fmt: skip
async def act(
    visit: Visit, clicks: list[int], cell: dict[str, Any] | None, values: list[str], reason: str | None,
    wanted: str | None, changed: int | None,
) -> Any:  # fmt: skip
    """What the button says, for the visit that is picked (closing: for the campaign)."""
    name = ctx.triggered_id["camp"] if isinstance(ctx.triggered_id, dict) and any(clicks) else ""
    if not name or not wanted:
        return no_update
    line = str((cell or {}).get("rowId") or "")
    if name != "close" and not line:
        tell(visit.t("camp.pick"), bad=True)
        return no_update
    answers = {s["id"]["campq"]: v for s, v in zip(ctx.states_list[1], values, strict=True) if v}
    await in_thread(deed, _desk(visit), name, wanted, line, answers, reason or "")
    tell(visit.t("camp.done"))
    return (changed or 0) + 1


def deed(desk: CampaignDesk, name: str, campaign: str, visit_id: str, answers: dict[str, Any], reason: str) -> None:
    """A button's deed."""
    match name:
        case "visit":
            desk.visit(campaign, visit_id, answers)
        case "letter":
            desk.letter(campaign, visit_id)
        case "waive":
            desk.waive(campaign, visit_id, reason)
        case _:
            desk.close(campaign, reason)


def _name(visit: Visit, one: dict[str, Any]) -> str:
    return str(one["en"] if visit.language == "en" else one["zh"])


def _desk(visit: Visit) -> CampaignDesk:
    return CampaignDesk(visit.services, visit.principal.actor)
