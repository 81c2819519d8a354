"""What a trial found: how many cases, by department, and the cases themselves."""

from __future__ import annotations

import csv
import io
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import dcc, html

from core.tables.safe_cells import safe_cell
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import CHART, column, table

MOST = 500  # cases that the table shows
COLUMNS = ("opened_at", "title", "severity", "site", "department")


def outcome(visit: Visit, found: dict[str, Any]) -> Any:
    """The answer of a trial."""
    t, cases = visit.t, found["cases"]
    parts: list[Any] = [html.H2(t("rules.would", n=len(cases), seen=found.get("observations", 0)))]
    if found.get("truncated"):
        parts.append(html.P(t("rules.truncated"), className="warn-text"))
    if not cases:
        return html.Div([*parts, html.P(t("rules.none"), className="quiet")])
    rows = [{"id": str(n), **row} for n, row in enumerate(rows_of(cases[:MOST]))]
    columns = [
        column("opened_at", t("fact.opened"), width=170), column("title", t("fact.title"), minWidth=180),
        column("department", t("fact.department"), width=150),
    ]  # fmt: skip
    export = dmc.Button(f"{t('act.export')} CSV", id="rule-csv", variant="default", size="xs")
    grid = table(visit, "rule-cases", columns, rows, key="id", height="38vh")
    return html.Div([*parts, bars(found["by_department"]), grid, export])


def bars(by_department: dict[str, int]) -> Any:
    """Cases by department, most first."""
    order = sorted(by_department.items(), key=lambda item: item[1])[-12:]
    figure = go.Figure(go.Bar(x=[n for _, n in order], y=[d for d, _ in order], orientation="h", texttemplate="%{x}",
                              marker_color="#58c7f3"))  # fmt: skip
    figure.update_layout(**CHART | {"margin": {"l": 8, "r": 12, "t": 8, "b": 24}}, height=60 + 30 * len(order))
    figure.update_yaxes(automargin=True)
    return dcc.Graph(figure=figure, config={"displayModeBar": False, "responsive": True})


def rows_of(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases as table and file show them."""
    return [
        {
            "opened_at": shown(c["opened_at"]), "title": c["title"], "severity": c["severity"],
            "site": c["site_name"] or "", "department": c["department_name"] or "—",
        }
        for c in cases
    ]  # fmt: skip


def as_csv(cases: list[dict[str, Any]]) -> str:
    """All cases as CSV for a spreadsheet; a cell that would be taken for a formula is made plain text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows_of(cases):
        writer.writerow([safe_cell(row[name]) for name in COLUMNS])
    return "\ufeff" + out.getvalue()
