"""Kinds of case: states, commands, clocks and notices as tables, the course drawn, a changed definition checked."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import Input, Output, State, dcc, html

from core.errors import YiwangError
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.tables import column, table
from dashboard.pages.workshop import kind_tables as kt
from events.cases.definition import Definition
from events.cases.definition_check import parse_definition, problems
from events.cases.definition_words import in_full
from events.cases.errors import DefinitionInvalid

PAGE = Page(path="/kinds", zh="案卷类型", en="Kinds of case", roles=("admin", "manager"), order=72, below=True)
MOST_TEXT = 400_000
TABS = {
    "states": (kt.state_rows, ("id", "title", "stage", "open", "turn", "next")),
    "commands": (
        kt.command_rows, ("id", "title", "moves", "who", "required", "optional", "guards", "effects", "clocks"),
    ),
    "clocks": (kt.clock_rows, ("id", "title", "limit", "from_class", "part", "remind")),
    "notices": (kt.notice_rows, ("on", "to", "channel", "text")),
}  # fmt: skip


def layout(visit: Visit, below: list[str]) -> Any:
    """``/kinds``: the list; ``/kinds/{definition_id}``: one kind."""
    found = visit.services.cases.definitions
    if not below:
        return _list(visit, list(found.values()))
    if len(below) == 1 and below[0] in found:
        return _one(visit, found[below[0]])
    return html.H1(visit.t("page.missing"))


def _list(visit: Visit, found: list[Definition]) -> Any:
    cards = [
        dmc.Card(
            [
                html.H2(dcc.Link(kt.named(d.name, visit.language), href=f"/kinds/{d.definition_id}")),
                html.P(visit.t("kinds.card", states=len(d.states), commands=len(d.commands), version=d.version)),
            ],
            withBorder=True,
        )
        for d in found
    ]
    grid = dmc.SimpleGrid(cards, cols={"base": 1, "sm": 2, "lg": 3})
    return html.Div([html.H1(visit.t("kinds.title")), grid], className="workshop")


def _one(visit: Visit, d: Definition) -> Any:
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
    at = dcc.Store(id="kind-at", data=d.definition_id)
    return html.Div([title, html.P(d.source, className="quiet"), at, tabs], className="workshop")


def _grid(visit: Visit, name: str, d: Definition) -> Any:
    rows_of, fields = TABS[name]
    columns = [column(f, visit.t(f"kinds.col.{f}"), wrapText=True, autoHeight=True) for f in fields]
    return table(visit, f"kind-{name}", columns, rows_of(d, visit.language), height="62vh")


def _check(visit: Visit, d: Definition) -> Any:
    """A definition as JSON: what is wrong with it and what it changes; nothing is kept."""
    body = json.dumps(msgspec.to_builtins(d), ensure_ascii=False, indent=1)
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
        body = json.loads(text)
        if not isinstance(body, dict):
            raise DefinitionInvalid(definition=at, detail="it is not an object")
        wrong = list(problems(msgspec.convert(in_full(body), Definition)))
        parsed = None if wrong else parse_definition(body)
    except (ValueError, TypeError, RecursionError, YiwangError) as error:
        wrong, parsed = [str(error)], None
    if parsed is None:
        found = dmc.List([dmc.ListItem(line) for line in wrong])
        return dmc.Alert(found, title=visit.t("kinds.check.wrong"), color="red")
    old = visit.services.cases.definitions.get(at)
    rows = kt.difference_rows(msgspec.to_builtins(old) if old else {}, msgspec.to_builtins(parsed))
    rows = [{**row, "change": visit.t(f"forms.change.{row['change']}")} for row in rows]
    columns = [
        column(f, visit.t(f"forms.diff.{f}"), wrapText=True, autoHeight=True)
        for f in ("where", "change", "before", "after")
    ]
    good = dmc.Alert(visit.t("kinds.check.good", n=len(rows)), color="green")
    return html.Div([good, table(visit, "kind-diff", columns, rows, height="40vh") if rows else None])
