"""The drawing of lineage: columns from senders to receivers, a line for each way, red where its last runs failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import plotly.graph_objects as go

from dashboard.catalogue.lineage_graph import COLUMNS, LineageEdge, LineageGraph, places
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import CHART

_COLOURS = {"source": "#7f9db8", "store": "#3d8bfd", "dataset": "#3ddc97", "grant": "#f2a33c"}
_FLOW, _STILL, _FAILED = "#7f9db8", "#b9c6d2", "#e5484d"
_KINDS = ("readings", "register", "dataset", "grant", "connection")
ROW_PX = 46


def drawing(graph: LineageGraph, visit: Visit) -> go.Figure:
    """Nodes by column with their names, ways between them; what a way carried shows where it is pointed at."""
    at, t = places(graph), visit.t
    figure = go.Figure()
    for edge in graph.edges.values():
        (x0, y0), (x1, y1) = at[edge.given], at[edge.target]
        colour = _FAILED if edge.failed else _FLOW if edge.runs else _STILL
        said = _said(edge, visit)
        figure.add_scatter(x=[x0, (x0 + x1) / 2, x1], y=[y0, (y0 + y1) / 2, y1], mode="lines", hoverinfo="text",
                           text=[said] * 3, line={"width": 2, "color": colour})  # fmt: skip
    for column in COLUMNS:
        names = [name for name, own in graph.nodes.items() if own == column]
        figure.add_scatter(
            x=[at[n][0] for n in names], y=[at[n][1] for n in names], mode="markers+text", hoverinfo="text",
            text=[name_of(n) for n in names], hovertext=names, textposition="top center",
            marker={"size": 16, "symbol": "square", "color": _COLOURS[column]},
        )  # fmt: skip
    for x, column in enumerate(COLUMNS):
        figure.add_annotation(x=x, y=1.0, text=f"<b>{t(f'cat.lineage.{column}')}</b>", showarrow=False)
    tallest = max((sum(1 for own in graph.nodes.values() if own == c) for c in COLUMNS), default=1)
    figure.update_layout(**CHART, showlegend=False, height=max(260, 120 + ROW_PX * tallest))
    figure.update_xaxes(visible=False, range=[-0.5, len(COLUMNS) - 0.5])
    figure.update_yaxes(visible=False, range=[-tallest, 1.5])
    return figure


def name_of(node: str) -> str:
    """A node's name without its kind."""
    kind, _, name = node.partition(".")
    return name if kind in _KINDS and name else node


def _said(edge: LineageEdge, visit: Visit) -> str:
    if not edge.runs:
        return visit.t("cat.lineage.offered")
    last: Any = shown(datetime.fromisoformat(edge.last))
    return visit.t("cat.lineage.way", runs=edge.runs, failed=edge.failed, rows=edge.rows, last=last)
