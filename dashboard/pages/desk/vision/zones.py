"""Zones drawn on the camera's picture: click for corners, drag them, name them, keep them."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import msgspec
import plotly.graph_objects as go
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.records import AlgorithmConfig, Zone
from dashboard.desk.cameras import CameraEdit, change_camera
from dashboard.pages.camera_words import state_chips
from dashboard.pages.choices import own
from dashboard.pages.desk.vision.base import PAGE, clicked, drawing, picture, shape, still
from dashboard.pages.desk.vision.draft import (
    Draft,
    changed_zone,
    closed,
    draft_of,
    path_of,
    reshaped,
    with_corner,
    without_zone,
)
from dashboard.pages.desk.vision.lists import COLOURS, algorithm_rows, zone_rows
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.presses import pressed

DRAFT = "zone-draft"


def draw(visit: Visit, camera: dict[str, Any]) -> Any:
    """The picture with the zones, at its right the zones and the algorithms as lists."""
    t, admin = visit.t, visit.principal.has("admin")
    marks = [html.Span(c["text"], className=c["c"], title=c["title"] or None) for c in state_chips(camera, visit)]
    keep = dmc.Button(t("act.save"), id="zone-save") if admin else html.Span(t("admin.only"), className="quiet")
    head = dmc.Group([html.H2(own(visit, camera)), *marks, html.Span(id="zone-unsaved", className="warn-text"), keep])
    drawing_tools = dmc.Group(
        [
            dmc.Button(t("vision.new_zone"), id="zone-new", variant="default", size="xs"),
            dmc.Button(t("vision.finish"), id="zone-finish", size="xs", disabled=True),
            dmc.Button(t("vision.undo"), id="zone-undo", variant="default", size="xs", disabled=True),
            dmc.Button(t("act.cancel"), id="zone-cancel", variant="default", size="xs", disabled=True),
        ], gap=8,
    ) if admin else None  # fmt: skip
    stage = html.Div([drawing_tools, picture("zone-picture"), html.P(id="zone-note", className="quiet", role="status")])
    side = html.Div([html.Div(id="zone-list"), html.Div(id="algorithm-list")], className="editor-side")
    return html.Div(
        [
            head, html.Div([stage, side], className="editor"),
            dcc.Store(id=DRAFT, data=draft_of(camera)), dcc.Store(id="zone-still"),
            dcc.Store(id="zone-camera", data=camera["camera_id"]),
            dmc.Modal(id="zone-dialog", size="xl", children=html.Div(id="zone-dialog-held")),
            dmc.Modal(id="algorithm-dialog", size="xl", children=html.Div(id="algorithm-dialog-held")),
        ],
        className="desk-stack", key=f"{camera['camera_id']} {camera['revision']}",
    )  # fmt: skip


@PAGE.callback(Output("zone-still", "data"), Output("zone-picture", "style"), Input("zone-camera", "data"))
async def ground(visit: Visit, camera_id: str | None) -> Any:
    """The camera's picture, as soon as it is there, in its own shape."""
    if not camera_id:
        return no_update, no_update
    found = await still(visit, camera_id)
    return found, shape(found["ratio"]) if "ratio" in found else no_update


@PAGE.callback(
    Output("zone-picture", "figure"), Output("zone-note", "children"), Input(DRAFT, "data"),
    Input("zone-still", "data"),
)  # fmt: skip
async def shown(visit: Visit, draft: Draft | None, found: dict[str, Any] | None) -> Any:
    """The zones on the picture."""
    if not draft:
        return no_update, no_update
    note = visit.t("vision.how") if draft["corners"] is None else visit.t("vision.drawing")
    missing = (found or {}).get("missing")
    admin = visit.principal.has("admin")
    return figure(
        draft, (found or {}).get("url", ""), admin
    ), f"{visit.t('camera.no_picture')} {missing}" if missing else note


def figure(draft: Draft, url: str, admin: bool) -> go.Figure:
    """Every zone in its colour; corners can be dragged unless one is being drawn."""
    corners = draft["corners"]
    made = drawing(url, clicks=corners is not None)
    if admin and corners is None:  # a zone shows its corners when its edge is clicked; a stroke draws a new one
        colour = COLOURS[len(draft["zones"]) % len(COLOURS)]
        made.update_layout(dragmode="drawclosedpath", newshape={"line": {"color": colour, "width": 2}},
                           activeshape={"fillcolor": "#ffffff", "opacity": 0.3})  # fmt: skip
    for i, zone in enumerate(draft["zones"]):
        colour = COLOURS[i % len(COLOURS)]
        made.add_shape(
            type="path", path=path_of(zone["polygon"]), line={"color": colour, "width": 2}, fillcolor=f"{colour}33",
            editable=admin and corners is None, layer="above",
            label={"text": zone["name"], "font": {"color": colour, "size": 15}},
        )  # fmt: skip
    if corners:
        x, y = [c[0] for c in corners], [c[1] for c in corners]
        made.add_scatter(x=x, y=y, mode="lines+markers", line={"color": "#fff", "dash": "dash"}, marker_size=9,
                         hoverinfo="skip")  # fmt: skip
    return made


@PAGE.callback(
    Output("zone-list", "children"), Output("algorithm-list", "children"), Output("zone-unsaved", "children"),
    *(Output(f"zone-{name}", "disabled") for name in ("new", "finish", "undo", "cancel")), Input(DRAFT, "data"),
)  # fmt: skip
async def listed(visit: Visit, draft: Draft | None) -> Any:
    """The lists beside the picture, and which buttons can be used."""
    if not draft:
        return (no_update,) * 7
    corners, now = draft["corners"], visit.services.clock.now()
    drawn = corners is not None
    unsaved = visit.t("vision.unsaved") if draft["dirty"] else ""
    few, none = not drawn or len(corners or []) < 3, not corners
    return zone_rows(visit, draft, now), algorithm_rows(visit, draft), unsaved, drawn, few, none, not drawn


@PAGE.callback(
    Output(DRAFT, "data", allow_duplicate=True), *(Input(f"zone-{n}", "n_clicks") for n in ("new", "finish", "undo",
    "cancel")), Input("zone-picture", "clickData"), State(DRAFT, "data"), True,
)  # fmt: skip
async def drawn(visit: Visit, *given: Any) -> Any:
    """A corner at each click; the zone is closed by its button or by a click on the first corner."""
    click, draft = given[-2], given[-1]
    if not draft or not visit.principal.has("admin"):
        return no_update
    name, what = visit.t("vision.zone_n", n=len(draft["zones"]) + 1), ctx.triggered_id
    if what == "zone-picture":
        at = clicked(click)
        return with_corner(draft, at, name) if at and draft["corners"] is not None else no_update
    if what == "zone-finish":
        return closed(draft, name)
    corners = {"zone-new": [], "zone-undo": (draft["corners"] or [])[:-1], "zone-cancel": None}
    return {**draft, "corners": corners[str(what)]} if any(given[:4]) else no_update


@PAGE.callback(Output(DRAFT, "data", allow_duplicate=True), Input("zone-picture", "relayoutData"),
               State(DRAFT, "data"), True)  # fmt: skip
async def dragged(visit: Visit, moved: dict[str, Any] | None, draft: Draft | None) -> Any:
    """A corner was dragged, or taken away by two clicks, or a zone was drawn in one stroke."""
    if not draft or not visit.principal.has("admin"):
        return no_update
    changed = reshaped(draft, moved, visit.t("vision.zone_n", n=len(draft["zones"]) + 1))
    return no_update if changed is draft else changed


@PAGE.callback(
    Output(DRAFT, "data", allow_duplicate=True), Input({"zone": ALL, "part": "name"}, "value"),
    Input({"zone": ALL, "part": "purpose"}, "value"), State(DRAFT, "data"), True,
)  # fmt: skip
async def renamed(_visit: Visit, _names: Any, _purposes: Any, draft: Draft | None) -> Any:
    """A zone's name or purpose."""
    if not draft:
        return no_update
    changed = draft
    for each in ctx.triggered:
        field = ctx.triggered_prop_ids.get(each["prop_id"])
        if isinstance(field, dict):
            changed = changed_zone(changed, field["zone"], **{field["part"]: each["value"] or ""})
    return no_update if changed is draft else changed


@PAGE.callback(Output(DRAFT, "data", allow_duplicate=True), Input({"zone": ALL, "part": "drop"}, "n_clicks"),
               State(DRAFT, "data"), True)  # fmt: skip
async def dropped(_visit: Visit, _clicks: Any, draft: Draft | None) -> Any:
    """A zone is taken away."""
    button, _ = pressed()
    if not draft or not button:
        return no_update
    return without_zone(draft, button["zone"])


@PAGE.callback(Output("vis-saved", "data"), Input("zone-save", "n_clicks"), State(DRAFT, "data"), True)
async def saved(visit: Visit, clicks: int | None, draft: Draft | None) -> Any:
    """Keep zones and algorithms; the worker that holds the camera follows within seconds."""
    if not clicks or not draft:
        return no_update
    edit = CameraEdit(
        zones=msgspec.convert(draft["zones"], list[Zone]),
        algorithms=msgspec.convert(draft["algorithms"], list[AlgorithmConfig]), expected_revision=draft["revision"],
    )  # fmt: skip
    made = await in_thread(change_camera, visit.services, visit.principal, draft["camera_id"], edit)
    tell(visit.t("vision.saved"))
    return f"{made['camera_id']} {made['revision']}"
