"""Indicators (综合评价): who was on time, by department, street or class; the cases behind every number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid
from dashboard.i18n.case_titles import case_title
from dashboard.pages.choices import department_words
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.tables import CHART, column, table
from events.cases.queries import summary_of
from events.indicators.counting import IndicatorQuestion
from events.indicators.evaluation import Table, cases_behind, evaluate
from events.indicators.keeping import keep_up
from storage.session import read_scope

PAGE = Page(
    path="/indicators", zh="综合评价", en="Indicators", order=50, roles=("admin", "manager", "dispatcher", "operator")
)
DAYS = ("7", "30", "90", "365")
GROUPINGS = ("department", "street", "class")
NOBODY = "-"  # the row of what belongs to no group: a grid wants a key that is not empty
COUNTS = ("registered", "should_handle", "handled", "overdue_unhandled", "closed")


def layout(visit: Visit) -> Any:
    """Period and grouping, the chart and table of the rates, and the cases behind the figure that was picked."""
    t = visit.t
    periods = [{"value": d, "label": t("indicators.days", n=d)} for d in DAYS]
    groups = [{"value": g, "label": t(f"indicators.by_{g}")} for g in GROUPINGS]
    controls = [
        dmc.SegmentedControl(id="ind-days", value="30", data=periods),
        dmc.SegmentedControl(id="ind-by", value="department", data=groups),
        html.A(f"{t('act.export')} CSV", id="ind-csv", href="/api/indicators.csv", className="button"),
        html.A(f"{t('act.export')} XLSX", id="ind-xlsx", href="/api/indicators.xlsx", className="button"),
    ]
    return html.Div(
        [
            html.H1(t("page.indicators")),
            dmc.Group(controls, gap="sm", mb="sm"),
            html.Div(id="ind-chart"),
            table(visit, "ind-table", [], [], key="key", height="44vh"),
            html.P(t("indicators.note"), className="quiet"),
            html.H2(id="ind-behind-title", **{"aria-live": "polite"}),
            html.Div(id="ind-behind"),
        ]
    )


@PAGE.callback(
    Output("ind-table", "columnDefs"), Output("ind-table", "rowData"), Output("ind-chart", "children"),
    Output("ind-csv", "href"), Output("ind-xlsx", "href"), Input("ind-days", "value"), Input("ind-by", "value"),
)  # fmt: skip
async def show(visit: Visit, days: str, by: str) -> Any:
    """The table and the chart of a period and grouping."""
    question = question_of(visit, days, by)
    found: Table = await in_thread(_evaluate, visit, question)
    query = f"?by={by}&from={question.opened_from:%Y-%m-%dT%H:%M:%SZ}&to={question.opened_to:%Y-%m-%dT%H:%M:%SZ}"
    links = [f"/api/indicators.{kind}{query}" for kind in ("csv", "xlsx")]
    return columns_of(found, visit), [row_of(line, found) for line in found.lines], chart_of(found, visit), *links


@PAGE.callback(
    Output("ind-behind", "children"), Output("ind-behind-title", "children"), Input("ind-table", "cellClicked"),
    State("ind-days", "value"), State("ind-by", "value"),
)  # fmt: skip
async def behind(visit: Visit, cell: dict[str, Any] | None, days: str, by: str) -> Any:
    """The cases that the picked figure counts."""
    if not cell or cell.get("colId") in (None, "name", "score", "mean"):
        return no_update, no_update
    items = await in_thread(_behind, visit, question_of(visit, days, by), cell["colId"], cell["rowId"])
    title = visit.t("indicators.behind", n=len(items))
    return table(visit, "ind-cases", case_columns(visit), items, key="case_id", height="40vh"), title


def question_of(visit: Visit, days: str, by: str) -> IndicatorQuestion:
    """The last ``days`` days, grouped ``by``.

    Raises:
        InputInvalid: a period or grouping that the page does not offer.
    """
    if days not in DAYS or by not in GROUPINGS:
        raise InputInvalid(field="by", detail=f"{by!r} over {days!r} days is unknown", how="choose one that is offered")
    now = visit.services.clock.now()
    return IndicatorQuestion(opened_from=now - timedelta(days=int(days)), opened_to=now, by=by)  # type: ignore[arg-type]


def columns_of(found: Table, visit: Visit) -> list[dict[str, Any]]:
    """Group, score, a column a rate, the counts, the mean handling time."""
    right: dict[str, Any] = {"type": "rightAligned", "width": 118, "cellClass": "figure"}
    rates = [column(f.id, f.name.get(visit.language, f.id), headerTooltip=f"{f.over} ÷ {f.under}", **right)
             for f in found.formulas]  # fmt: skip
    counts = [column(n, visit.t(f"indicator.{n}"), **right) for n in COUNTS]
    plain: dict[str, Any] = {"type": "rightAligned", "width": 110}
    return [
        column("name", visit.t("indicators.group"), pinned="left", width=210),
        column("score", visit.t("indicators.score"), **plain),
        *rates,
        *counts,
        column("mean", visit.t("indicators.mean"), **plain),
    ]


def row_of(line: Any, found: Table) -> dict[str, Any]:
    """A line as the table shows it: a rate whose denominator is nought is a dash, never 0 %."""
    rates = {f.id: _share(line.rates.get(f.id)) for f in found.formulas}
    counts = {n: f"{line.counts.get(n, 0):g}" for n in COUNTS}
    mean = "—" if line.mean_handling_s is None else f"{line.mean_handling_s / 3600:.1f} h"
    score = "—" if line.score is None else f"{line.score:.1f}"
    key, name = line.key or NOBODY, line.name or line.key or "—"
    return {"key": key, "name": name, "score": score, "mean": mean, **rates, **counts}


def chart_of(found: Table, visit: Visit) -> Any:
    """Scores as bars, best first; nothing where nothing was due."""
    scored = [line for line in found.lines if line.score is not None][:30]
    if not scored:
        return html.P(visit.t("indicators.none"), className="quiet")
    names = [line.name or line.key for line in scored]
    figure = go.Figure(go.Bar(x=names, y=[line.score for line in scored], marker_color="#58c7f3"))
    figure.update_layout(**CHART, height=230, yaxis={"range": [0, 100], "title": visit.t("indicators.score")})
    return dcc.Graph(figure=figure, config={"displayModeBar": False, "responsive": True})


def case_columns(visit: Visit) -> list[dict[str, Any]]:
    """What the list of cases behind a figure shows."""
    t = visit.t
    return [
        column("number", t("fact.number"), cellRenderer="CaseLink", width=190),
        column("title", t("fact.title")),
        column("department_name", t("fact.department"), width=170),
        column("opened", t("fact.opened"), width=150),
        column("closed", t("indicators.closed_at"), width=150),
        column("deadline", t("fact.deadline"), width=150),
    ]


def _evaluate(visit: Visit, question: IndicatorQuestion) -> Table:
    keep_up(visit.services.engine)
    with read_scope(visit.services.engine) as session:
        now = visit.services.clock.now()
        return evaluate(session, visit.principal.actor, question, now, language=visit.language)


def _behind(visit: Visit, question: IndicatorQuestion, column_id: str, key: str) -> list[dict[str, Any]]:
    now, names = visit.services.clock.now(), department_words(visit)
    with read_scope(visit.services.engine) as session:
        over = {f.id: f.over for f in evaluate(session, visit.principal.actor, question, now).formulas}
        measure, group = over.get(column_id, column_id), "" if key == NOBODY else key
        ids = cases_behind(session, visit.principal.actor, question, measure, group, now, 200)
        found = [summary_of(session, case_id) for case_id in ids]
    return [
        {
            "case_id": c.case_id, "number": c.number, "title": case_title(c, visit.language),
            "department_name": names.get(c.department_id or "") or c.department_name or "—",
            "opened": _moment(c.opened_at), "closed": _moment(c.closed_at), "deadline": _moment(c.deadline_at),
        } for c in found if c is not None
    ]  # fmt: skip


def _share(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def _moment(value: Any) -> str:
    return "—" if value is None else f"{value.astimezone(BEIJING):%m-%d %H:%M}"
