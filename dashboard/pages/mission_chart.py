"""The chart of a mission: area, airspace, buildings, lines and footprints in degrees, one scale both ways."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from core.errors import InputInvalid
from dashboard.drones.planning import rings_of
from dashboard.pages.frame import Visit
from dashboard.pages.tables import CHART
from ingest.drones.airspace import around
from layers.nearby import nearby
from storage.drones import DroneStore
from storage.missions import MissionView

_AROUND_M = 400.0
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
_MOST = 600  # shapes of one layer


def mission_chart(visit: Visit, mission: MissionView) -> go.Figure:
    """What is known of the mission's place; an area can be drawn into it."""
    t, settings = visit.t, visit.services.settings
    rings = rings_of(mission.area)
    flat = [spot for ring in rings for spot in ring]
    way = [(stop[0], stop[1]) for stop in mission.plan.get("stops", [])]
    box = around([*flat, *way], _AROUND_M)
    figure = go.Figure()
    _shapes(figure, t("mission.building"), "#8aa0b6", (s for s, _ in nearby(settings, "buildings", box)))
    _shapes(figure, t("mission.zone"), "#ffb74d", (s for s, _ in nearby(settings, "airspace", box)))
    prints = [f.place["corners"] for flight in mission.flights for f in DroneStore(visit.services.engine).files(flight)
              if f.place.get("corners")]  # fmt: skip
    _rings(figure, t("drone.file"), "#35c08a", [[*ring, ring[0]] for ring in prints[:_MOST]])
    if len(flat) > 1:
        _rings(figure, t("mission.area"), "#ff5c6c", [[*ring, ring[0]] for ring in rings])
    else:
        figure.add_scatter(x=[flat[0][0]], y=[flat[0][1]], mode="markers", marker={"size": 12, "color": "#ff5c6c"},
                           name=t("mission.area"))  # fmt: skip
    if way:
        figure.add_scatter(x=[s[0] for s in way], y=[s[1] for s in way], mode="lines+markers", marker={"size": 4},
                           line={"color": "#38a0f4"}, name=t("mission.line"))  # fmt: skip
    squeeze = math.cos(math.radians((box[1] + box[3]) / 2))
    figure.update_layout(
        **CHART, height=420, dragmode="pan", legend={"orientation": "h", "y": 1.08},
        newshape={"line": {"color": "#ff5c6c"}}, uirevision=mission.mission_id,
    )  # fmt: skip
    figure.update_xaxes(range=[box[0], box[2]], tickformat=".4f", nticks=5)
    figure.update_yaxes(range=[box[1], box[3]], tickformat=".4f", nticks=6, scaleanchor="x", scaleratio=1 / squeeze)
    return figure


def _shapes(figure: go.Figure, name: str, colour: str, shapes: Iterable[Any]) -> None:
    rings = []
    for shape in shapes:
        parts = getattr(shape, "geoms", [shape])
        rings += [list(part.exterior.coords) for part in parts if hasattr(part, "exterior")]
        if len(rings) >= _MOST:
            break
    _rings(figure, name, colour, rings)


def _rings(figure: go.Figure, name: str, colour: str, rings: Sequence[Sequence[Any]]) -> None:
    """One trace for all rings, with a gap between them."""
    if not rings:
        return
    x = [value for ring in rings for value in (*(spot[0] for spot in ring), None)]
    y = [value for ring in rings for value in (*(spot[1] for spot in ring), None)]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 1.4}, name=name)


def drawn_area(relayout: dict[str, Any] | None) -> dict[str, Any] | None:
    """The last shape that somebody drew as a GeoJSON polygon; None when nothing was drawn."""
    shapes = (relayout or {}).get("shapes")
    if not isinstance(shapes, list) or not shapes or not isinstance(shapes[-1], dict):
        return None
    shape = shapes[-1]
    if shape.get("type") == "path":
        numbers = [float(n) for n in _NUMBERS.findall(str(shape.get("path", ""))[:100_000])]
        ring = list(zip(numbers[::2], numbers[1::2], strict=False))
    else:
        try:
            x0, x1, y0, y1 = (float(shape[k]) for k in ("x0", "x1", "y0", "y1"))
        except (KeyError, TypeError, ValueError):
            return None
        ring = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    if len(ring) < 3:
        return None
    return {"type": "Polygon", "coordinates": [[list(spot) for spot in [*ring, ring[0]]]]}


def box_area(lon: float, lat: float, wide_m: float, high_m: float) -> dict[str, Any]:
    """A rectangle around a place, or the place alone where a side is 0."""
    if not (abs(lon) <= 180 and abs(lat) <= 85 and (lon or lat)):
        raise InputInvalid(field="lon, lat", detail="is no place on Earth", how="give degrees in WGS 84")
    if wide_m <= 0 or high_m <= 0:
        return {"type": "Point", "coordinates": [lon, lat]}
    up, right = high_m / 2 / 111_200, wide_m / 2 / (111_320 * math.cos(math.radians(lat)))
    ring = [(lon - right, lat + up), (lon + right, lat + up), (lon + right, lat - up), (lon - right, lat - up)]
    return {"type": "Polygon", "coordinates": [[list(spot) for spot in [*ring, ring[0]]]]}
