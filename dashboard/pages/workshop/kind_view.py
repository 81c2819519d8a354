"""One kind of case as it is in force: its tables, the course drawn, its JSON checked."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.errors import YiwangError
from dashboard.pages.frame import Visit, in_thread, said
from dashboard.pages.tables import column, table
from dashboard.pages.workshop import kind_tables as kt
from dashboard.pages.workshop.kind_page import EDIT_ROLES, PAGE
from events.cases.definition import Definition
from events.cases.definition_check import body_of_text, parse_definition
from events.cases.definition_problems import DefinitionProblem
from events.workshop.drafts import long_form, problems_of

MOST_TEXT = 400_000
TABS = {
    "states": (kt.state_rows, ("id", "title", "stage", "open", "turn", "next")),
    "commands": (
        kt.command_rows, ("id", "title", "moves", "who", "required", "optional", "guards", "effects", "clocks"),
    ),
    "clocks": (kt.clock_rows, ("id", "title", "limit", "from_class", "part", "remind")),
    "notices": (kt.notice_rows, ("on", "to", "channel", "text")),
}  # fmt: skip


def layout(visit: Visit, d: Definition) -> Any:
    """``/kinds/{definition_id}``: one kind as it is in force."""
    panels = {name: _grid(visit, name, d) for name in TABS}
    panels = {"course": dcc.Graph(figure=kt.drawing(d, visit.language), config={"displaylogo": False}), **panels}
    panels["check"] = _check(visit, d)
    tabs = dmc.Tabs(
        [
            dmc.TabsList([dmc.TabsTab(visit.t(f"kinds.tab.{name}"), value=name) for name in panels]),
            *[dmc.TabsPanel(content, value=name, pt="md") for name, content in panels.items()],
        ],
        value="course",
        keepMounted=False,
    )
    title = html.H1(f"{kt.named(d.name, visit.language)} · {visit.t('forms.version', n=d.version)}")
    edit = dmc.Button(visit.t("kinds.edit"), id="kind-edit", n_clicks=0)
    tools = dmc.Group(
        [*([edit] if visit.principal.has(*EDIT_ROLES) else []),
         html.Button(visit.t("kinds.export"), id="kind-export", n_clicks=0, className="button"),
         dcc.Download(id="kind-file"),
         dcc.Link(visit.t("kinds.all"), href="/kinds", className="button")]
    )  # fmt: skip
    at = dcc.Store(id="kind-at", data=d.definition_id)
    return html.Div([title, html.P(d.source, className="quiet"), tools, at, tabs], className="workshop")


def as_file(body: dict[str, Any]) -> dict[str, Any]:
    """A definition's JSON as a file that the browser saves; a city's folder takes it."""
    text = json.dumps(body, ensure_ascii=False, indent=1)
    return {"content": text, "filename": f"{body.get('definition_id', 'kind')}.json", "type": "application/json",
            "base64": False}  # fmt: skip


@PAGE.callback(Output("kind-file", "data"), Input("kind-export", "n_clicks"), State("kind-at", "data"), True)
async def export(visit: Visit, clicks: int | None, at: str) -> Any:
    found = visit.services.cases.definitions.get(at)
    return as_file(long_form(found)) if clicks and found else no_update


def _grid(visit: Visit, name: str, d: Definition) -> Any:
    rows_of, fields = TABS[name]
    columns = [column(f, visit.t(f"kinds.col.{f}"), wrapText=True, autoHeight=True) for f in fields]
    return table(visit, f"kind-{name}", columns, rows_of(d, visit.language), height="62vh",
                 empty="kind-rows")  # fmt: skip


def _check(visit: Visit, d: Definition) -> Any:
    """A definition as JSON: what is wrong with it and what it changes; nothing is kept."""
    body = json.dumps(long_form(d), ensure_ascii=False, indent=1)
    return html.Div(
        [
            html.P(visit.t("kinds.check.lead"), className="quiet"),
            dmc.Textarea(id="kind-json", value=body, autosize=True, minRows=14, maxRows=24, spellCheck=False),
            dmc.Group([dmc.Button(visit.t("kinds.check.run"), id="kind-check", n_clicks=0)], mt="sm"),
            html.Div(id="kind-found", role="status"),
        ]
    )


@PAGE.callback(
    Output("kind-found", "children"),
    Input("kind-check", "n_clicks"), State("kind-json", "value"), State("kind-at", "data"), True,
)  # fmt: skip
async def check(visit: Visit, clicks: int | None, text: str | None, at: str | None) -> Any:
    return await in_thread(found_in, visit, text or "", at or "") if clicks else None


def found_in(visit: Visit, text: str, at: str) -> Any:
    """The problems of a definition's JSON, or what it changes."""
    if len(text) > MOST_TEXT:
        return dmc.Alert(visit.t("kinds.check.long"), color="red")
    try:
        body = body_of_text(text)
        found = problems_of(body)
        wrong = [f"{one.where}: {problem_text(visit, one)}" for one in found if not one.advice]
        advice = [f"{one.where}: {problem_text(visit, one)}" for one in found if one.advice]
        parsed = None if wrong else parse_definition(body)
    except (ValueError, RecursionError, YiwangError) as error:
        wrong, advice, parsed = [said(visit, error)], [], None
    if parsed is None:
        listed = dmc.List([dmc.ListItem(line) for line in wrong])
        return dmc.Alert(listed, title=visit.t("kinds.check.wrong"), color="red")
    old = visit.services.cases.definitions.get(at)
    rows = difference_rows(visit, long_form(old) if old else {}, long_form(parsed))
    good = dmc.Alert(visit.t("kinds.check.good", n=len(rows)), color="green")
    hints = dmc.Alert(dmc.List([dmc.ListItem(line) for line in advice]), color="blue", mt="sm") if advice else None
    return html.Div([good, hints, difference_table(visit, "kind-diff", rows) if rows else None])


def difference_rows(visit: Visit, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """What differs, with words for the changes."""
    return [{**row, "change": visit.t(f"forms.change.{row['change']}")} for row in kt.difference_rows(old, new)]


def difference_table(visit: Visit, identifier: str, rows: list[dict[str, Any]]) -> Any:
    """Differences as a table."""
    columns = [
        column(f, visit.t(f"forms.diff.{f}"), wrapText=True, autoHeight=True)
        for f in ("where", "change", "before", "after")
    ]
    return table(visit, identifier, columns, rows, height="46vh")


def problem_text(visit: Visit, one: DefinitionProblem) -> str:
    """What is wrong and what to do, in the visitor's language; advice is named so."""
    what, remedy = one.said(visit.language)
    text = f"{what} {'→'} {remedy}" if remedy else what
    return visit.t("kinds.advice", text=text) if one.advice else text
