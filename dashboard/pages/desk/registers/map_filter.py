"""The map filter: a box drawn around an area; points are grid cells with buildings, never people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, dcc, html, no_update

from dashboard.pages.desk.registers.base import PAGE, desk_of
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.tables import CHART

Box = list[float]


def map_panel(visit: Visit) -> Any:
    """Closed until it is asked for."""
    graph = dcc.Graph(id="reg-map", figure=go.Figure(), style={"height": "340px"},
                      config={"displayModeBar": False, "scrollZoom": True, "responsive": True})  # fmt: skip
    field = dmc.TextInput(id="reg-bbox", debounce=500, value="", w=330, placeholder="125.30,43.80,125.35,43.85",
                          **{"aria-label": visit.t("registers.map_filter")})  # fmt: skip
    clear = dmc.Button(visit.t("registers.map_clear"), id="reg-box-clear", variant="subtle")
    return dmc.Collapse(
        [html.P(visit.t("registers.map_hint"), className="quiet"), graph, dmc.Group([field, clear], gap="sm", mb="sm")],
        id="reg-map-panel", opened=False,
    )  # fmt: skip


@PAGE.callback(
    Output("reg-map-panel", "opened"), Output("reg-map", "figure"), Input("reg-map-open", "n_clicks"),
    State("reg-map-panel", "opened"), True,
)  # fmt: skip
async def opens(visit: Visit, clicks: int | None, shown: bool) -> Any:
    """Opens and closes the map; its points are read when it opens."""
    if not clicks:
        return no_update, no_update
    return not shown, no_update if shown else figure_of(await in_thread(desk_of(visit).outlines))


@PAGE.callback(
    Output("reg-box", "data", allow_duplicate=True), Output("reg-bbox", "value"), Input("reg-map", "selectedData"), True
)
async def drawn(_visit: Visit, selected: dict[str, Any] | None) -> Any:
    """The box that was drawn on the map."""
    reach = (selected or {}).get("range") or {}
    if not reach.get("x") or not reach.get("y"):
        return no_update, no_update
    (west, east), (south, north) = sorted(reach["x"]), sorted(reach["y"])
    box = [round(value, 5) for value in (west, south, east, north)]
    return box, ",".join(str(value) for value in box)


@PAGE.callback(Output("reg-box", "data", allow_duplicate=True), Input("reg-bbox", "value"), True)
async def typed(_visit: Visit, text: str | None) -> Any:
    """The box as numbers, for whoever draws nothing."""
    return box_of(text)


@PAGE.callback(Output("reg-bbox", "value", allow_duplicate=True), Input("reg-box-clear", "n_clicks"), True)
async def cleared(_visit: Visit, clicks: int | None) -> Any:
    """The whole area again."""
    return "" if clicks else no_update


def box_of(text: str | None) -> Box | None:
    """``west,south,east,north`` in degrees; None for anything else."""
    try:
        west, south, east, north = (float(part) for part in (text or "").split(","))
    except ValueError:
        return None
    fits = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return [west, south, east, north] if fits else None


def figure_of(cells: Sequence[tuple[str, float, float, int | None]]) -> go.Figure:
    """Grid cells as points, sized by their buildings; a number below five is not told."""
    sizes = [5 if number is None else min(22.0, 5 + 2 * math.sqrt(number)) for *_, number in cells]
    words = [f"{code}: {'<5' if number is None else number}" for code, _, _, number in cells]
    figure = go.Figure(
        go.Scatter(
            x=[lon for _, lon, _, _ in cells], y=[lat for _, _, lat, _ in cells], mode="markers", text=words,
            hoverinfo="text", marker={"size": sizes, "color": "#2a8fbd", "opacity": 0.7},
        )
    )  # fmt: skip
    middle = cells[len(cells) // 2][2] if cells else 0.0
    ratio = 1 / max(0.1, math.cos(math.radians(middle)))
    figure.update_layout(**{**CHART, "dragmode": "select", "uirevision": "map", "showlegend": False})
    figure.update_yaxes(scaleanchor="x", scaleratio=ratio)
    return figure
