"""Situation report (态势报告): a shift or a period on one page, as a PDF, and as the text of a hand-over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, ctx, dcc, html

from core.errors import InputInvalid
from dashboard.api.deps import CENTRE
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.tables import column, table
from dashboard.situation.facts import CaseLine, ReportFact, SituationReport, handover_text, situation
from storage.session import read_scope

PAGE = Page(path="/situation", zh="态势报告", en="Situation report", roles=CENTRE, order=47)
SPANS = {"12h": timedelta(hours=12), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
COLUMNS = ("number", "title", "severity", "state", "department", "opened", "deadline")


def layout(visit: Visit) -> Any:
    """The span, the buttons, and the report below them."""
    t = visit.t
    spans = [{"value": name, "label": t(f"situation.last_{name}")} for name in SPANS]
    return html.Div(
        [
            html.H1(t("situation.title")),
            dmc.Group(
                [dmc.SegmentedControl(id="sit-span", value="12h", data=spans),
                 html.A("PDF", id="sit-pdf", href="/api/situation.pdf", className="button"),
                 html.Button(t("situation.handover"), id="sit-handover", className="button"),
                 html.Button(t("boards.print"), className="button", **{"data-print": ""})],
                mb="sm",
            ),
            dmc.Modal(id="sit-note", title=t("situation.handover"), size="lg", children=[
                html.P(t("situation.handover_help"), className="quiet"),
                dmc.Textarea(id="sit-text", autosize=True, minRows=10, maxRows=24,
                             **{"aria-label": t("situation.handover")}),
                dcc.Clipboard(target_id="sit-text", title=t("situation.copy"), className="button"),
            ]),
            html.Div(id="sit-report", className="situation"),
        ]
    )  # fmt: skip


@PAGE.callback(Output("sit-report", "children"), Output("sit-pdf", "href"), Input("sit-span", "value"))
async def show(visit: Visit, span: str) -> Any:
    """The report of the span that was picked."""
    report, query = await in_thread(_report, visit, span)
    return _shown(visit, report), f"/api/situation.pdf?{query}"


@PAGE.callback(
    Output("sit-note", "opened"), Output("sit-text", "value"), Input("sit-handover", "n_clicks"),
    State("sit-span", "value"), True,
)  # fmt: skip
async def note(visit: Visit, _clicks: int | None, span: str) -> Any:
    """The draft of a hand-over note."""
    report, _ = await in_thread(_report, visit, span)
    return bool(ctx.triggered_id), handover_text(report, visit.language)


def _report(visit: Visit, span: str) -> tuple[SituationReport, str]:
    if span not in SPANS:
        raise InputInvalid(field="span", detail=f"{span!r} is unknown", how="choose one that is offered")
    now = visit.services.clock.now()
    begins = now - SPANS[span]
    query = f"from={begins:%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
    with read_scope(visit.services.engine) as session:
        return situation(session, visit.services, visit.principal.actor, visit.language, begins, now), query


def _shown(visit: Visit, report: SituationReport) -> list[Any]:
    t = visit.t
    return [
        html.P(f"{report.span} · {t('situation.made', at=report.made, by=report.by)}", className="quiet"),
        html.H2(t("situation.now")), _facts(visit, report.now),
        html.H2(t("situation.period")), _facts(visit, report.facts),
        html.H2(t("situation.grave")), _lines(visit, "sit-grave", report.grave),
        html.H2(t("situation.open")), _lines(visit, "sit-open", report.open_lines),
    ]  # fmt: skip


def _facts(visit: Visit, facts: tuple[ReportFact, ...]) -> Any:
    tiles = [
        html.Section(
            [html.H2(fact.name), html.B(fact.value, className="situation-value"),
             html.P(f"{visit.t('situation.before')} {fact.before}" if fact.before else "", className="board-change")],
            className="board-tile board-number", style={"gridColumn": "span 2"},
        )
        for fact in facts
    ]  # fmt: skip
    return html.Div(html.Div(tiles, className="board-tiles"), className="board")


def _lines(visit: Visit, identifier: str, lines: tuple[CaseLine, ...]) -> Any:
    if not lines:
        return html.P(visit.t("situation.none"), className="quiet")
    heads = [column(name, visit.t(f"fact.{name}")) for name in COLUMNS]
    heads[0]["minWidth"], heads[1]["minWidth"] = 190, 260
    rows = [{name: getattr(line, name) for name in COLUMNS} for line in lines]
    height = f"{60 + 38 * min(8, len(rows))}px"
    return table(visit, identifier, heads, rows, key="number", height=height, options={"pagination": False})
