"""All forms: their versions, the import of a workbook, a new form, files that were not taken in."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from core.clock import BEIJING
from dashboard.components import FormImport
from dashboard.i18n import words
from dashboard.pages.frame import Visit
from dashboard.pages.tables import locale_text
from dashboard.pages.workshop.titles import GRID_CLASS, label
from dashboard.people import person_names
from storage.forms import FormVersionView, versions_of
from storage.session import read_scope

PROBLEM_COLUMNS = ("sheet", "row", "column", "code", "message")


def layout(visit: Visit) -> Any:
    """The page ``/forms``."""
    t = visit.t
    return html.Div(
        [
            html.H1(t("forms.title")),
            html.P(t("forms.lead"), className="quiet"),
            dcc.Store(id="form-import-result"),
            tools(visit),
            html.Div(id="form-import-problems"),
            dag.AgGrid(
                id="form-versions",
                className=GRID_CLASS,
                columnDefs=version_columns(visit),
                rowData=[],
                columnSize="responsiveSizeToFit",
                defaultColDef={"sortable": True, "filter": True, "resizable": True},
                dashGridOptions={
                    "domLayout": "autoHeight",
                    "ensureDomOrder": True,
                    "localeText": locale_text(visit, "form-versions"),
                },
                getRowId="params.data.id",
            ),
            html.Div(id="form-files"),
        ],
        className="workshop",
    )


def version_columns(visit: Visit) -> list[dict[str, Any]]:
    """The columns of the list."""
    t = visit.t
    wide = {"title": 240, "state": 110, "version": 90}
    found: list[dict[str, Any]] = [
        {"field": name, "headerName": t(f"forms.col.{name}"), "width": wide.get(name, 150)}
        for name in ("title", "form_id", "version", "state", "updated_at", "updated_by", "source")
    ]
    found[0]["cellRenderer"] = "markdown"
    return found


def tools(visit: Visit) -> Any:
    """Import and a new form."""
    t = visit.t
    return dmc.SimpleGrid(
        cols={"base": 1, "md": 2},
        children=[
            dmc.Card([html.H2(t("forms.import")), FormImport(id="form-import")], withBorder=True),
            dmc.Card(
                [
                    html.H2(t("forms.new")),
                    dmc.Group(
                        [
                            dmc.TextInput(id="form-new-id", label=t("forms.col.form_id")),
                            dmc.TextInput(id="form-new-title", label=t("forms.col.title")),
                            dmc.Button(t("forms.create"), id="form-new", n_clicks=0),
                        ],
                        align="end",
                    ),
                ],
                withBorder=True,
            ),
        ],
    )


def shown(visit: Visit) -> tuple[list[dict[str, Any]], Any]:
    """Rows of the list, and the files that were refused."""
    with read_scope(visit.services.engine) as reading:
        found = versions_of(reading)
        names = person_names(reading, {v.updated_by for v in found})
    return [_row(version, names, visit) for version in found], files_box(visit)


def _row(version: FormVersionView, names: dict[str, str], visit: Visit) -> dict[str, Any]:
    path = f"/forms/{version.form_id}/{version.version}"
    title = label(version.title, visit, version.form_id).replace("[", "(").replace("]", ")").replace("<", "‹")
    return {
        "id": f"{version.form_id}/{version.version}",
        "title": f"[{title}]({path})",
        "form_id": version.form_id,
        "version": version.version,
        "state": visit.t(f"forms.state.{version.state}"),
        "updated_at": version.updated_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"),
        "updated_by": names.get(version.updated_by, version.updated_by),
        "source": version.source,
    }


def files_box(visit: Visit) -> Any:
    """Files of ``<data>/forms`` that were not taken in."""
    t, problems = visit.t, list(visit.services.forms.folder.problems.values())
    lines = [html.Li(f"{p.name}: {p.detail}" + (f" (+{p.count - 1})" if p.count > 1 else "")) for p in problems]
    return dmc.Alert(html.Ul(lines), title=t("forms.files"), color="orange") if lines else None


def import_problems(result: dict[str, Any], visit: Visit) -> Any:
    """The answer of an import as a table of problems, or the way to the draft."""
    t = visit.t
    rows = [{**p, "message": problem_text(p, visit)} for p in result.get("problems", [])]
    head = t("forms.imported.clean") if not rows else t("forms.imported.problems", n=len(rows))
    draft = result.get("draft")
    link = dcc.Link(t("forms.imported.open"), href=f"/forms/{draft['form_id']}/{draft['version']}") if draft else None
    columns: list[dict[str, Any]] = [{"field": c, "headerName": t(f"forms.problem.{c}")} for c in PROBLEM_COLUMNS]
    columns[-1] |= {"flex": 1, "wrapText": True, "autoHeight": True}
    grid = dag.AgGrid(
        id="form-problem-rows", className=GRID_CLASS, columnDefs=columns, rowData=rows,
        dashGridOptions={"domLayout": "autoHeight"}, columnSize="responsiveSizeToFit",
    )  # fmt: skip
    box = dmc.Alert([head, " ", link], color="red" if not draft and result.get("blocked") else "blue")
    return html.Div([box, grid if rows else None])


def problem_text(problem: dict[str, Any], visit: Visit) -> str:
    """Our own sentence for a problem's code; the server's where we have none."""
    known = words(visit.language).get(f"formproblem.{problem['code']}")
    if not known:
        return str(problem.get("message") or problem["code"])
    values = {k: str(v) for k, v in (problem.get("values") or {}).items()}
    try:
        return known.format_map(values)
    except (KeyError, ValueError, IndexError):
        return str(problem.get("message") or known)
