"""One version of a form: tables of questions and choices, problems, preview, differences, and its next state."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from core.forms.checks import form_problems
from core.forms.diff import differences
from core.forms.model import TYPES, Form, parse_form
from core.forms.table import PLAIN, choice_rows_of, languages_of, rows_of
from dashboard.components import FormFill
from dashboard.form_service import answered_already, answered_by_title, may_see, shown_problems
from dashboard.pages.frame import Visit
from dashboard.pages.tables import ZH
from dashboard.pages.workshop.form_list import problem_text
from dashboard.pages.workshop.titles import GRID_CLASS, label
from storage.forms import MOVES, FormVersionView, form_version, versions_of
from storage.session import read_scope

MAIN = ("required", "relevant", "constraint", "calculation", "choice_filter", "default", "appearance")
TABS = ("questions", "choices", "settings", "problems", "preview", "changes")


def layout(form_id: str, version: int) -> Any:
    """The page ``/forms/{form_id}/{version}``; the callback fills it."""
    at = dcc.Store(id="form-at", data={"form_id": form_id, "version": version})
    return html.Div([at, html.Div(id="form-design")], className="workshop")


def design(visit: Visit, form_id: str, version: int) -> Any:
    """The designer for whoever asks."""
    use, who = visit.services, visit.principal
    with read_scope(use.engine) as reading:
        found = form_version(reading, form_id, version)
        others = versions_of(reading, form_id)
    may_see(who, found)
    editable = found.state == "draft"
    form = parse_form(found.body)
    problems = problem_rows(form, visit)
    panels = {
        "questions": [row_buttons("q", visit, editable), question_grid(form, visit, editable)],
        "choices": [row_buttons("c", visit, editable), choice_grid(form, visit, editable)],
        "settings": settings_of(form, visit, editable),
        "problems": [problem_grid(problems, visit)],
        "preview": [FormFill(id=f"form-preview-{found.revision}", form_id=form_id, version=version)],
        "changes": [changes(found, others, visit)],
    }
    return [
        head(found, visit),
        html.Div(id="form-design-message", role="status"),
        dcc.Store(id="form-revision", data=found.revision),
        dmc.Tabs(
            [
                dmc.TabsList([dmc.TabsTab(_tab(name, problems, visit), value=name) for name in TABS]),
                *[dmc.TabsPanel(children, value=name, pt="md") for name, children in panels.items()],
            ],
            value="questions",
            keepMounted=True,
        ),
    ]


def _tab(name: str, problems: list[dict[str, Any]], visit: Visit) -> str:
    return visit.t(f"forms.tab.{name}") + (f" ({len(problems)})" if name == "problems" and problems else "")


def head(found: FormVersionView, visit: Visit) -> Any:
    """Title, state, and what may be done next."""
    t = visit.t
    moves = [
        dmc.Button(t(f"forms.to.{state}"), id={"type": "form-move", "state": state}, n_clicks=0, variant=_look(state))
        for state in MOVES[found.state]
    ]
    save = dmc.Button(t("forms.save"), id="form-save", n_clicks=0, display=None if found.state == "draft" else "none")
    base = f"/api/forms/{found.form_id}/versions/{found.version}"
    return html.Div(
        [
            html.H1(
                [
                    label(found.title, visit, found.form_id),
                    " ",
                    dmc.Badge(f"{t('forms.version', n=found.version)} · {t(f'forms.state.{found.state}')}"),
                ]
            ),
            dmc.Group(
                [
                    save,
                    *moves,
                    dmc.Button(t("forms.copy"), id="form-copy", n_clicks=0, variant="default"),
                    html.A(t("forms.try"), href=f"/trial/{found.form_id}/{found.version}", className="button"),
                    html.A(t("forms.export"), href=f"{base}/xlsx", className="button"),
                    html.A(t("forms.all"), href="/forms", className="button"),
                ]
            ),
        ]
    )


def _look(state: str) -> str:
    return "filled" if state == "live" else "default"


def question_grid(form: Form, visit: Visit, editable: bool) -> Any:
    """One row a question, as in XLSForm's sheet ``survey``."""
    languages = languages_of(form)
    columns: list[dict[str, Any]] = [
        {"field": "type", "pinned": "left", "width": 180, "rowDrag": editable},
        {"field": "name", "pinned": "left", "width": 130},
        *({"field": f"label_{code}", "width": 220} for code in languages),
        *({"field": word, "width": 170} for word in MAIN),
        *({"field": f"constraint_message_{code}", "width": 170} for code in languages),
        *({"field": f"hint_{code}", "width": 170} for code in languages),
        *({"field": f"required_message_{code}", "width": 170} for code in languages),
        *({"field": word, "width": 140} for word in PLAIN if word not in MAIN),
        *({"field": word, "width": 140} for word in ("read_only", "parameters", "sensitive")),
    ]
    return dag.AgGrid(
        id="form-questions",
        className=GRID_CLASS,
        style={"height": "62vh"},
        columnDefs=[{**c, "headerName": column_title(str(c["field"]), visit), "editable": editable} for c in columns],
        rowData=rows_of(form),
        defaultColDef={"resizable": True, "sortable": False},
        dashGridOptions={"rowSelection": {"mode": "singleRow", "checkboxes": editable},
                         "rowDragManaged": True, "singleClickEdit": True,
                         "stopEditingWhenCellsLoseFocus": True, "animateRows": False},
        getRowId="params.data.id",
    )  # fmt: skip


def column_title(name: str, visit: Visit) -> str:
    """``label_en`` → the word's name with the language behind it."""
    t = visit.t
    base, _, code = name.rpartition("_")
    if base in ("label", "hint", "required_message", "constraint_message"):
        return f"{t(f'forms.word.{base}')} ({code})"
    return t(f"forms.word.{name}")


def choice_grid(form: Form, visit: Visit, editable: bool) -> Any:
    """One row a choice."""
    fields = ["list", "name", *(f"label_{code}" for code in languages_of(form)), "columns"]
    columns = [{"field": f, "headerName": column_title(f, visit), "editable": editable} for f in fields]
    columns[0] |= {"rowDrag": editable}
    return dag.AgGrid(
        id="form-choices", className=GRID_CLASS, style={"height": "56vh"}, columnDefs=columns,
        rowData=choice_rows_of(form), columnSize="sizeToFit", getRowId="params.data.id",
        dashGridOptions={"rowSelection": {"mode": "singleRow", "checkboxes": editable},
                         "rowDragManaged": True, "singleClickEdit": True,
                         "stopEditingWhenCellsLoseFocus": True},
    )  # fmt: skip


def row_buttons(which: str, visit: Visit, editable: bool) -> Any:
    """Add below the selected row, and delete it; the types that there are."""
    t = visit.t
    if not editable:
        return None
    types = dmc.Text(t("forms.types", types=" ".join(sorted(TYPES))), size="xs", c="dimmed")
    return dmc.Group(
        [
            dmc.Button(t("forms.row.add"), id=f"form-{which}-add", n_clicks=0, variant="default", size="xs"),
            dmc.Button(t("forms.row.drop"), id=f"form-{which}-drop", n_clicks=0, variant="default", size="xs"),
            types if which == "q" else dmc.Text(t("forms.choices.hint"), size="xs", c="dimmed"),
        ],
        mb="xs",
    )


def settings_of(form: Form, visit: Visit, editable: bool) -> list[Any]:
    """Titles and the default language."""
    t = visit.t
    titles = [
        dmc.TextInput(
            id={"type": "form-title", "language": code}, label=f"{t('forms.col.title')} ({code})",
            value=form.title.get(code, ""), disabled=not editable,
        )
        for code in languages_of(form)
    ]  # fmt: skip
    language = dmc.Select(
        id="form-language", label=t("forms.language"), data=languages_of(form), value=form.default_language,
        disabled=not editable, allowDeselect=False,
    )  # fmt: skip
    return [dmc.Stack([*titles, language], maw=520)]


def problem_rows(form: Form, visit: Visit) -> list[dict[str, Any]]:
    """Every problem of the form as the page shows it, then the questions that are answered already elsewhere."""
    found = [
        {**p, "message": problem_text(p, visit), "word": column_title(p["word"], visit) if p["word"] else "",
         "row": (p["index"] + 1) if p["index"] is not None else (p["row"] or 0) + 1, "values": None}
        for p in shown_problems(form, form_problems(form, publishing=True))
    ]  # fmt: skip
    return found + [
        {"code": "already_answered", "name": a["question"], "list": "", "word": a["label"], "blocking": False,
         "message": visit.t("forms.answered", where=answered_by_title(a["answered_by"], visit.language))}
        for a in answered_already(visit.services, form)
    ]  # fmt: skip


def problem_grid(rows: list[dict[str, Any]], visit: Visit) -> Any:
    """The table of problems."""
    t = visit.t
    columns: list[dict[str, Any]] = [
        {"field": "name", "headerName": t("forms.word.name"), "width": 160},
        {"field": "list", "headerName": t("forms.word.list"), "width": 120},
        {"field": "word", "headerName": t("forms.problem.column"), "width": 160},
        {"field": "message", "headerName": t("forms.problem.message"), "flex": 1, "wrapText": True, "autoHeight": True},
        {"field": "code", "headerName": t("forms.problem.code"), "width": 170},
    ]
    return dag.AgGrid(
        id="form-problems", className=GRID_CLASS, columnDefs=columns, rowData=rows,
        dashGridOptions={"domLayout": "autoHeight", "localeText": grid_words(visit, "forms.noproblems")},
    )  # fmt: skip


def changes(found: FormVersionView, others: list[FormVersionView], visit: Visit) -> Any:
    """What differs from the newest other version that is or was live."""
    t = visit.t
    other = next((v for v in others if v.version != found.version and v.state in ("live", "retired")), None)
    if other is None:
        return dmc.Text(t("forms.nochanges"))
    found_rows = [
        {**d.as_json(), "before": _plain(d.before), "after": _plain(d.after), "change": t(f"forms.change.{d.change}")}
        for d in differences(parse_form(other.body), parse_form(found.body))
    ]
    columns: list[dict[str, Any]] = [
        {"field": f, "headerName": t(f"forms.diff.{f}"), "flex": 1, "wrapText": True, "autoHeight": True}
        for f in ("change", "where", "word", "before", "after")
    ]
    return html.Div(
        [
            dmc.Text(t("forms.against", n=other.version)),
            dag.AgGrid(
                id="form-changes", className=GRID_CLASS, columnDefs=columns, rowData=found_rows,
                dashGridOptions={"domLayout": "autoHeight", "localeText": grid_words(visit, "forms.nochanges")},
            ),
        ]
    )  # fmt: skip


def grid_words(visit: Visit, empty: str) -> dict[str, str]:
    """The grid's own words, with ours where it has no rows."""
    return {**(ZH if visit.language == "zh" else {}), "noRowsToShow": visit.t(empty)}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_plain(text)}" for key, text in value.items() if text not in ("", {}, ()))
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
