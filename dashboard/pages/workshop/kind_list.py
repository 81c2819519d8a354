"""All kinds of case, the drafts of kinds, and a new kind from a form and a table of states."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from core.clock import BEIJING
from dashboard.components import FormImport
from dashboard.pages.faults import files_at_fault
from dashboard.pages.frame import Visit
from dashboard.pages.tables import column, named, table
from dashboard.pages.workshop import kind_tables as kt
from dashboard.pages.workshop.kind_page import EDIT_ROLES
from dashboard.pages.workshop.titles import label
from dashboard.people import person_names
from events.workshop.drafts import drafts
from events.workshop.starter import STATES
from storage.forms import versions_of
from storage.session import read_scope

Choice = dict[str, str]


def layout(visit: Visit) -> Any:
    """The page ``/kinds``."""
    t, found = visit.t, list(visit.services.cases.definitions.values())
    cards = [
        dmc.Card(
            [
                html.H2(dcc.Link(kt.named(d.name, visit.language), href=f"/kinds/{d.definition_id}")),
                html.P(t("kinds.card", states=len(d.states), commands=len(d.commands), version=d.version)),
            ],
            withBorder=True,
        )
        for d in found
    ]
    own = [html.H2(t("kinds.drafts")), _drafts(visit), _new(visit)] if visit.principal.has(*EDIT_ROLES) else []
    grid = dmc.SimpleGrid(cards, cols={"base": 1, "sm": 2, "lg": 3})
    return html.Div([html.H1(t("kinds.title")), files_at_fault(visit, "definitions"), grid, *own], className="workshop")


def _drafts(visit: Visit) -> Any:
    t = visit.t
    with read_scope(visit.services.engine) as session:
        found = drafts(session)
        names = person_names(session, {draft.updated_by for draft in found})
    rows = [
        {
            **named("title", label(draft.body.get("name"), visit, draft.definition_id), draft.definition_id),
            "draft_id": draft.draft_id, "state": t(f"kinds.state.{draft.state}"), "base": draft.base_version or "—",
            "by": names.get(draft.updated_by, draft.updated_by),
            "at": f"{draft.updated_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        }
        for draft in found
    ]  # fmt: skip
    for row, draft in zip(rows, found, strict=True):
        row["title_parts"][0]["href"] = f"/kinds/draft/{draft.draft_id}"
    columns = [
        column("title", t("kinds.col.title"), cellRenderer="Parts", autoHeight=True),
        column("state", t("kinds.col.state"), width=130), column("base", t("kinds.col.base"), width=110),
        column("by", t("kinds.col.by"), width=150), column("at", t("kinds.col.at"), width=170),
    ]  # fmt: skip
    return table(visit, "kind-drafts", columns, rows, key="draft_id", height="220px")


def _new(visit: Visit) -> Any:
    t = visit.t
    fields = [
        dmc.TextInput(id="kind-new-id", label=t("kinds.new.id"), description=t("kinds.new.id.hint")),
        dmc.TextInput(id="kind-new-zh", label=t("kinds.new.zh")),
        dmc.TextInput(id="kind-new-en", label=t("kinds.new.en")),
        dmc.Select(id="kind-new-form", label=t("kinds.new.form"), data=form_choices(visit), clearable=True,
                   searchable=True),
    ]  # fmt: skip
    states = dmc.Textarea(
        id="kind-new-states", label=t("kinds.new.states"), description=t("kinds.new.states.hint"), value=STATES,
        autosize=True, minRows=5, spellCheck=False,
        styles={"input": {"fontFamily": "monospace", "fontSize": "13px", "whiteSpace": "pre"}},
    )  # fmt: skip
    return dmc.Card(
        [
            html.H2(t("kinds.new")), dcc.Store(id="kind-form-imported"), html.Div(id="kind-form-problems"),
            dmc.SimpleGrid(fields, cols={"base": 1, "sm": 2, "lg": 4}),
            FormImport(id="kind-form-import", target="kind-form-imported"), states,
            dmc.Group([dmc.Button(t("kinds.new.make"), id="kind-new", n_clicks=0)], mt="sm"),
        ],
        withBorder=True,
    )  # fmt: skip


def form_choices(visit: Visit) -> list[Choice]:
    """Every version of a form that is not retired."""
    with read_scope(visit.services.engine) as session:
        found = [version for version in versions_of(session) if version.state != "retired"]
    return [
        {"value": f"{v.form_id}/{v.version}",
         "label": f"{label(v.title, visit, v.form_id)} · {visit.t('forms.version', n=v.version)} · "
                  f"{visit.t(f'forms.state.{v.state}')}"}
        for v in found
    ]  # fmt: skip
