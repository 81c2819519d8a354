"""双公示: which authority publishes its decisions in time, and what is wrong with which row."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, dcc, html

from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.tables import chip, column, parts, table
from dashboard.registers.publicity import MOST, PublicityDesk
from records.publicity.judging import PUBLICITY, TIMES, AuthorityFigures, JudgedDecision, figures
from records.registers.definition import shipped_registers

PAGE = Page(path="/publicity", zh="双公示", en="Publicity", roles=("admin", "manager", "staff"), order=64)
SHOWN = 2000  # lines of problems
TONES = {"on_time": "good", "late": "bad", "overdue": "bad", "undated": "warn", "open": ""}


def layout(visit: Visit) -> Any:
    """Kind and import above; the authorities' figures, the problems below."""
    t = visit.t
    kinds = [{"value": kind, "label": t(f"pub.{kind}")} for kind in PUBLICITY]
    imports = [
        dcc.Link(t(f"pub.import_{kind}"), href=f"/registers?register={of.register_id}")
        for kind, of in PUBLICITY.items()
    ]
    authorities = [
        column("authority", t("pub.authority"), minWidth=200), column("decisions", t("pub.decisions"), width=100),
        *(column(time, t(f"pub.time.{time}"), width=138) for time in TIMES),
        column("faulty", t("pub.faulty"), width=110),
        *(column(rate, t(f"pub.{rate}"), width=104) for rate in ("report_rate", "compliance_rate", "on_time_rate")),
    ]  # fmt: skip
    problems = [
        column("number", t("pub.number"), minWidth=190), column("authority", t("pub.authority"), minWidth=150),
        column("subject", t("pub.subject"), minWidth=150), column("element", t("pub.element"), minWidth=230),
        column("problem", t("pub.problem"), cellRenderer="Parts", minWidth=220),
        column("remedy", t("pub.remedy"), minWidth=260), column("decided", t("pub.decided"), width=120),
        column("deadline", t("pub.deadline"), cellRenderer="Parts", width=150),
        column("published", t("pub.published"), width=120),
    ]  # fmt: skip
    return html.Div([
        html.H1(t("page.publicity")), html.P(t("pub.help"), className="quiet"),
        dmc.Group([
            dmc.SegmentedControl(id="pub-kind", data=kinds, value="licence", **{"aria-label": t("pub.kind")}), *imports,
            html.Span(id="pub-total", className="quiet", **{"aria-live": "polite"}),
        ], gap="md", mb="sm"),
        table(visit, "pub-authorities", authorities, [], key="authority", height="260px"),
        html.H2(t("pub.problems")),
        table(visit, "pub-problems", problems, [], key="id", height="max(340px, calc(100vh - 500px))"),
    ])  # fmt: skip


@PAGE.callback(
    Output("pub-authorities", "rowData"), Output("pub-problems", "rowData"), Output("pub-total", "children"),
    Input("pub-kind", "value"),
)  # fmt: skip
async def shown(visit: Visit, kind: str | None) -> Any:
    """Both tables of a kind, judged now."""
    kind = kind if kind in PUBLICITY else "licence"
    return await in_thread(_read, visit, kind)


def _read(visit: Visit, kind: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
    judged = PublicityDesk(visit.services, visit.principal.actor).judged(kind)
    lines = problem_rows(visit, judged)
    word = "pub.total_cut" if len(judged) >= MOST or len(lines) > SHOWN else "pub.total"
    total = visit.t(word, decisions=len(judged), problems=len(lines), shown=SHOWN)
    return [figure_row(one) for one in figures(judged)], lines[:SHOWN], total


def figure_row(one: AuthorityFigures) -> dict[str, Any]:
    """An authority's line; a rate without anything to divide by is a dash, never 100 %."""
    rates = {name: "—" if rate is None else f"{rate:g}%" for name, rate in one.rates.items()}
    return {"authority": one.authority, "decisions": one.decisions, "faulty": one.faulty, **one.times, **rates}


def problem_rows(visit: Visit, judged: list[JudgedDecision]) -> list[dict[str, Any]]:
    """A line for each problem of each record: the element, what is wrong and what to do about it."""
    return [
        {
            "id": f"{one.key}/{at}", "number": one.number, "authority": one.authority, "subject": one.subject,
            "element": _element(visit, one.kind, fault.field), "remedy": visit.t(f"pub.remedy.{fault.code}"),
            "decided": str(one.decided or ""), "published": str(one.published or ""),
            **parts("problem", chip(visit.t(f"pub.problem.{fault.code}"), TONES.get(fault.code, "warn"))),
            **_deadline(visit, one),
        }
        for one in judged
        for at, fault in enumerate(one.faults)
    ]  # fmt: skip


def _deadline(visit: Visit, one: JudgedDecision) -> dict[str, Any]:
    if one.deadline is None:
        return parts("deadline")
    day = {"text": str(one.deadline), "c": ""}
    return parts("deadline", day, *([chip(visit.t("pub.provisional"), "warn")] if one.provisional else []))


def _element(visit: Visit, kind: str, name: str) -> str:
    field = shipped_registers()[PUBLICITY[kind].register_id].field(name)
    return f"{field.zh if visit.language == 'zh' else field.en} {name if name.isupper() else ''}".strip()
