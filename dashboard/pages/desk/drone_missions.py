"""Missions (飞行任务): asked for, planned on a map, flown, answered."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from dashboard.drones import mission_work as work
from dashboard.drones.mission_pdf import warning_text
from dashboard.drones.planning import PlanWish
from dashboard.drones.routes import CREW, VIEWERS
from dashboard.i18n import words
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.mission_chart import box_area, drawn_area, mission_chart
from dashboard.pages.tables import chip, column, parts, table
from ingest.drones.cameras import survey_cameras
from storage.drones import DroneStore
from storage.missions import OPEN_STATES, MissionStore, MissionView

PAGE = Page(path="/drone/missions", zh="飞行任务", en="Missions", order=66, roles=VIEWERS)
_TONES = {"requested": "warn", "planned": "", "flying": "good", "done": "off", "cancelled": "off"}


def layout(visit: Visit) -> Any:
    """Missions at the left with the form for a new one, the picked mission at the right."""
    t = visit.t
    columns = [
        column("title", t("mission.title"), minWidth=160), column("purpose", t("mission.purpose"), width=120),
        column("state", t("mission.state"), width=120, cellRenderer="Parts"),
        column("asked", t("mission.asked"), width=150),
    ]  # fmt: skip
    left = [table(visit, "missions", columns, [], key="mission_id", height="360px")]
    if visit.principal.has(*CREW):
        left.append(_new(visit))
    return html.Div(
        [
            html.H1(t("drone.missions")),
            dcc.Store(id="mission-again"), dcc.Store(id="mission-id"), dcc.Store(id="mission-drawn"),
            dmc.Group(
                [
                    html.Div(left, style={"flex": "1 1 400px", "minWidth": 0}),
                    html.Div(t("mission.pick"), id="mission-card", style={"flex": "2 1 560px", "minWidth": 0}),
                ],
                align="flex-start", gap="md",
            ),
        ]
    )  # fmt: skip


def _options(visit: Visit, family: str, names: Any) -> list[dict[str, str]]:
    word = words(visit.language)
    return [{"value": name, "label": word.get(f"mission.{family}.{name}", name)} for name in names]


def _new(visit: Visit) -> Any:
    t = visit.t
    return dmc.Stack(
        [
            html.H2(t("mission.new")),
            dmc.TextInput(id="new-title", label=t("mission.title")),
            dmc.Select(id="new-purpose", label=t("mission.purpose"), value="survey",
                       data=_options(visit, "purpose", work.PURPOSES)),
            dmc.Group(
                [
                    dmc.NumberInput(id="new-lat", label=t("mission.lat"), w=130, decimalScale=7),
                    dmc.NumberInput(id="new-lon", label=t("mission.lon"), w=130, decimalScale=7),
                    dmc.NumberInput(id="new-wide", label=t("mission.wide"), w=130, value=200, min=0, max=5000),
                    dmc.NumberInput(id="new-high", label=t("mission.high"), w=130, value=200, min=0, max=5000),
                ]
            ),
            dmc.Button(t("mission.create"), id="new-create"),
        ],
        gap="xs", mt="md",
    )  # fmt: skip


@PAGE.callback(Output("missions", "rowData"), Input("mission-again", "data"))
async def missions(visit: Visit, _again: Any) -> list[dict[str, Any]]:
    """Every mission, the newest first."""
    word = words(visit.language)
    return [
        {
            "mission_id": m.mission_id, "title": m.title,
            "purpose": word.get(f"mission.purpose.{m.purpose}", m.purpose),
            **parts("state", chip(word[f"mission.state.{m.state}"], _TONES[m.state])),
            "asked": m.requested_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"),
        }
        for m in await in_thread(MissionStore(visit.services.engine).missions)
    ]  # fmt: skip


@PAGE.callback(
    Output("mission-again", "data"), Input("new-create", "n_clicks"), State("new-title", "value"),
    State("new-purpose", "value"), State("new-lat", "value"), State("new-lon", "value"), State("new-wide", "value"),
    State("new-high", "value"), True,
)  # fmt: skip
async def create(visit: Visit, clicks: int | None, title: Any, purpose: Any, *numbers: Any) -> Any:
    """A mission of the team's own."""
    if not clicks:
        return no_update
    lat, lon, wide, high = (float(n) if isinstance(n, int | float) else 0.0 for n in numbers)
    wish = work.MissionWish(purpose=str(purpose), title=str(title or ""), area=box_area(lon, lat, wide, high))
    await in_thread(work.ask, visit.services, visit.principal, wish)
    tell(visit.t("mission.saved"))
    return f"new {clicks}"


@PAGE.callback(
    Output("mission-card", "children"), Output("mission-id", "data"), Input("missions", "cellClicked"),
    Input("mission-again", "data"), State("mission-id", "data"), True,
)  # fmt: skip
async def picked(visit: Visit, clicked: dict[str, Any] | None, _again: Any, shown: str | None) -> Any:
    """The picked mission: facts, plan, chart, answer."""
    chosen = str(clicked["rowId"]) if clicked and clicked.get("rowId") else shown
    if not chosen:
        return no_update, no_update
    return await in_thread(_card, visit, chosen), chosen


def _card(visit: Visit, mission_id: str) -> Any:
    t, mission = visit.t, MissionStore(visit.services.engine).mission(mission_id)
    crew = visit.principal.has(*CREW) and mission.state in OPEN_STATES
    path = f"/api/drone/missions/{mission.mission_id}"
    links = [html.A(t("mission.report"), href=f"{path}/report.pdf", className="button")]
    if mission.plan and visit.principal.has(*CREW):
        links.insert(0, html.A(t("mission.route"), href=f"{path}/route.kmz", className="button"))
    return dmc.Stack(
        [
            html.H2(mission.title), html.P(mission.note), _plan_text(visit, mission),
            dcc.Graph(id="mission-chart", figure=mission_chart(visit, mission), config={
                "scrollZoom": True, "displaylogo": False, "modeBarButtonsToAdd": ["drawclosedpath", "drawrect"],
            }),
            dmc.Group(links),
            *(_team(visit, mission) if crew else _result(visit, mission)),
        ],
        gap="xs",
    )  # fmt: skip


def _plan_text(visit: Visit, mission: MissionView) -> Any:
    plan, t = mission.plan, visit.t
    if not plan:
        return html.P(t("mission.no_plan"), className="quiet")
    word = words(visit.language)
    told = t("mission.figures", kind=word[f"mission.kind.{plan['wish']['kind']}"], height=plan["height_m"],
             gsd=plan["gsd_cm"], photos=plan["photos"], minutes=plan["minutes"])  # fmt: skip
    warned = [
        html.Li(warning_text(w, visit.language), className="chip bad" if w["blocking"] else "")
        for w in plan["warnings"]
    ]
    heading = [html.Strong(t("mission.warn_title")), html.Ul(warned)] if warned else []
    return html.Div([html.P(told), *heading])


def _result(visit: Visit, mission: MissionView) -> list[Any]:
    if not mission.verdict and not mission.answer:
        return []
    said = words(visit.language).get(f"mission.verdict.{mission.verdict}", "")
    return [html.P([html.Strong(said), " ", mission.answer])]


def _team(visit: Visit, mission: MissionView) -> list[Any]:
    """What the team fills in: the area, the plan, who flies, the answer."""
    t, wish = visit.t, mission.plan.get("wish", {})
    survey = mission.area.get("type") == "Polygon"
    cameras = [{"value": c.key, "label": c.name} for c in survey_cameras().values()]
    files = [f for flight in DroneStore(visit.services.engine).flights(20)
             for f in DroneStore(visit.services.engine).files(flight.flight_id, None, 200)
             if f.kind in ("jpeg", "tiff")]  # fmt: skip
    return [
        html.P(t("mission.draw"), className="quiet"), dmc.Button(t("mission.take_area"), id="area-take", w=220),
        dmc.Group(
            [
                dmc.Select(id="plan-kind", label=t("mission.kind"), w=150,
                           value=wish.get("kind", "survey" if survey else "look_again"),
                           data=_options(visit, "kind", ("survey", "look_again"))),
                dmc.Select(id="plan-camera", label=t("mission.camera"), w=150, value=wish.get("camera", "m3e"),
                           data=cameras),
                _number("plan-gsd", t("mission.gsd"), wish.get("gsd_cm", 3.0)),
                _number("plan-front", t("mission.front"), round(100 * wish.get("front", 0.8))),
                _number("plan-side", t("mission.side"), round(100 * wish.get("side", 0.7))),
                _number("plan-speed", t("mission.speed"), wish.get("speed_ms", 8.0)),
                _number("plan-ground", t("mission.ground"), wish.get("ground_above_takeoff_m", 0.0)),
                dmc.Button(t("mission.make_plan"), id="plan-make", mt=24),
            ]
        ),
        dmc.Group(
            [
                dmc.TextInput(id="edit-pilot", label=t("mission.pilot"), value=mission.pilot, w=150),
                dmc.TextInput(id="edit-aircraft", label=t("mission.aircraft"), value=mission.aircraft, w=170),
                dmc.TextInput(id="edit-permit", label=t("mission.permit"), value=mission.permit, w=190),
                dmc.DateTimePicker(id="edit-starts", label=t("mission.starts"), value=_local(mission.starts_at), w=190),
                dmc.DateTimePicker(id="edit-ends", label=t("mission.ends"), value=_local(mission.ends_at), w=190),
                dmc.Select(id="edit-state", label=t("mission.state"), value=mission.state, w=140,
                           data=_options(visit, "state", (mission.state, *(
                               s for s in ("planned", "flying", "done", "cancelled") if s != mission.state)))),
                dmc.Button(t("mission.save"), id="edit-save", mt=24),
            ]
        ),
        dmc.MultiSelect(id="answer-pictures", label=t("mission.pictures"), searchable=True, maxValues=20,
                        data=[{"value": f.file_id, "label": f.name} for f in files[:500]]),
        dmc.Group(
            [
                dmc.Select(id="answer-verdict", label=t("mission.verdict"), w=150, clearable=True,
                           data=_options(visit, "verdict", work.VERDICTS)),
                dmc.TextInput(id="answer-text", label=t("mission.answer"), w=320),
                dmc.Button(t("mission.send_answer"), id="answer-send", mt=24),
            ]
        ),
    ]  # fmt: skip


def _number(name: str, label: str, value: float) -> Any:
    return dmc.NumberInput(id=name, label=label, value=value, w=130, decimalScale=2)


def _local(moment: Any) -> str | None:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if moment else None


@PAGE.callback(Output("mission-drawn", "data"), Input("mission-chart", "relayoutData"), True)
async def drawn(_visit: Visit, relayout: dict[str, Any] | None) -> Any:
    """Remember what was drawn; moving and zooming change nothing."""
    return drawn_area(relayout) or no_update


@PAGE.callback(
    Output("mission-again", "data", allow_duplicate=True), Input("area-take", "n_clicks"), State("mission-id", "data"),
    State("mission-drawn", "data"), True,
)  # fmt: skip
async def take_area(visit: Visit, clicks: int | None, mission_id: str | None, area: dict[str, Any] | None) -> Any:
    """The drawn area becomes the mission's."""
    if not clicks or not mission_id:
        return no_update
    if not area:
        tell(visit.t("mission.no_drawing"), bad=True)
        return no_update
    await in_thread(work.edit, visit.services, visit.principal, mission_id, work.MissionEdit(area=area))
    return f"area {clicks}"


@PAGE.callback(
    Output("mission-again", "data", allow_duplicate=True), Input("plan-make", "n_clicks"), State("mission-id", "data"),
    *(State(f"plan-{n}", "value") for n in ("kind", "camera", "gsd", "front", "side", "speed", "ground")), True,
)  # fmt: skip
async def make(visit: Visit, clicks: int | None, mission_id: str | None, kind: Any, camera: Any, *numbers: Any) -> Any:
    """Plan as filled in."""
    if not clicks or not mission_id:
        return no_update
    gsd, front, side, speed, ground = (float(n) if isinstance(n, int | float) else 0.0 for n in numbers)
    wish = PlanWish(str(kind), str(camera), gsd, front / 100, side / 100, speed, None, ground)
    await in_thread(work.plan, visit.services, visit.principal, mission_id, wish)
    return f"plan {clicks}"


@PAGE.callback(
    Output("mission-again", "data", allow_duplicate=True), Input("edit-save", "n_clicks"), State("mission-id", "data"),
    *(State(f"edit-{n}", "value") for n in ("pilot", "aircraft", "permit", "starts", "ends", "state")), True,
)  # fmt: skip
async def save(visit: Visit, clicks: int | None, mission_id: str | None, *given: Any) -> Any:
    """Who flies what when, and with which permit."""
    if not clicks or not mission_id:
        return no_update
    names = ("pilot", "aircraft", "permit", "starts_at", "ends_at", "state")
    sent = {n: str(v) for n, v in zip(names, given, strict=True) if v not in (None, "")}
    for name in ("starts_at", "ends_at"):
        if name in sent:
            sent[name] = sent[name].replace(" ", "T") + "+08:00"
    if sent.get("state") == "requested":
        del sent["state"]
    edit = msgspec.convert(sent, work.MissionEdit)
    await in_thread(work.edit, visit.services, visit.principal, mission_id, edit)
    tell(visit.t("mission.saved"))
    return f"save {clicks}"


@PAGE.callback(
    Output("mission-again", "data", allow_duplicate=True), Input("answer-send", "n_clicks"),
    State("mission-id", "data"), State("answer-verdict", "value"), State("answer-text", "value"),
    State("answer-pictures", "value"), True,
)  # fmt: skip
async def answer(visit: Visit, clicks: int | None, mission_id: str | None, verdict: Any, text: Any, files: Any) -> Any:
    """What was seen, with its pictures."""
    if not clicks or not mission_id:
        return no_update
    sent = work.MissionReport(str(verdict or ""), str(text or ""), list(files or []))
    await in_thread(work.answer, visit.services, visit.principal, mission_id, sent)
    tell(visit.t("mission.saved"))
    return f"answer {clicks}"
