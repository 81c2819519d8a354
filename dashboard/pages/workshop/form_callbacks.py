"""The page ``/forms`` and its callbacks: each acts through :mod:`dashboard.form_actions` and shows what came of it."""

from __future__ import annotations

from typing import Any

from dash import ALL, Input, Output, State, ctx, html, no_update

from core.errors import YiwangError
from core.forms.model import parse_form
from core.forms.table import form_from_rows
from dashboard.form_actions import move_form, new_draft, save_draft
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.pages.workshop import form_designer, form_list
from storage.forms import form_version
from storage.session import read_scope

PAGE = Page(path="/forms", zh="表单工坊", en="Forms", roles=("admin",), order=70, below=True)
Rows = list[dict[str, Any]]


class FormNesting(YiwangError):
    code = "form_nesting"
    message = "row {row}: {detail}"
    remedy = "give every begin its end"


def layout(visit: Visit, below: list[str]) -> Any:
    """``/forms``: the list; ``/forms/{form_id}/{version}``: the designer."""
    if not below:
        return form_list.layout(visit)
    if len(below) == 2 and below[1].isdigit():
        return form_designer.layout(below[0], int(below[1]))
    return html.H1(visit.t("page.missing"))


@PAGE.callback(
    Output("form-versions", "rowData"), Output("form-files", "children"), Input("form-import-result", "data")
)
async def fill(visit: Visit, _result: Any) -> Any:
    return await in_thread(form_list.shown, visit)


@PAGE.callback(Output("form-import-problems", "children"), Input("form-import-result", "data"), True)
async def imported(visit: Visit, result: dict[str, Any] | None) -> Any:
    return form_list.import_problems(result, visit) if result else None


@PAGE.callback(
    Output("url", "pathname", allow_duplicate=True),
    Input("form-new", "n_clicks"), State("form-new-id", "value"), State("form-new-title", "value"), True,
)  # fmt: skip
async def create(visit: Visit, clicks: int | None, form_id: str | None, title: str | None) -> Any:
    if not clicks:
        return no_update
    titles = {visit.language: title} if title else {}
    made = await in_thread(lambda: new_draft(visit.services, visit.principal, (form_id or "").strip(), title=titles))
    return f"/forms/{made.form_id}/{made.version}"


@PAGE.callback(Output("form-design", "children"), Input("form-at", "data"))
async def show(visit: Visit, at: dict[str, Any]) -> Any:
    return await in_thread(form_designer.design, visit, at["form_id"], at["version"])


@PAGE.callback(
    Output("form-revision", "data"), Output("form-problems", "rowData"),
    Input("form-save", "n_clicks"), State("form-at", "data"), State("form-revision", "data"),
    State("form-questions", "virtualRowData"), State("form-choices", "virtualRowData"),
    State("form-questions", "rowData"), State("form-choices", "rowData"),
    State({"type": "form-title", "language": ALL}, "value"), State("form-language", "value"), True,
)  # fmt: skip
async def save(
    visit: Visit, clicks: int | None, at: dict[str, Any], revision: int, questions: Rows | None, choices: Rows | None,
    all_questions: Rows, all_choices: Rows, titles: list[str], language: str,
) -> Any:  # fmt: skip
    if not clicks:
        return no_update, no_update
    codes = [item["id"]["language"] for item in ctx.states_list[6]]
    settings = {"title": {c: x for c, x in zip(codes, titles, strict=True) if x}, "default_language": language}
    rows = (newest(questions, all_questions), newest(choices, all_choices))
    saved, problems = await in_thread(keep, visit, at, revision, rows, settings)
    tell(visit.t("forms.saved", n=saved))
    return saved, problems


@PAGE.callback(
    Output("form-at", "data"), Output("url", "pathname", allow_duplicate=True),
    Input({"type": "form-move", "state": ALL}, "n_clicks"), Input("form-copy", "n_clicks"),
    State("form-at", "data"), State("form-revision", "data"), True,
)  # fmt: skip
async def move(visit: Visit, _moves: list[int], _copies: int | None, at: dict[str, Any], revision: int) -> Any:
    button, _ = pressed()
    if not button:
        return no_update, no_update
    use, who = visit.services, visit.principal
    if button == "form-copy":
        made = await in_thread(lambda: new_draft(use, who, at["form_id"], base=at["version"]))
        return no_update, f"/forms/{made.form_id}/{made.version}"
    state = button["state"]
    await in_thread(move_form, use, who, at["form_id"], at["version"], state, revision)
    return {**at, "seen": revision}, no_update


def newest(ordered: Rows | None, everything: Rows) -> Rows:
    """The rows in the order shown; all of them where the grid was never looked at."""
    return ordered if ordered is not None and len(ordered) == len(everything) else everything


def keep(
    visit: Visit, at: dict[str, Any], revision: int, rows: tuple[Rows, Rows], settings: dict[str, Any]
) -> tuple[int, list[dict[str, Any]]]:
    """Save the tables as the draft: the new revision and the problems."""
    with read_scope(visit.services.engine) as reading:
        base = parse_form(form_version(reading, at["form_id"], at["version"]).body)
    form, nesting = form_from_rows(base, *rows, settings)
    if nesting:
        raise FormNesting(row=nesting[0].row, detail=nesting[0].message)
    saved = save_draft(visit.services, visit.principal, at["form_id"], at["version"], form, revision)
    return saved.revision, form_designer.problem_rows(form, visit)


def _row_callback(which: str, grid: str) -> None:
    @PAGE.callback(
        Output(grid, "rowData", allow_duplicate=True),
        Input(f"form-{which}-add", "n_clicks"), Input(f"form-{which}-drop", "n_clicks"),
        State(grid, "virtualRowData"), State(grid, "rowData"), State(grid, "selectedRows"), True,
    )  # fmt: skip
    async def change(
        _visit: Visit, adds: int | None, drops: int | None, shown: Rows | None, rows: Rows, picked: Rows | None
    ) -> Any:
        if not (adds or drops):
            return no_update
        return changed_rows(newest(shown, rows), picked or [], dropping=str(ctx.triggered_id).endswith("-drop"))


_row_callback("q", "form-questions")
_row_callback("c", "form-choices")


def changed_rows(rows: Rows, picked: Rows, *, dropping: bool) -> Rows:
    """The rows without the picked one, or with an empty one below it (at the end when none is picked)."""
    ids = [row["id"] for row in rows]
    at = ids.index(picked[0]["id"]) if picked and picked[0]["id"] in ids else len(rows) - 1
    if dropping:
        return [row for i, row in enumerate(rows) if i != at] if picked else rows
    fresh = str(max((int(i) for i in ids), default=-1) + 1)
    return [*rows[: at + 1], {"id": fresh}, *rows[at + 1 :]]
