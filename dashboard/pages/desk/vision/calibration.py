"""Calibration: one point of the ground clicked on picture and map, four times or more; the error is said at once."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.errors import InputInvalid
from core.geo.homography import GroundPoint, Homography, field_of_view, fit
from dashboard.components import GroundMap
from dashboard.desk.cameras import Calibration, CameraEdit, change_camera
from dashboard.pages.choices import own
from dashboard.pages.desk.vision.base import PAGE, clicked, drawing, picture, shape, still
from dashboard.pages.frame import Visit, in_thread, tell

LEAST = 4
POOR_M = 3.0  # an error from which on it is shown as a warning
Pairs = list[dict[str, float]]


def draw(visit: Visit, camera: dict[str, Any]) -> Any:
    """Picture and map side by side, below them the verdict and the pairs."""
    t, admin = visit.t, visit.principal.has("admin")
    kept = camera["calibration"] or {}
    error = kept.get("error_m")
    save = dmc.Button(t("act.save"), id="cal-save") if admin else html.Span(t("admin.only"), className="quiet")
    ground = GroundMap(id="cal-map", lon=camera["lon"], lat=camera["lat"], target="cal-ground", pins=[], view=None)
    return html.Div(
        [
            dmc.Group([html.H2(own(visit, camera)), save]), html.P(t("vision.calib_how"), className="quiet"),
            html.P(t("vision.saved_error", m=f"{error:g}"), className="calib-saved") if error else None,
            html.Div([html.Div(picture("cal-picture"), className="calib-shot"), ground], className="calib"),
            html.P(id="cal-verdict", className="calib-verdict", role="status"), html.Div(id="cal-list"),
            dcc.Store(id="cal-pairs", data=kept.get("points") or []), dcc.Store(id="cal-ground"),
            dcc.Store(id="cal-still"),
            dcc.Store(id="cal-camera", data={"id": camera["camera_id"], "revision": camera["revision"]}),
        ],
        className="desk-stack", key=f"cal {camera['camera_id']} {camera['revision']}",
    )  # fmt: skip


@PAGE.callback(Output("cal-still", "data"), Output("cal-picture", "style"), Input("cal-camera", "data"))
async def ground(visit: Visit, camera: dict[str, Any] | None) -> Any:
    """The camera's picture, as soon as it is there."""
    if not camera:
        return no_update, no_update
    found = await still(visit, camera["id"])
    return found, shape(found["ratio"]) if "ratio" in found else no_update


@PAGE.callback(
    Output("cal-pairs", "data"), Input("cal-picture", "clickData"), Input("cal-ground", "data"),
    Input({"pair": ALL}, "n_clicks"), State("cal-pairs", "data"), True,
)  # fmt: skip
async def paired(_visit: Visit, click: Any, place: dict[str, Any] | None, drops: Any, pairs: Pairs | None) -> Any:
    """A half more: it completes the pair that waits for it, or begins one."""
    held, what = pairs or [], ctx.triggered_id
    if isinstance(what, dict):
        return [p for i, p in enumerate(held) if i != what["pair"]] if any(drops or []) else no_update
    at = clicked(click) if what == "cal-picture" else None
    if at:
        return with_half(held, {"x": at[0], "y": at[1]})
    return with_half(held, {"lon": place["lon"], "lat": place["lat"]}) if what == "cal-ground" and place else no_update


def with_half(pairs: Pairs, half: dict[str, float]) -> Pairs:
    """``pairs`` with ``half`` (x and y, or lon and lat) at the first pair that lacks it, else as a new one."""
    name = next(iter(half))
    waiting = next((i for i, p in enumerate(pairs) if name not in p), None)
    if waiting is None:
        return [*pairs, half]
    return [{**p, **half} if i == waiting else p for i, p in enumerate(pairs)]


def points_of(pairs: Pairs) -> list[GroundPoint]:
    """The pairs that have both halves."""
    whole = [p for p in pairs if {"x", "y", "lon", "lat"} <= set(p)]
    return [GroundPoint(x=p["x"], y=p["y"], lon=p["lon"], lat=p["lat"]) for p in whole]


def fitted(pairs: Pairs) -> Homography | None:
    """The view that the pairs determine; None while there are too few, or where they lie badly."""
    points = points_of(pairs)
    try:
        return fit(points) if len(points) >= LEAST else None
    except InputInvalid:
        return None


@PAGE.callback(
    Output("cal-picture", "figure"), Output("cal-map", "pins"), Output("cal-map", "view"),
    Output("cal-verdict", "children"), Output("cal-verdict", "className"), Output("cal-list", "children"),
    Input("cal-pairs", "data"), Input("cal-still", "data"),
)  # fmt: skip
async def shown(visit: Visit, pairs: Pairs | None, found: dict[str, Any] | None) -> Any:
    """The points on both sides, the view that follows from them, and how exact it is."""
    held, admin = pairs or [], visit.principal.has("admin")
    view = fitted(held)
    pins = [{"n": i + 1, "lon": p["lon"], "lat": p["lat"]} for i, p in enumerate(held) if "lon" in p]
    figure = drawing((found or {}).get("url", ""), clicks=admin)
    marks = [(i + 1, p["x"], p["y"]) for i, p in enumerate(held) if "x" in p]
    figure.add_scatter(
        x=[m[1] for m in marks], y=[m[2] for m in marks], text=[str(m[0]) for m in marks], mode="markers+text",
        marker={"size": 26, "color": "#ff9d2e"}, textfont={"color": "#0b1420", "size": 14}, hoverinfo="skip",
    )  # fmt: skip
    warn = " warn-text" if view is None or view.error_m > POOR_M else ""
    missing = (found or {}).get("missing")
    said = f"{visit.t('camera.no_picture')} {missing}" if missing else verdict(visit, held, view)
    ground_seen = field_of_view(view) if view else None
    return figure, pins, ground_seen, said, f"calib-verdict{warn}", [rows(visit, held, admin)]


def verdict(visit: Visit, pairs: Pairs, view: Homography | None) -> str:
    """What the points are worth."""
    n = len(points_of(pairs))
    if n < LEAST:
        return visit.t("vision.points_missing", n=LEAST - n)
    if view is None:
        return visit.t("vision.points_bad")
    said = visit.t("vision.error", m=f"{view.error_m:g}")
    return f"{said} · {visit.t('vision.one_more')}" if n == LEAST else said


def rows(visit: Visit, pairs: Pairs, admin: bool) -> Any:
    """A row a pair: where it lies, which half is missing."""
    t, lines = visit.t, []
    for i, p in enumerate(pairs):
        seen = f"{p['x']:.3f}, {p['y']:.3f}" if "x" in p else t("vision.click_picture")
        place = f"{p['lon']:.5f}, {p['lat']:.5f}" if "lon" in p else t("vision.click_map")
        drop = dmc.Button("×", id={"pair": i}, size="compact-xs", variant="default",
                          **{"aria-label": f"{t('act.delete')} {i + 1}"}) if admin else None  # fmt: skip
        lines.append(html.Div([html.B(str(i + 1)), html.Span(seen), html.Span(place), drop], className="zone-row"))
    return html.Div(lines, className="calib-list")


@PAGE.callback(
    Output("vis-saved", "data", allow_duplicate=True), Input("cal-save", "n_clicks"), State("cal-pairs", "data"),
    State("cal-camera", "data"), True,
)  # fmt: skip
async def saved(visit: Visit, clicks: int | None, pairs: Pairs | None, camera: dict[str, Any] | None) -> Any:
    """Keep the calibration; fewer than four pairs are told."""
    if not clicks or not camera:
        return no_update
    points = points_of(pairs or [])
    if pairs and len(points) < LEAST:
        tell(visit.t("vision.four_points"), bad=True)
        return no_update
    edit = CameraEdit(calibration=Calibration(points=points), expected_revision=camera["revision"])
    made = await in_thread(change_camera, visit.services, visit.principal, camera["id"], edit)
    tell(visit.t("vision.saved"))
    return f"{made['camera_id']} {made['revision']}"
