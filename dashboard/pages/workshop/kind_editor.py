"""A draft of a kind of case: tables, settings, problems, drawing, differences, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import msgspec
from dash import dcc, html

from core.errors import YiwangError
from dashboard.i18n import words
from dashboard.pages.frame import Visit, said
from dashboard.pages.tables import column, locale_text, table
from dashboard.pages.workshop import kind_tables as kt
from dashboard.pages.workshop import kind_trial
from dashboard.pages.workshop.kind_list import form_choices
from dashboard.pages.workshop.kind_view import difference_rows, difference_table, problem_text
from dashboard.pages.workshop.titles import GRID_CLASS, label
from dashboard.people import person_names
from events.cases.definition import Definition
from events.cases.definition_parts import TRIGGERS
from events.cases.definition_problems import DefinitionProblem
from events.cases.definition_words import in_full
from events.workshop.drafts import DraftView, draft_of, long_form, problems_of
from events.workshop.field_rows import KINDS
from events.workshop.tables import FLAGS, TABLES, settings_of, tables_of
from storage.session import read_scope

COLUMNS: dict[str, dict[str, int]] = {
    "stages": {"name": 160, "zh": 200, "en": 200},
    "states": {"name": 150, "zh": 150, "en": 150, "stage": 130, "open": 90, "turn": 420},
    "commands": {"name": 150, "zh": 130, "en": 150, "moves": 260, "who": 320, "required": 200, "optional": 200,
                 "guards": 240, "effects": 260, "clocks": 220, "keep": 160, "approval": 120,
                 **dict.fromkeys(FLAGS, 100)},
    "fields": {"name": 150, "zh": 150, "en": 150, "kind": 120, "choices": 260, "schema": 420},
    "clocks": {"name": 150, "zh": 150, "en": 150, "limit": 150, "from_class": 110, "part": 110, "field": 130,
               "remind": 200},
    "notify": {"on": 260, "to": 320, "channel": 150, "zh": 260, "en": 260, "kind": 120},
    "triggers": {"on": 160, "command": 200, "clock": 150, "field": 150, "from": 240, "data": 260},
    "routes": {"when": 340, "lead": 240, "user": 200, "duty": 200, "assisting": 320},
    "templates": {"name": 150, "title": 240, "prefix": 120, "text": 520, "seal": 200},
}  # fmt: skip
_PLAIN = ("zh", "en", "initial", "shown_clock", "remind", "prefix", "source")
_FLAGS = ("correlate", "confidential")
SETTINGS = (*_PLAIN, "series", "sites", "bounce_limit", *_FLAGS, "further")


def layout(draft_id: str) -> Any:
    """``/kinds/draft/{draft_id}``; a callback fills it."""
    return html.Div([dcc.Store(id="draft-at", data={"draft_id": draft_id}), html.Div(id="draft-editor")])


def editor(visit: Visit, draft_id: str) -> Any:
    """The editor for whoever asks."""
    with read_scope(visit.services.engine) as session:
        draft = draft_of(session, draft_id)
        names = person_names(session, set(draft.authors))
    editable = draft.state == "draft"
    panels = {
        "course": [html.Div(drawing(visit, draft.body), id="draft-course")],
        "settings": _settings(visit, draft.body, editable),
        **{name: _table(visit, name, draft.body, editable) for name in TABLES},
        "problems": [html.Div(problems(visit, draft.body), id="draft-problems")],
        "try": kind_trial.layout(visit, draft),
        "changes": [html.Div(changes(visit, draft), id="draft-changes")],
    }
    tabs = [
        dmc.TabsList([dmc.TabsTab(visit.t(f"kinds.tab.{name}"), value=name) for name in panels]),
        *[dmc.TabsPanel(children, value=name, pt="md") for name, children in panels.items()],
    ]
    return html.Div(
        [
            dcc.Store(id="draft-revision", data=draft.revision), _head(visit, draft, names),
            html.Div(state_line(visit, draft.body), id="draft-said", role="status"),
            dmc.Tabs(tabs, value="course", keepMounted=True),
        ],
        className="workshop",
    )  # fmt: skip


def _head(visit: Visit, draft: DraftView, names: Mapping[str, str]) -> Any:
    t, me = visit.t, visit.principal.actor.user_id
    editable, mine = draft.state == "draft", me in draft.authors
    badge = f"{t(f'kinds.state.{draft.state}')} · {t('kinds.base', n=draft.base_version or '—')}"
    authors = t("kinds.authors", names="、".join(names.get(who, who) for who in draft.authors))
    shown = {"save": editable, "propose": editable, "drop": editable, "back": draft.state == "proposed",
             "publish": draft.state == "proposed" and not mine}  # fmt: skip
    buttons = [
        dmc.Button(t(f"kinds.do.{name}"), id=f"draft-{name}", n_clicks=0, display=None if show else "none",
                   variant="filled" if name in ("save", "publish") else "default")
        for name, show in shown.items()
    ]  # fmt: skip
    waits = html.P(t("kinds.waits"), className="quiet") if draft.state == "proposed" and mine else None
    return html.Div(
        [
            html.H1([label(draft.body.get("name"), visit, draft.definition_id), " ", dmc.Badge(badge)]),
            html.P(authors, className="quiet"), waits,
            dmc.Group(
                [*buttons, html.Button(t("kinds.export"), id="draft-export", n_clicks=0, className="button"),
                 dcc.Download(id="draft-file"), dcc.Link(t("kinds.all"), href="/kinds", className="button")]
            ),
        ]
    )  # fmt: skip


def _table(visit: Visit, name: str, body: Mapping[str, Any], editable: bool) -> list[Any]:
    t = visit.t
    rows = [{"id": str(at), **row} for at, row in enumerate(tables_of(body)[name])]
    columns = [_column(visit, name, field, width, editable) for field, width in COLUMNS[name].items()]
    columns[0] |= {"rowDrag": editable, "pinned": "left"}
    grid = dag.AgGrid(
        id=f"draft-{name}", className=GRID_CLASS, style={"height": "58vh"}, columnDefs=columns, rowData=rows,
        defaultColDef={"resizable": True, "sortable": False}, getRowId="params.data.id",
        dashGridOptions={"rowSelection": {"mode": "singleRow", "checkboxes": editable}, "rowDragManaged": True,
                         "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True, "animateRows": False,
                         "suppressColumnVirtualisation": True, "localeText": locale_text(visit, "kind-rows")},
    )  # fmt: skip
    hint = html.P(t(f"kinds.hint.{name}"), className="quiet")
    buttons = [
        dmc.Button(t("forms.row.add"), id=f"draft-{name}-add", n_clicks=0, size="xs", variant="default"),
        dmc.Button(t("forms.row.drop"), id=f"draft-{name}-drop", n_clicks=0, size="xs", variant="default"),
    ]
    tools = [*buttons, *(_ask_form(visit, body) if name == "fields" else [])]
    return [hint, dmc.Group(tools, mb="sm", display=None if editable else "none"), grid]


def _column(visit: Visit, name: str, field: str, width: int, editable: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"field": field, "headerName": visit.t(f"kinds.col.{field}"), "width": width,
                             "editable": editable, "tooltipField": field}  # fmt: skip
    if field in (*FLAGS, "open", "from_class"):
        return {**found, "cellDataType": "boolean", "cellRenderer": "agCheckboxCellRenderer",
                "cellEditor": "agCheckboxCellEditor"}  # fmt: skip
    if name == "fields" and field == "kind":
        return {**found, "cellEditor": "agSelectCellEditor", "cellEditorParams": {"values": list(KINDS)}}
    if name == "triggers" and field == "on":
        return {**found, "cellEditor": "agSelectCellEditor", "cellEditorParams": {"values": list(TRIGGERS)}}
    if name == "templates" and field == "text":  # each line is a paragraph
        return {**found, "cellDataType": "text", "cellEditor": "agLargeTextCellEditor", "cellEditorPopup": True,
                "cellEditorParams": {"maxLength": 20_000, "rows": 12, "cols": 60}}  # fmt: skip
    return {**found, "cellDataType": "text"}


def _ask_form(visit: Visit, body: Mapping[str, Any]) -> list[Any]:
    """A command may ask a form of the workshop."""
    t = visit.t
    commands = [{"value": name, "label": label(spec.get("name"), visit, name)}
                for name, spec in (body.get("commands") or {}).items()]  # fmt: skip
    return [
        dmc.Select(id="draft-form", data=form_choices(visit), placeholder=t("kinds.new.form"), searchable=True, w=280,
                   **{"aria-label": t("kinds.new.form")}),
        dmc.Select(id="draft-form-command", data=commands, placeholder=t("kinds.tab.commands"), searchable=True, w=180,
                   **{"aria-label": t("kinds.tab.commands")}),
        dmc.Button(t("kinds.ask_form"), id="draft-ask-form", n_clicks=0, size="xs", variant="default"),
    ]  # fmt: skip


def _settings(visit: Visit, body: Mapping[str, Any], editable: bool) -> list[Any]:
    t, values = visit.t, settings_of(body)

    def one(name: str) -> dict[str, Any]:
        return {"id": {"setting": name}, "label": t(f"kinds.set.{name}"), "disabled": not editable}

    series, sites = (
        [{"value": v, "label": t(f"kinds.{what}.{v}")} for v in some]
        for what, some in (("series", ("day", "year")), ("sites", ("none", "optional", "required")))
    )
    fields = [
        *(dmc.TextInput(value=values[name], **one(name)) for name in _PLAIN),
        dmc.Select(value=values["series"], data=series, **one("series")),
        dmc.Select(value=values["sites"], data=sites, **one("sites")),
        dmc.NumberInput(value=values["bounce_limit"], min=0, max=99, **one("bounce_limit")),
        *(dmc.Checkbox(checked=values[name], **one(name)) for name in _FLAGS),
    ]
    further = dmc.Textarea(
        value=values["further"], autosize=True, minRows=8, maxRows=22, spellCheck=False,
        description=t("kinds.set.further.hint"), styles={"input": {"fontFamily": "monospace", "fontSize": "13px"}},
        **one("further"),
    )  # fmt: skip
    return [dmc.SimpleGrid(fields, cols={"base": 1, "sm": 2, "lg": 3}), further]


def drawing(visit: Visit, body: Mapping[str, Any]) -> Any:
    """The states as they stand in the draft; a word instead where it is no definition yet."""
    try:
        figure = kt.drawing(msgspec.convert(in_full(body), Definition), visit.language)
    except (msgspec.ValidationError, YiwangError, TypeError, KeyError) as error:
        return dmc.Alert(said(visit, error), color="red", title=visit.t("kinds.check.wrong"))
    return dcc.Graph(figure=figure, config={"displaylogo": False})


def problems(visit: Visit, body: Mapping[str, Any], unread: list[DefinitionProblem] | None = None) -> Any:
    """What is wrong, by table, row and field."""
    found = [*(unread or ()), *([] if unread else problems_of(body))]
    if not found:
        return dmc.Alert(visit.t("kinds.no_problems"), color="green")
    rows = [problem_row(visit, str(at), one) for at, one in enumerate(found)]
    wide = {"wrapText": True, "autoHeight": True}
    columns = [
        column("table", visit.t("kinds.col.table"), width=130), column("row", visit.t("kinds.col.row"), width=180),
        column("field", visit.t("kinds.col.field"), width=150), column("text", visit.t("kinds.col.text"), **wide),
    ]  # fmt: skip
    return table(visit, "draft-problem-rows", columns, rows, key="id", height="46vh")


def problem_row(visit: Visit, identifier: str, one: DefinitionProblem) -> dict[str, Any]:
    """A problem with the words that the page's tabs and columns have."""
    known = words(visit.language)
    place, row, path = one.row
    field = path.partition("/")[0]
    return {"id": identifier, "table": known.get(f"kinds.tab.{place}", known.get(f"kinds.set.{place}", place)),
            "row": row, "field": known.get(f"kinds.col.{field}", path), "text": problem_text(visit, one)}  # fmt: skip


def state_line(visit: Visit, body: Mapping[str, Any], unread: list[DefinitionProblem] | None = None) -> Any:
    """One line: how many problems there are."""
    if unread:
        return dmc.Alert(visit.t("kinds.unread", n=len(unread)), color="red")
    found = problems_of(body)
    number = sum(not one.advice for one in found)
    if number:
        return dmc.Alert(visit.t("kinds.problems", n=number), color="orange")
    return dmc.Alert(visit.t("kinds.advices", n=len(found)), color="blue") if found else None


def changes(visit: Visit, draft: DraftView) -> Any:
    """The differences to the version in force."""
    live = visit.services.cases.definitions.get(draft.definition_id)
    try:
        new = long_form(msgspec.convert(in_full(draft.body), Definition))
    except (msgspec.ValidationError, TypeError):
        new = draft.body
    old = long_form(live) if live else {}
    skip = {"version"}
    rows = difference_rows(visit, {k: v for k, v in old.items() if k not in skip},
                           {k: v for k, v in new.items() if k not in skip})  # fmt: skip
    said = html.P(visit.t("kinds.changes", n=len(rows), version=live.version if live else "—"))
    return [said, difference_table(visit, "draft-diff", rows)] if rows else said
