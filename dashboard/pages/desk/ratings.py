"""Ratings (好差评): who was rated how and why; what follows a bad one, its appeal and the second look."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from dashboard.components import WorkFile
from dashboard.outside.asked import form_for
from dashboard.pages.choices import departments
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.moments import shown
from dashboard.pages.tables import chip, column, parts, table
from dashboard.pages.workshop.titles import label
from dashboard.persons.ratings import RatingLine, RatingPage, rating_page
from storage.session import read_scope

PAGE = Page(
    path="/ratings", zh="好差评", en="Ratings", order=67, roles=("admin", "operator", "dispatcher", "manager", "staff")
)
GROUPS = ("all", "bad", "following", "appealed", "late", "upheld")
MOST = 500
_MINUTE = "%Y-%m-%d %H:%M"


def layout(visit: Visit) -> Any:
    """Which ratings above; the list, and beside it the one that is picked with what follows it."""
    t = visit.t
    groups = [{"value": name, "label": t(f"ratings.group.{name}")} for name in GROUPS]
    columns = [
        column("stars", t("ratings.stars"), cellRenderer="Parts", width=112),
        column("reasons", t("ratings.reasons"), minWidth=170), column("number", t("work.number"), width=170),
        column("title", t("fact.title"), minWidth=180), column("department", t("fact.department"), minWidth=130),
        column("rated", t("ratings.rated"), width=140),
        column("follow", t("ratings.follow"), cellRenderer="Parts", minWidth=190),
        column("due", t("fact.deadline"), cellRenderer="Parts", width=150),
    ]  # fmt: skip
    grid = table(visit, "rate-table", columns, [], key="id", height="calc(100vh - 270px)")
    side = html.Aside(html.P(t("ratings.pick"), className="quiet"), id="rate-panel", className="split-side")
    return html.Div([
        html.H1(t("page.ratings")), html.P(t("ratings.help"), className="quiet"),
        dmc.Group([
            dmc.SegmentedControl(id="rate-group", data=groups, value="all", **{"aria-label": t("ratings.group")}),
            dmc.Select(id="rate-department", data=departments(visit), clearable=True, searchable=True, w=220,
                       placeholder=t("fact.department"), **{"aria-label": t("fact.department")}),
            html.Button("⟳", id="rate-again", className="tool", title=t("act.refresh"), n_clicks=0,
                        **{"aria-label": t("act.refresh")}),
            dcc.Link(t("ratings.board"), href="/boards/ratings"),
            html.Span(id="rate-total", className="quiet", **{"aria-live": "polite"}),
        ], gap="sm", mb="sm"),
        html.Div([html.Div(grid, className="split-main"), side], className="split"),
    ])  # fmt: skip


@PAGE.callback(
    Output("rate-table", "rowData"), Output("rate-total", "children"), Input("rate-group", "value"),
    Input("rate-department", "value"), Input("rate-again", "n_clicks"),
)  # fmt: skip
async def listed(visit: Visit, group: str | None, department: str | None, _again: int | None) -> Any:
    """The ratings of the group, newest first."""
    found = await in_thread(_read, visit, group or "all", department)
    mean = "—" if found.mean is None else f"{found.mean:g}"
    return [row_of(visit, line) for line in found.items], visit.t("ratings.total", n=found.total, mean=mean)


def _read(visit: Visit, group: str, department: str | None) -> RatingPage:
    use = visit.services
    chosen: Any = group if group in GROUPS else "all"
    with read_scope(use.engine) as session:
        return rating_page(session, visit.principal.actor, use.cases.definitions, use.clock.now(), group=chosen,
                           department=department, limit=MOST)  # fmt: skip


def row_of(visit: Visit, line: RatingLine) -> dict[str, Any]:
    """A rating's line."""
    late = bool(line.bad_open and line.due_at and line.due_at < visit.services.clock.now())
    tone = "bad" if line.stars <= 2 else "warn" if line.stars == 3 else "good"
    out = [] if line.counted else [chip(visit.t("ratings.uncounted"), "off")]
    follow = [chip(label(line.bad_state_name, visit, line.bad_state), "warn" if line.bad_open else "good")]
    due = shown(line.due_at, _MINUTE) if line.bad_open and line.due_at else ""
    return {
        "id": line.rating_id, "reasons": reasons_of(visit, line), "number": line.number, "title": line.title,
        "department": line.department_name or "—", "rated": shown(line.rated_at, _MINUTE),
        **parts("stars", chip("★" * line.stars, tone, str(line.stars)), sort=line.stars),
        **parts("follow", *(follow if line.bad_case_id else []), *out),
        **parts("due", *([chip(due, "bad" if late else "")] if due else [])),
    }  # fmt: skip


def reasons_of(visit: Visit, line: RatingLine) -> str:
    """The reasons in the words that they were chosen by."""
    known = {str(each["name"]): each["label"] for each in form_for("rating", {})["form"]["choices"]["reasons"]}
    return "、".join(label(known.get(code), visit, code) for code in line.reasons) or line.comment[:60]


@PAGE.callback(
    Output("rate-panel", "children"), Input("rate-table", "cellClicked"), State("rate-group", "value"),
    State("rate-department", "value"), True,
)  # fmt: skip
async def picked(visit: Visit, cell: dict[str, Any] | None, group: str | None, department: str | None) -> Any:
    """The rating that was clicked, as it is now."""
    wanted = str(cell["rowId"]) if cell and cell.get("rowId") else ""
    if not wanted:
        return no_update
    found = await in_thread(_read, visit, group or "all", department)
    line = next((line for line in found.items if line.rating_id == wanted), None)
    return html.P(visit.t("ratings.pick"), className="quiet") if line is None else panel(visit, line)


def panel(visit: Visit, line: RatingLine) -> Any:
    """The rating, the case it is about; what follows it with its commands; appeals and who judged them."""
    t = visit.t
    facts = [
        (t("ratings.stars"), "★" * line.stars + ("" if line.counted else f" · {t('ratings.uncounted')}")),
        (t("ratings.reasons"), reasons_of(visit, line) or "—"), (t("ratings.comment"), line.comment or "—"),
        (t("ratings.case"), dcc.Link(f"{line.number} {line.title}", href=f"/work/{line.case_id}")),
        (t("fact.department"), line.department_name or "—"), (t("ratings.rated"), shown(line.rated_at, _MINUTE)),
    ]  # fmt: skip
    moves = [
        html.Li([html.B(t(f"ratings.move.{m.command}")), f" · {m.by} · {shown(m.at, _MINUTE)}", html.Div(m.reason)])
        for m in line.moves
    ]
    follows = (
        [html.H3(t("ratings.looks")), html.Ul(moves, className="plain")] if moves else []
    ) + ([html.H3(t("ratings.follow")), WorkFile(id="rate-file", case_id=line.bad_case_id)]
         if line.bad_case_id else [html.P(t("ratings.none_follows"), className="quiet")])  # fmt: skip
    told = html.Dl([part for name, value in facts for part in (html.Dt(name), html.Dd(value))], className="facts")
    return html.Div([told, *follows], className="desk-stack", key=line.rating_id)
