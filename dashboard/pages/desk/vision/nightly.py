"""What other thresholds would have done to judged alarms, and how the precision went over the last nights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html

from dashboard.pages.frame import Visit
from dashboard.pages.tables import CHART
from events.learning import report
from storage.session import read_scope


def thresholds(visit: Visit, tried: Sequence[dict[str, Any]]) -> Any:
    """A line per threshold that would change anything; nothing without one."""
    if not tried:
        return None
    t = visit.t
    heads = (t("fact.threshold"), t("vision.precision_col"), t("vision.true_lost"), t("vision.false_dropped"))
    rows = [
        html.Tr([html.Td(v) for v in (f"{x['threshold']:.2f}", _share(x), x["true_lost"], x["false_dropped"])])
        for x in tried
    ]
    head = html.Thead(html.Tr([html.Th(h, scope="col") for h in heads]))
    return html.Details(
        [html.Summary(t("vision.thresholds")), html.Table([head, html.Tbody(rows)], className="plain")], open=True
    )


def nightly(visit: Visit, line: dict[str, Any]) -> list[Any]:
    """The nights of one camera's algorithm as a line with its interval; nothing before the first report."""
    with read_scope(visit.services.engine) as session:
        found = report.nights(session, line["camera_id"], line["algorithm"])
    if not found:
        return []
    last = found[-1]
    words = visit.t("vision.report_of", day=last["night"])
    said = f"{words}: {_share(last)} ({100 * last['low']:.0f}–{100 * last['high']:.0f} %)"
    return [html.P(said, className="quiet"), *([_chart(visit, found)] if len(found) > 1 else [])]


def _chart(visit: Visit, found: Sequence[dict[str, Any]]) -> Any:
    days = [row["night"] for row in found]
    value = [100 * row["precision"] for row in found]
    above = [100 * (row["high"] - row["precision"]) for row in found]
    below = [100 * (row["precision"] - row["low"]) for row in found]
    error = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": "#7f97b0"}
    figure = go.Figure(go.Scatter(x=days, y=value, mode="lines+markers", error_y=error))
    figure.update_layout(**CHART, height=180, title=None, yaxis={"range": [0, 100], "ticksuffix": " %"})
    graph = dcc.Graph(figure=figure, config={"displayModeBar": False, "responsive": True})
    return html.Div([html.H3(visit.t("vision.nights")), graph])


def _share(row: dict[str, Any]) -> str:
    return "—" if row["precision"] is None else f"{100 * row['precision']:.0f} %"
