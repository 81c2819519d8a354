"""Charts of a board's tiles; colours of words follow the page's theme (static/css/boards.css)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.late import Late
from dashboard.pages.tables import CHART
from measures.definition import Measure
from measures.evaluation import Group
from storage.tables.registry import Division

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

LINE_COLOURS = ("#2f9bd6", "#e0861a", "#2fa36b", "#b26bd6", "#d64f6b")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SCALE = ((0.0, "#173a5c"), (0.5, "#2f7fb8"), (1.0, "#a9dcf7"))
GOOD, BAD, PLAIN = "#2f9bd6", "#e0861a", "#2f9bd6"
QUIET = "rgba(130,160,190,0.25)"


def shown_value(measure: Measure, value: float | None) -> str:
    """The figure as it is read: a share in percent, "—" where there is nothing to count."""
    if value is None:
        return "—"
    return f"{100 * value:.{measure.digits}f}" if measure.value == "share" else f"{value:,.{measure.digits}f}"


def met(measure: Measure, value: float | None) -> bool | None:
    """Whether the target is met; None without a target or a figure."""
    if measure.target is None or value is None:
        return None
    return value >= measure.target if measure.better != "low" else value <= measure.target


def bars(measure: Measure, groups: Sequence[Group], language: str, rows: int) -> go.Figure:
    """Groups as horizontal bars, the largest on top, the target as a line."""
    shown = [group for group in groups if group.value is not None][:rows][::-1]
    factor = 100 if measure.value == "share" else 1
    values = [factor * (group.value or 0.0) for group in shown]
    colours = [BAD if met(measure, group.value) is False else GOOD for group in shown]
    texts = [f"{shown_value(measure, g.value)}{'%' if factor == 100 else ''}  ({g.of})" if factor == 100
             else shown_value(measure, g.value) for g in shown]  # fmt: skip
    figure = go.Figure(
        go.Bar(
            x=values, y=[group.name or ("未填" if language == "zh" else "none") for group in shown], orientation="h",
            customdata=[group.key for group in shown], marker_color=colours, text=texts, textposition="auto",
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    if measure.target is not None:
        figure.add_vline(x=factor * measure.target, line_dash="dash", line_color="#2fa36b")
    figure.update_layout(**CHART, height=max(200, 30 * len(shown) + 60), yaxis={"automargin": True, "ticksuffix": " "})
    figure.update_layout(margin={"l": 8, "r": 12, "t": 6, "b": 28}, xaxis={"gridcolor": QUIET})
    return figure


def lines(found: Sequence[tuple[Measure, Sequence[tuple[str, float | None]]]], language: str) -> go.Figure:
    """One line a measure over the days; told apart by dash as well as by colour."""
    figure = go.Figure()
    for number, (measure, points) in enumerate(found):
        factor = 100 if measure.value == "share" else 1
        values = [None if value is None else factor * value for _, value in points]
        figure.add_scatter(
            x=[day for day, _ in points], y=values, mode="lines", name=measure.name(language),
            line={"color": LINE_COLOURS[number % 5], "dash": DASHES[number % 5], "width": 2.5},
        )  # fmt: skip
    figure.update_layout(**CHART, height=280, legend={"orientation": "h", "y": 1.12}, hovermode="x unified")
    figure.update_layout(margin={"l": 40, "r": 12, "t": 26, "b": 30}, yaxis={"gridcolor": QUIET, "rangemode": "tozero"})
    return figure


def heat(grid: Mapping[tuple[str, str], float], weekdays: Sequence[str]) -> go.Figure:
    """Hours across, weekdays down; ``grid``: (hour "00".."23", weekday "1".."7") → figure."""
    hours = [f"{hour:02d}" for hour in range(24)]
    z = [[grid.get((hour, str(day)), 0.0) for hour in hours] for day in range(1, 8)]
    custom = [[f"{hour}|{day}" for hour in hours] for day in range(1, 8)]
    figure = go.Figure(
        go.Heatmap(z=z, x=[int(h) for h in hours], y=list(weekdays), customdata=custom, colorscale=SCALE, xgap=2,
                   ygap=2, hovertemplate="%{y} %{x}:00 — %{z:g}<extra></extra>", colorbar={"thickness": 10})
    )  # fmt: skip
    figure.update_layout(**CHART, height=280, yaxis={"autorange": "reversed", "automargin": True})
    figure.update_layout(margin={"l": 8, "r": 8, "t": 6, "b": 28}, xaxis={"dtick": 3, "ticksuffix": ":00"})
    return figure


def street_map(session: Session, measure: Measure, groups: Sequence[Group]) -> go.Figure:
    """The district's streets shaded by the figure; drawn from the stored outlines, nothing is fetched.

    Where some streets are too small to be labelled, a second frame beside the district shows them larger.
    """
    values = {group.key: group.value for group in groups}
    most = max([abs(v) for v in values.values() if v] or [1.0])
    query = select(Division).where(Division.level == "street", Division.geometry.is_not(None))
    streets = [(s.code, s.name, shapely.from_wkb(s.geometry)) for s in session.scalars(query)]
    figure = go.Figure()
    figure.update_layout(**CHART, height=340, showlegend=False)
    if not streets:
        return figure
    close = _small(streets)
    for code, name, outline in streets:
        told = f"{name}<br>{shown_value(measure, values.get(code))}"
        value = values.get(code)
        shade = "rgba(130,160,190,0.12)" if value is None else _shade(value / most)
        for axes in ("", "2") if close is not None else ("",):
            inside = close is not None and close.contains(outline.representative_point())
            if axes and not close.intersects(outline):
                continue
            _street(figure, outline, code, told, shade, axes, labelled=inside == bool(axes))
    _frames(figure, close)
    return figure


def _small(streets: Sequence[tuple[str, str, Any]]) -> Any:
    """The box around the streets that are too small for a label; None when all are large enough."""
    west, _, east, _ = shapely.union_all([outline for _, _, outline in streets]).bounds
    small = [o for _, _, o in streets if o.bounds[2] - o.bounds[0] < 0.12 * (east - west)]
    return shapely.box(*shapely.union_all(small).bounds) if len(small) >= 3 else None


def _street(figure: go.Figure, outline: Any, code: str, told: str, shade: str, axes: str, *, labelled: bool) -> None:
    own = {"xaxis": f"x{axes}", "yaxis": f"y{axes}", "showlegend": False}
    for part in getattr(outline, "geoms", [outline]):
        xs, ys = part.simplify(0.0002).exterior.coords.xy
        figure.add_scatter(
            x=list(xs), y=list(ys), fill="toself", fillcolor=shade, mode="lines", hoveron="fills", name=told,
            line={"color": "rgba(130,160,190,0.9)", "width": 1}, text=told, hoverinfo="text", **own,
        )  # fmt: skip
    spot = outline.representative_point()
    figure.add_scatter(
        x=[spot.x], y=[spot.y], mode="markers+text" if labelled else "markers", marker={"size": 24, "opacity": 0.01},
        text=[told], customdata=[code], hovertemplate="%{text}<extra></extra>", textfont={"size": 11}, **own,
    )  # fmt: skip


def _frames(figure: go.Figure, close: Any) -> None:
    """The district's frame, and the closer one beside it with its box drawn into the district."""
    plain = {"visible": False, "fixedrange": True}
    figure.update_layout(
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        xaxis=plain | {"domain": [0, 0.6 if close is not None else 1.0]},
        yaxis=plain | {"scaleanchor": "x", "scaleratio": 1.39},
    )
    if close is None:
        return
    west, south, east, north = close.buffer(0.004).bounds
    figure.update_layout(
        xaxis2=plain | {"domain": [0.63, 1.0], "range": [west, east], "anchor": "y2"},
        yaxis2=plain | {"range": [south, north], "anchor": "x2", "scaleanchor": "x2", "scaleratio": 1.39,
                        "constrain": "domain"},
    )  # fmt: skip
    figure.add_shape(type="rect", x0=west, x1=east, y0=south, y1=north, line={"color": "#e0b020", "width": 1.5})
    figure.add_shape(
        type="rect", xref="x2 domain", yref="y2 domain", x0=0, x1=1, y0=0, y1=1, line={"color": "#e0b020", "width": 1.5}
    )


def _shade(share: float) -> str:
    low, high = (23, 58, 92), (88, 176, 226)
    mixed = [round(a + (b - a) * max(0.0, min(1.0, share))) for a, b in zip(low, high, strict=True)]
    return f"rgba({mixed[0]},{mixed[1]},{mixed[2]},0.75)"


def sparkline(points: Sequence[tuple[str, float | None]], colour: str) -> str:
    """A trend as a small picture (data address of an SVG of 96 × 30); "" with fewer than three points."""
    values = [value for _, value in points if value is not None]
    if len(values) < 3:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = 92 / (len(values) - 1)
    dots = " ".join(f"{2 + step * n:.1f},{27 - 24 * (value - low) / span:.1f}" for n, value in enumerate(values))
    last = dots.rsplit(" ", 1)[-1].split(",")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 30">'
        f'<polyline points="{dots}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{last[0]}" cy="{last[1]}" r="2.6" fill="{colour}"/></svg>'
    )
    return "data:image/svg+xml," + svg.replace("#", "%23").replace('"', "'").replace("<", "%3C").replace(">", "%3E")


def table_rows(measures: Sequence[Measure], found: Mapping[str, Sequence[Group]], rows: int) -> list[dict[str, Any]]:
    """A row a group with every measure's figure; ordered by the first measure."""
    order: dict[str, str] = {}
    for measure in measures:
        for group in found[measure.id]:
            order.setdefault(group.key, group.name)
    by = {m.id: {g.key: g.value for g in found[m.id]} for m in measures}
    return [
        {"key": key or "-", "name": name or "—"}
        | {m.id: _cell(m, by[m.id].get(key, 0.0 if m.value == "count" else None)) for m in measures}
        for key, name in list(order.items())[:rows]
    ]


def _cell(measure: Measure, value: float | None) -> str:
    text = shown_value(measure, value)
    return f"{text} %" if measure.value == "share" and value is not None else text
