"""The callbacks of ``/kinds``: a draft begins, is saved, asks a form, is proposed and published, each by its rights."""

from __future__ import annotations

from typing import Any

from dash import ALL, Input, Output, State, ctx, html, no_update

from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.workshop import kind_actions as act
from dashboard.pages.workshop import kind_editor, kind_list, kind_trial, kind_view
from dashboard.pages.workshop.form_callbacks import changed_rows, newest
from dashboard.pages.workshop.form_list import import_problems
from dashboard.pages.workshop.kind_page import EDIT_ROLES, PAGE
from events.workshop.drafts import draft_of
from events.workshop.tables import TABLES, body_of
from storage.session import read_scope

__all__ = ["PAGE", "kind_trial", "layout"]
Rows = list[dict[str, Any]]


def layout(visit: Visit, below: list[str]) -> Any:
    """``/kinds``: the list; ``/kinds/{definition_id}``: one kind; ``/kinds/draft/{draft_id}``: the editor."""
    found = visit.services.cases.definitions
    if not below:
        return kind_list.layout(visit)
    if len(below) == 1 and below[0] in found:
        return kind_view.layout(visit, found[below[0]])
    if len(below) == 2 and below[0] == "draft" and visit.principal.has(*EDIT_ROLES):
        return kind_editor.layout(below[1])
    return html.H1(visit.t("page.missing"))


@PAGE.callback(Output("draft-editor", "children"), Input("draft-at", "data"))
async def show(visit: Visit, at: dict[str, Any]) -> Any:
    act.check_kind_editor(visit.principal)
    return await in_thread(kind_editor.editor, visit, at["draft_id"])


@PAGE.callback(
    Output("url", "pathname", allow_duplicate=True), Input("kind-edit", "n_clicks"), State("kind-at", "data"), True
)
async def edit(visit: Visit, clicks: int | None, at: str) -> Any:
    if not clicks:
        return no_update
    draft = await in_thread(act.begin, visit.services, visit.principal, at)
    return f"/kinds/draft/{draft.draft_id}"


@PAGE.callback(
    Output("url", "pathname", allow_duplicate=True), Input("kind-new", "n_clicks"), State("kind-new-id", "value"),
    State("kind-new-zh", "value"), State("kind-new-en", "value"), State("kind-new-form", "value"),
    State("kind-new-states", "value"), True,
)  # fmt: skip
async def create(
    visit: Visit, clicks: int | None, key: str | None, zh: str | None, en: str | None, form: str | None, states: str
) -> Any:
    if not clicks:
        return no_update
    key = (key or "").strip()
    title = {code: text.strip() for code, text in (("zh", zh or ""), ("en", en or "")) if text.strip()} or {"zh": key}
    use, who = visit.services, visit.principal
    draft = await in_thread(act.begin_new, use, who, key, title, states or "", form or "")
    return f"/kinds/draft/{draft.draft_id}"


@PAGE.callback(
    Output("kind-new-form", "data"), Output("kind-new-form", "value"), Output("kind-form-problems", "children"),
    Input("kind-form-imported", "data"), True,
)  # fmt: skip
async def imported(visit: Visit, result: dict[str, Any] | None) -> Any:
    """A workbook's form is chosen for the new kind, or its problems are shown."""
    if not result:
        return no_update, no_update, no_update
    draft = result.get("draft")
    chosen = f"{draft['form_id']}/{draft['version']}" if draft else None
    problems = import_problems(result, visit) if result.get("problems") else None
    return await in_thread(kind_list.form_choices, visit), chosen, problems


@PAGE.callback(
    Output("draft-revision", "data"), Output("draft-problems", "children"), Output("draft-said", "children"),
    Output("draft-course", "children"), Output("draft-changes", "children"),
    Input("draft-save", "n_clicks"), State("draft-at", "data"), State("draft-revision", "data"),
    State({"setting": ALL}, "value"), State({"setting": ALL}, "checked"),
    *[State(f"draft-{name}", prop) for name in TABLES for prop in ("virtualRowData", "rowData")], True,
)  # fmt: skip
async def save(
    visit: Visit, clicks: int | None, at: dict[str, Any], revision: int, values: list[Any], checks: list[Any],
    *rows: Rows | None,
) -> Any:  # fmt: skip
    if not clicks:
        return (no_update,) * 5
    names = [item["id"]["setting"] for item in ctx.states_list[2]]
    settings = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    settings |= {name: value for name, value in zip(names, checks, strict=True) if value is not None}
    tables = {name: newest(rows[2 * n], rows[2 * n + 1] or []) for n, name in enumerate(TABLES)}
    return await in_thread(keep, visit, at, revision, tables, settings)


def keep(
    visit: Visit, at: dict[str, Any], revision: int, tables: dict[str, Rows], settings: dict[str, Any]
) -> tuple[Any, ...]:
    """Save the tables as the draft; cells that cannot be read are told and nothing is saved."""
    act.check_kind_editor(visit.principal)
    with read_scope(visit.services.engine) as session:
        base = draft_of(session, at["draft_id"]).body
    body, unread = body_of(tables, settings, base)
    if unread:
        said = kind_editor.state_line(visit, body, unread)
        return no_update, kind_editor.problems(visit, body, unread), said, no_update, no_update
    draft = act.save(visit.services, visit.principal, at["draft_id"], body, revision)
    tell(visit.t("forms.saved", n=draft.revision))
    return (
        draft.revision, kind_editor.problems(visit, draft.body), kind_editor.state_line(visit, draft.body),
        kind_editor.drawing(visit, draft.body), kind_editor.changes(visit, draft),
    )  # fmt: skip


@PAGE.callback(
    Output("draft-at", "data"), Output("url", "pathname", allow_duplicate=True),
    Input("draft-propose", "n_clicks"), Input("draft-back", "n_clicks"), Input("draft-publish", "n_clicks"),
    Input("draft-drop", "n_clicks"), Input("draft-ask-form", "n_clicks"),
    State("draft-at", "data"), State("draft-revision", "data"), State("draft-form", "value"),
    State("draft-form-command", "value"), True,
)  # fmt: skip
async def move(visit: Visit, *given: Any) -> Any:
    """The draft's next state; the editor is drawn anew, because everything in it changes."""
    *clicks, at, revision, form, command = given
    if not any(clicks):
        return no_update, no_update
    use, who, action = visit.services, visit.principal, str(ctx.triggered_id).removeprefix("draft-")
    if action == "drop":
        await in_thread(act.discard, use, who, at["draft_id"], revision)
        return no_update, "/kinds"
    if action == "ask-form":
        await in_thread(act.ask_form, use, who, at["draft_id"], command or "", form or "", revision)
        return {**at, "seen": revision}, no_update
    moved = await in_thread(act.move, use, who, at["draft_id"], action, revision)
    if action == "publish":
        tell(visit.t("kinds.published", n=moved.published_version))
        return no_update, f"/kinds/{moved.definition_id}"
    return {**at, "seen": revision}, no_update


@PAGE.callback(Output("draft-file", "data"), Input("draft-export", "n_clicks"), State("draft-at", "data"), True)
async def export_draft(visit: Visit, clicks: int | None, at: dict[str, Any]) -> Any:
    return await in_thread(_file_of, visit, at["draft_id"]) if clicks else no_update


def _file_of(visit: Visit, draft_id: str) -> Any:
    act.check_kind_editor(visit.principal)
    with read_scope(visit.services.engine) as session:
        return kind_view.as_file(draft_of(session, draft_id).body)


def _row_callback(name: str) -> None:
    grid = f"draft-{name}"

    @PAGE.callback(
        Output(grid, "rowData", allow_duplicate=True), Input(f"{grid}-add", "n_clicks"),
        Input(f"{grid}-drop", "n_clicks"), State(grid, "virtualRowData"), State(grid, "rowData"),
        State(grid, "selectedRows"), True,
    )  # fmt: skip
    async def change(
        _visit: Visit, adds: int | None, drops: int | None, shown: Rows | None, rows: Rows, picked: Rows | None
    ) -> Any:
        if not (adds or drops):
            return no_update
        return changed_rows(newest(shown, rows), picked or [], dropping=str(ctx.triggered_id).endswith("-drop"))


for _name in TABLES:
    _row_callback(_name)
