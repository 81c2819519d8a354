"""Drone findings (航拍发现): what was seen where, judged by people; missing boxes are drawn, photos reviewed."""

from __future__ import annotations

import re
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from dashboard.drones import findings as words_of
from dashboard.drones.judging import NAMES, checked_box, checked_name, drawn
from dashboard.drones.routes import CREW, VIEWERS
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.tables import chip, column, parts, table
from storage.aerial import AerialStore, FindingView
from storage.drones import DroneStore, FlightView

PAGE = Page(path="/drone/findings", zh="航拍发现", en="Drone findings", order=66, roles=VIEWERS)
_COLOURS = {"fire": "#ff5252", "smoke": "#ff8a80", "garbage": "#ffb300", "overflow": "#ffd54f"}
_TONES = {"found": "warn", "confirmed": "good", "added": "good", "rejected": "off"}


def layout(visit: Visit) -> Any:
    """Flights, the things found in the picked one, the picture of the picked thing."""
    t = visit.t
    flights = [
        column("name", t("drone.flight"), minWidth=120), column("first", t("drone.taken"), width=150),
        column("found", t("aerial.found"), minWidth=160),
    ]  # fmt: skip
    things = [
        column("what", t("aerial.what"), cellRenderer="Parts", minWidth=150),
        column("sure", t("aerial.sure"), width=100), column("pictures", t("aerial.pictures"), width=100),
        column("where", t("aerial.where"), width=190), column("told", t("aerial.told"), width=120),
    ]  # fmt: skip
    return html.Div(
        [
            html.H1(PAGE.zh if visit.language == "zh" else PAGE.en),
            html.P(t("aerial.trust"), className="quiet"),
            dcc.Store(id="aerial-again"), dcc.Store(id="aerial-file"), dcc.Store(id="aerial-finding"),
            dmc.Group(
                [
                    html.Div(table(visit, "aerial-flights", flights, [], key="flight_id", height="300px"),
                             style={"flex": "1 1 380px", "minWidth": 0}),
                    html.Div(table(visit, "aerial-things", things, [], key="finding_id", height="300px"),
                             style={"flex": "2 1 560px", "minWidth": 0}),
                ],
                align="flex-start", gap="md",
            ),
            _judge(visit) if visit.principal.has(*CREW) else None,
            dcc.Graph(
                id="aerial-picture", figure=_nothing(),
                config={"displaylogo": False, "scrollZoom": True, "modeBarButtonsToAdd": ["drawrect", "eraseshape"]},
            ),
        ]
    )  # fmt: skip


def _nothing() -> go.Figure:
    axis = {"visible": False}
    return go.Figure(layout={"height": 60, "xaxis": axis, "yaxis": axis, "paper_bgcolor": "rgba(0,0,0,0)",
                             "plot_bgcolor": "rgba(0,0,0,0)", "margin": {"t": 0, "b": 0}})  # fmt: skip


def _judge(visit: Visit) -> Any:
    t = visit.t
    names = [{"value": name, "label": words_of.title(name, visit.language)} for name in sorted(NAMES)]
    button = {"mt": 24, "variant": "default"}
    return dmc.Group(
        [
            dmc.Select(id="aerial-name", label=t("aerial.what"), data=names, w=170, clearable=True),
            dmc.Button(t("aerial.confirm"), id="aerial-confirm", mt=24),
            dmc.Button(t("aerial.reject"), id="aerial-reject", **button),
            dmc.Button(t("aerial.add"), id="aerial-add", **button),
            dmc.Button(t("aerial.review"), id="aerial-review", **button),
            html.A(t("aerial.export"), href="/api/drone/evaluation?model=aerial_vehicles",
                   style={"marginTop": 24}),
        ],
        mt="md",
    )  # fmt: skip


@PAGE.callback(Output("aerial-flights", "rowData"), Input("aerial-again", "data"))
async def flights(visit: Visit, _at: Any) -> list[dict[str, Any]]:
    """Flights with counts of what was found."""
    found: list[dict[str, Any]] = await in_thread(_flights, visit)
    return found


def _flights(visit: Visit) -> list[dict[str, Any]]:
    store = AerialStore(visit.services.engine)
    return [
        _flight_row(visit, flight, store.findings(flight.flight_id))
        for flight in DroneStore(visit.services.engine).flights(50)
    ]


def _flight_row(visit: Visit, flight: FlightView, found: list[FindingView]) -> dict[str, Any]:
    counted = [f"{words_of.title(name, visit.language)} {count}" for name, count in words_of.counts(found).items()]
    first = flight.first_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if flight.first_at else "—"
    return {"flight_id": flight.flight_id, "name": flight.name, "first": first, "found": ", ".join(counted) or "—"}


@PAGE.callback(
    Output("aerial-things", "rowData"), Input("aerial-flights", "cellClicked"), Input("aerial-again", "data")
)
async def things(visit: Visit, clicked: dict[str, Any] | None, _at: Any) -> list[dict[str, Any]]:
    """One row a thing, its surest picture; the rejected ones last."""
    flight = str(clicked["rowId"]) if clicked and clicked.get("rowId") else None
    found = await in_thread(AerialStore(visit.services.engine).findings, flight)
    rejected = [f for f in found if f.state == "rejected"]
    pictures: dict[str, set[str]] = {}
    for finding in found:
        pictures.setdefault(finding.thing_id, set()).add(finding.file_id)
    return [_thing_row(visit, f, len(pictures[f.thing_id])) for f in [*words_of.surest(found), *rejected]]


def _thing_row(visit: Visit, f: FindingView, pictures: int) -> dict[str, Any]:
    state = chip(words_of.word(words_of.STATES[f.state], visit.language), _TONES[f.state])
    where = f"{f.lat:.6f}, {f.lon:.6f}" if f.lat is not None and f.lon is not None else "—"
    told = f.reported_at.astimezone(BEIJING).strftime("%m-%d %H:%M") if f.reported_at else "—"
    return {
        "finding_id": f.finding_id, "sure": f"{f.confidence:.0%}", "pictures": pictures, "where": where, "told": told,
        **parts("what", chip(words_of.title(f.name, visit.language)), state),
    }  # fmt: skip


@PAGE.callback(
    Output("aerial-picture", "figure"), Output("aerial-file", "data"), Output("aerial-finding", "data"),
    Input("aerial-things", "cellClicked"), Input("aerial-again", "data"), State("aerial-finding", "data"), True,
)  # fmt: skip
async def picked(visit: Visit, clicked: dict[str, Any] | None, _at: Any, held: str | None) -> Any:
    """The picture with its boxes; the picked one is drawn thicker."""
    finding_id = str(clicked["rowId"]) if clicked and clicked.get("rowId") else held
    if not finding_id:
        return no_update, no_update, no_update
    store = AerialStore(visit.services.engine)
    one = await in_thread(store.finding, finding_id)
    boxes = await in_thread(store.findings, None, one.file_id)
    look = (await in_thread(store.looks, one.flight_id)).get(one.file_id)
    shape = look.height / look.width if look is not None and look.width else 0.75
    return figure(visit, one, boxes, shape), one.file_id, finding_id


def figure(visit: Visit, one: FindingView, boxes: list[FindingView], shape: float) -> go.Figure:
    """The picture from 0 to 1 both ways (``shape``: height over width), boxes as shapes to draw and erase."""
    chart = go.Figure()
    picture = {"source": f"/api/drone/files/{one.file_id}/large", "xref": "x", "yref": "y", "x": 0, "y": 0}
    chart.add_layout_image(**picture, sizex=1, sizey=1, sizing="stretch", layer="below")
    for f in boxes:
        if f.state == "rejected":
            continue
        x1, y1, x2, y2 = f.box
        line = {"color": _COLOURS.get(f.name, "#80deea"), "width": 4 if f.finding_id == one.finding_id else 2}
        label = {"text": words_of.title(f.name, visit.language), "textposition": "top left", "font": {"size": 11}}
        chart.add_shape(type="rect", x0=x1, y0=y1, x1=x2, y1=y2, line=line, label=label, name=f.finding_id)
    chart.update_xaxes(visible=False, range=[0, 1])
    chart.update_yaxes(visible=False, range=[1, 0], scaleanchor="x", scaleratio=shape)
    chart.update_layout(
        height=560, margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode="drawrect", uirevision=one.file_id,
        newshape={"line": {"color": "#00e676", "width": 3}},
    )  # fmt: skip
    return chart


def _again(output: str) -> Any:
    return Output(output, "data", allow_duplicate=True)


@PAGE.callback(
    _again("aerial-again"), Input("aerial-confirm", "n_clicks"), State("aerial-finding", "data"),
    State("aerial-name", "value"), State("aerial-picture", "relayoutData"), State("aerial-picture", "figure"), True,
)  # fmt: skip
async def confirm(visit: Visit, clicks: int | None, finding_id: str | None, name: Any, moved: Any, shown: Any) -> Any:
    """The picked finding is right, perhaps under another name or with the box as it was moved."""
    if not clicks or not finding_id:
        return no_update
    box = moved_box(moved, shown, finding_id)
    await in_thread(_say, visit, finding_id, "confirmed", name or "", box)
    tell(visit.t("aerial.saved"))
    return f"c{clicks}"


@PAGE.callback(
    _again("aerial-again"), Input("aerial-reject", "n_clicks"), State("aerial-finding", "data"), True
)  # fmt: skip
async def reject(visit: Visit, clicks: int | None, finding_id: str | None) -> Any:
    """The picked finding is none."""
    if not clicks or not finding_id:
        return no_update
    await in_thread(_say, visit, finding_id, "rejected", "", [])
    tell(visit.t("aerial.saved"))
    return f"r{clicks}"


def _say(visit: Visit, finding_id: str, state: str, name: str, box: list[float]) -> None:
    by, now = f"user:{visit.principal.actor.user_id}", visit.services.clock.now()
    label = checked_name(name) if name else ""
    shares = checked_box(box) if box else []
    AerialStore(visit.services.engine).judge(finding_id, state, by, now, name=label, box=shares)


def moved_box(moved: dict[str, Any] | None, shown: dict[str, Any] | None, finding_id: str) -> list[float]:
    """The box of a finding as it was dragged since the picture was drawn; [] where it was not."""
    shapes = ((shown or {}).get("layout") or {}).get("shapes") or []
    for number, shape in enumerate(shapes):
        if shape.get("name") == finding_id and f"shapes[{number}].x0" in (moved or {}):
            sides = [(moved or {}).get(f"shapes[{number}].{side}") for side in ("x0", "y0", "x1", "y1")]
            return [min(max(float(v), 0.0), 1.0) for v in sides if v is not None]
    return []


def drawn_boxes(moved: dict[str, Any] | None) -> list[list[float]]:
    """Boxes that were drawn: shapes without a finding's id."""
    out = []
    for shape in (moved or {}).get("shapes") or []:
        if not re.fullmatch(r"[0-9a-z]{26}", str(shape.get("name") or "")):
            sides = [float(shape[side]) for side in ("x0", "y0", "x1", "y1")]
            out.append([min(max(v, 0.0), 1.0) for v in sides])
    return out


@PAGE.callback(
    _again("aerial-again"), Input("aerial-add", "n_clicks"), State("aerial-file", "data"),
    State("aerial-name", "value"), State("aerial-picture", "relayoutData"), True,
)  # fmt: skip
async def add(visit: Visit, clicks: int | None, file_id: str | None, name: str | None, moved: Any) -> Any:
    """Keep the boxes that were drawn under the chosen name."""
    boxes = drawn_boxes(moved)
    if not clicks or not file_id:
        return no_update
    if not boxes or not name:
        tell(visit.t("aerial.draw_first"))
        return no_update
    for box in boxes:
        await in_thread(_draw, visit, file_id, name, box)
    tell(visit.t("aerial.saved"))
    return f"a{clicks}"


def _draw(visit: Visit, file_id: str, name: str, box: list[float]) -> None:
    use, by = visit.services, f"user:{visit.principal.actor.user_id}"
    file = DroneStore(use.engine).file(file_id)
    drawn(AerialStore(use.engine), use.media, file, name, box, by, use.clock.now())


@PAGE.callback(_again("aerial-again"), Input("aerial-review", "n_clicks"), State("aerial-file", "data"), True)
async def review(visit: Visit, clicks: int | None, file_id: str | None) -> Any:
    """Every box of the picture is right and none is missing."""
    if not clicks or not file_id:
        return no_update
    by, now = f"user:{visit.principal.actor.user_id}", visit.services.clock.now()
    await in_thread(AerialStore(visit.services.engine).review, file_id, by, now)
    tell(visit.t("aerial.reviewed"))
    return f"v{clicks}"
