"""Benefits without application: rules with their state, simulation and switch; who gets what and why; refusals."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, ctx, dcc, html, no_update

from dashboard.benefits.desk import BenefitDesk
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.tables import chip, column, parts, table
from records.benefits.refusing import CHANNELS

PAGE = Page(path="/benefits", zh="免申即享", en="Benefits", roles=("admin", "manager", "staff"), order=67)
TONES = {"on": "good", "asked": "warn", "simulated": "", "off": "", "changed": "bad"}
STATES = ("proposed", "confirmed", "handed", "refused", "rejected", "gone")
ACTIONS = ("simulate", "ask", "confirm", "refuse", "on", "off")
SHOWN = 1000


def layout(visit: Visit) -> Any:
    """Rules above; below, once one is picked, its reasons, simulation and switch, and the people of the period."""
    t = visit.t
    rules = [
        column("name", t("ben.name"), cellRenderer="Parts", minWidth=240), column("payer", t("ben.payer"), width=150),
        column("state", t("ben.state"), cellRenderer="Parts", width=150),
        column("current", t("ben.current"), width=110), column("people", t("ben.people"), width=110),
        column("amount", t("ben.amount"), width=130), column("then", t("ben.then"), width=150),
    ]  # fmt: skip
    return html.Div([
        html.H1(t("page.benefits")), html.P(t("ben.help"), className="quiet"),
        table(visit, "ben-rules", rules, [], key="id", height="230px", options={"pagination": False, "rowHeight": 50}),
        html.Div(id="ben-one", **{"aria-live": "polite"}),
        dcc.Store(id="ben-picked"), dcc.Store(id="ben-changed", data=0), dcc.Download(id="ben-file"),
    ])  # fmt: skip


@PAGE.callback(Output("ben-rules", "rowData"), Input("ben-changed", "data"))
async def rules(visit: Visit, _changed: int | None) -> list[dict[str, Any]]:
    """The benefits now."""
    return [rule_row(visit, one) for one in await in_thread(_desk(visit).listed)]


def rule_row(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    """A benefit's line: who counts are those that are proposed, confirmed or handed over."""
    standing = [one["figures"].get(state, {"count": 0, "amount": 0.0}) for state in STATES[:3]]
    return {
        "id": one["benefit_id"], "payer": one["payer_name"], "current": one["current"],
        **parts("name", {"text": _name(visit, one)}, {"text": one["source"], "c": "under"}),
        **parts("state", chip(visit.t(f"ben.state_{one['state']}"), TONES[one["state"]])),
        "people": sum(s["count"] for s in standing), "amount": f"{sum(s['amount'] for s in standing):,.2f}",
        "then": visit.t(f"ben.then_{one['then']}"),
    }  # fmt: skip


@PAGE.callback(
    Output("ben-picked", "data"), Output("ben-one", "children"), Input("ben-rules", "cellClicked"),
    Input("ben-changed", "data"), State("ben-picked", "data"), True,
)  # fmt: skip
async def picked(visit: Visit, cell: dict[str, Any] | None, _changed: int | None, kept: str | None) -> Any:
    """The benefit that was clicked, or the one that is open, as it is now."""
    wanted = str(cell["rowId"]) if ctx.triggered_id == "ben-rules" and cell and cell.get("rowId") else kept
    if not wanted:
        return no_update, no_update
    desk = _desk(visit)
    one = await in_thread(desk.one, wanted)
    people = (await in_thread(desk.grants, wanted, "", "", SHOWN))[0] if one["sees_people"] else []
    return wanted, detail(visit, one, people)


def detail(visit: Visit, one: dict[str, Any], people: list[dict[str, Any]]) -> Any:
    """Reasons, simulation and switch of one benefit; the people of the period for whoever pays."""
    t, english = visit.t, visit.language == "en"
    reasons = [html.Li([c["en" if english else "zh"], " ", html.Code(c["holds"])]) for c in one["conditions"]]
    buttons = [
        dmc.Button(t(f"ben.{name}"), id=f"ben-{name}", size="xs", variant="light",
                   style={} if name in one["allowed"] else {"display": "none"}) for name in ACTIONS
    ]  # fmt: skip
    asked = t("ben.asked_by", who=one["asked_by"], reason=one["reason"]) if one["state"] == "asked" else ""
    running = t("ben.decided_by", who=one["decided_by"], reason=one["reason"]) if one["state"] == "on" else ""
    return html.Div([
        html.H2(_name(visit, one)), html.Ul(reasons),
        html.P([t("ben.amount"), " ", html.Code(one["amount"])], className="quiet"),
        dmc.Group([
            dmc.NumberInput(id="ben-periods", value=12, min=1, max=36, w=120, **{"aria-label": t("ben.periods")}),
            dmc.TextInput(id="ben-reason", placeholder=t("ben.reason"), w=300, value="",
                          **{"aria-label": t("ben.reason")}), *buttons,
        ]),
        html.P(asked or running, className="quiet"), drawn(visit, one),
        *(_people(visit, one, people) if one["sees_people"] else ()),
    ])  # fmt: skip


def drawn(visit: Visit, one: dict[str, Any]) -> Any:
    """The last simulation: people as bars, yuan written on them; a line of text when there is none."""
    periods = one["simulation"]
    if not periods:
        return html.P(visit.t("ben.not_simulated"), className="quiet")
    figure = go.Figure(
        go.Bar(x=[p["period"] for p in periods], y=[p["entitled"] for p in periods], marker_color="#58c7f3",
               text=[f"{p['amount']:,.0f} ¥" for p in periods])
    )  # fmt: skip
    figure.update_layout(
        height=230, margin={"l": 48, "r": 12, "t": 30, "b": 30}, title=visit.t("ben.simulated"),
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", xaxis={"type": "category"},
    )  # fmt: skip
    return dcc.Graph(id="ben-chart", figure=figure, config={"displaylogo": False})


def _people(visit: Visit, one: dict[str, Any], people: list[dict[str, Any]]) -> list[Any]:
    t = visit.t
    columns = [
        column("name", t("ben.person"), width=140), column("division", t("ben.division"), width=140),
        column("amount", t("ben.amount"), width=110), column("state", t("ben.state"), width=120),
        column("why", t("ben.why"), minWidth=380),
    ]  # fmt: skip
    channels = [{"value": c, "label": t(f"ben.channel_{c}")} for c in CHANNELS]
    files = [{"value": f["period"], "label": f["period"]} for f in one["files"] if f["state"] == "closed"]
    return [
        html.H2(t("ben.people_of", period=one["current"])),
        dmc.Group([
            dmc.Select(id="ben-channel", data=channels, value="counter", w=130, allowDeselect=False,
                       **{"aria-label": t("ben.channel")}),
            dmc.TextInput(id="ben-refusal", placeholder=t("ben.refusal_reason"), w=280, value="",
                          **{"aria-label": t("ben.refusal_reason")}),
            dmc.Button(t("ben.refuses"), id="ben-refuses", size="xs", variant="outline"),
            dmc.Select(id="ben-period", data=files, value=files[0]["value"] if files else None, w=120,
                       placeholder=t("ben.no_file"), **{"aria-label": t("ben.file")}),
            dmc.Button(t("ben.hand_over"), id="ben-hand", size="xs", variant="outline", disabled=not files),
        ]),
        table(visit, "ben-people", columns, [person_row(visit, each) for each in people], key="id", height="40vh"),
    ]  # fmt: skip


def person_row(visit: Visit, grant: dict[str, Any]) -> dict[str, Any]:
    """A grant's line: every reason with what it saw."""
    key = "en" if visit.language == "en" else "zh"
    why = "；".join(f"{c[key]}（{'、'.join(f'{k}={v}' for k, v in c['facts'].items())}）" for c in grant["why"])
    state = visit.t(f"ben.grant_{grant['state']}")
    return {"id": grant["record_id"], "name": grant["name"], "division": grant["division_code"],
            "amount": f"{grant['amount']:,.2f}", "state": state, "why": why}  # fmt: skip


@PAGE.callback(
    Output("ben-changed", "data"), *(Input(f"ben-{name}", "n_clicks") for name in ACTIONS),
    State("ben-periods", "value"), State("ben-reason", "value"), State("ben-picked", "data"),
    State("ben-changed", "data"), True,
)  # fmt: skip
async def act(visit: Visit, *given: Any) -> Any:
    """Simulate or switch the benefit that is open."""
    periods, reason, wanted, changed = given[-4:]
    name = str(ctx.triggered_id or "").removeprefix("ben-")
    if not wanted or not any(given[:-4]) or name not in ACTIONS:
        return no_update
    desk = _desk(visit)
    if name == "simulate":
        await in_thread(desk.simulate, wanted, int(periods or 12))
    else:
        await in_thread(desk.move, wanted, name, reason or "")
    tell(visit.t("ben.done"))
    return (changed or 0) + 1


@PAGE.callback(
    Output("ben-changed", "data", allow_duplicate=True), Input("ben-refuses", "n_clicks"),
    State("ben-people", "cellClicked"), State("ben-refusal", "value"), State("ben-channel", "value"),
    State("ben-picked", "data"), State("ben-changed", "data"), True,
)  # fmt: skip
async def refuses(
    visit: Visit, clicks: int | None, cell: dict[str, Any] | None, reason: str | None, channel: str | None,
    wanted: str | None, changed: int | None,
) -> Any:  # fmt: skip
    """The person of the row that is picked wants none."""
    if not clicks or not wanted:
        return no_update
    if not cell or not cell.get("rowId"):
        tell(visit.t("ben.pick"), bad=True)
        return no_update
    await in_thread(_desk(visit).refuse, wanted, str(cell["rowId"]), reason or "", channel or "counter")
    tell(visit.t("ben.refused"))
    return (changed or 0) + 1


@PAGE.callback(
    Output("ben-file", "data"), Output("ben-changed", "data", allow_duplicate=True), Input("ben-hand", "n_clicks"),
    State("ben-period", "value"), State("ben-reason", "value"), State("ben-picked", "data"),
    State("ben-changed", "data"), True,
)  # fmt: skip
async def hand_over(
    visit: Visit, clicks: int | None, period: str | None, reason: str | None, wanted: str | None, changed: int | None
) -> Any:
    """The list of a period that is over, as CSV with masked numbers; the reason goes into the audit chain."""
    if not clicks or not wanted or not period:
        return no_update, no_update
    content = await in_thread(_desk(visit).hand_over, wanted, period, reason or "", False)
    return dcc.send_bytes(content, f"{wanted}-{period}.csv"), (changed or 0) + 1


def _name(visit: Visit, one: dict[str, Any]) -> str:
    return str(one["en"] if visit.language == "en" else one["zh"])


def _desk(visit: Visit) -> BenefitDesk:
    return BenefitDesk(visit.services, visit.principal.actor)
