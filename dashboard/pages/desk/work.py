"""My work over every kind of case: lists, search, new ones, drafts, one command to many; ``/work/{case_id}`` a file."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, MATCH, Input, Output, State, callback_context, dcc, html, no_update

from core.clock import BEIJING
from core.ids import new_id
from dashboard.components import WorkBatch, WorkFile, WorkReport
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.tables import column, table, window
from dashboard.pages.workshop.titles import label
from events.cases.definition import Definition
from events.cases.queries import MAX_PAGE
from events.cases.worklists.beginning import drafts_of, drop_draft, kinds_to_report
from events.cases.worklists.lists import VIEWS, WorkItem, WorkPage, work_page
from storage.session import read_scope, session_scope

PAGE = Page(path="/work", zh="我的事项", en="My work", order=5, below=True)


def layout(visit: Visit, below: list[str]) -> Any:
    """``/work``: the lists; ``/work/new/{kind}``, ``/work/draft/{kind}/{draft_id}``: a form; ``/work/{case_id}``."""
    if not below:
        return _lists(visit)
    back = dcc.Link(f"← {visit.t('work.title')}", href="/work")
    if below[0] == "new" and len(below) == 2:
        return html.Div([back, WorkReport(id="work-report", definition_id=below[1], draft_id=None)], className="work")
    if below[0] == "draft" and len(below) == 3:
        form = WorkReport(id="work-report", definition_id=below[1], draft_id=below[2])
        return html.Div([back, form], className="work")
    if len(below) == 1:
        return html.Div([back, WorkFile(id="work-file", case_id=below[0])], className="work")
    return html.H1(visit.t("page.missing"))


def _lists(visit: Visit) -> Any:
    t, kinds = visit.t, visit.services.cases.definitions
    views = [{"value": view, "label": t(f"work.view.{view}")} for view in VIEWS]
    filters = [
        dmc.SegmentedControl(id="work-view", value="turn", data=views),
        dmc.TextInput(id="work-q", placeholder=t("work.search"), debounce=400, w=240, value="",
                      **{"aria-label": t("work.search")}),
        dmc.Select(id="work-kind", data=[{"value": k, "label": label(d.name, visit, k)} for k, d in kinds.items()],
                   placeholder=t("work.every_kind"), clearable=True, searchable=True, w=210,
                   **{"aria-label": t("work.every_kind")}),
        _new(visit),
    ]  # fmt: skip
    return html.Div(
        [
            html.H1(t("work.title")),
            dmc.Group(filters, gap="sm", mb="sm"),
            html.Div(_draft_list(visit), id="work-drafts"),
            dcc.Store(id="work-again", data=0),
            html.Div(id="work-list"),
            html.Div(id="work-commands", className="command-row"), html.Div(id="work-batch"),
        ],
        className="work",
    )  # fmt: skip


def _new(visit: Visit) -> Any:
    """A menu of every kind that this person may report."""
    found = kinds_to_report(visit.principal.actor, visit.services.cases.definitions, visit.services.clock.now())
    items = [
        dmc.MenuItem(label(k.name, visit, k.definition_id), href=f"/work/new/{k.definition_id}") for k in found
    ]
    target = dmc.MenuTarget(dmc.Button(visit.t("work.new"), id="work-new", disabled=not items))
    return dmc.Menu([target, dmc.MenuDropdown(items)], keepMounted=True)


@PAGE.callback(
    Output("work-list", "children"), Input("work-view", "value"), Input("work-q", "value"),
    Input("work-kind", "value"), Input("work-again", "data"),
)  # fmt: skip
async def lists(visit: Visit, view: str, text: str | None, kind: str | None, again: int | None) -> Any:
    """A fresh list for the view and the filters, which are its id: it asks for its pages by itself."""
    asked = {"view": view if view in VIEWS else "turn", "q": (text or "").strip()[:100], "kind": kind, "again": again}
    name = {"work": json.dumps(asked, sort_keys=True, ensure_ascii=False)}
    t = visit.t
    columns = [
        column("number", t("work.number"), width=190, cellRenderer="WorkLink", checkboxSelection=True),
        column("title", t("fact.title"), minWidth=220, cellRenderer="WorkLink"),
        column("kind", t("work.kind"), width=150),
        column("state", t("work.state"), width=120), column("department", t("fact.department"), width=150),
        column("handler", t("work.handler"), width=110), column("due", t("fact.deadline"), width=150),
        column("opened", t("fact.opened"), width=150),
    ]  # fmt: skip
    grid = table(
        visit, name, [{**each, "sortable": False} for each in columns], key="case_id",
        height="calc(100vh - 290px)", options={"rowSelection": "multiple", "suppressRowClickSelection": True},
    )  # fmt: skip
    return html.Div(grid, key=name["work"])


@PAGE.callback(
    Output({"work": MATCH}, "getRowsResponse"), Input({"work": MATCH}, "getRowsRequest"), State({"work": MATCH}, "id"),
)  # fmt: skip
async def rows(visit: Visit, request: dict[str, Any] | None, name: dict[str, str]) -> Any:
    """One page of the list."""
    if not request:
        return no_update
    start, number = window(request)
    found, end = await in_thread(_read, visit, json.loads(name["work"]), start, number)
    now = visit.services.clock.now()
    shown = [row_of(item, visit, now) for item in found]
    return {"rowData": shown, "rowCount": start + len(shown) if end else None}


def _read(visit: Visit, asked: dict[str, Any], start: int, number: int) -> tuple[list[WorkItem], bool]:
    """The rows from ``start`` on, and whether the list ends there; it has no numbers and is walked from its top."""
    at, cursor = 0, None
    while True:
        limit = number if at == start else min(MAX_PAGE, start - at)
        page = _page(visit, asked, cursor, limit)
        if at >= start:
            return page.items, page.next is None
        at, cursor = at + len(page.items), page.next
        if cursor is None or at < start and not page.items:
            return [], True


def _page(visit: Visit, asked: dict[str, Any], cursor: str | None, limit: int) -> WorkPage:
    with read_scope(visit.services.engine) as session:
        return work_page(
            session, visit.principal.actor, asked["view"], visit.services.cases.definitions,
            definition=asked.get("kind"), search=asked.get("q") or "", cursor=cursor, limit=limit,
        )  # fmt: skip


def row_of(item: WorkItem, visit: Visit, now: datetime) -> dict[str, Any]:
    """A file as the list shows it."""
    case = item.case
    late = bool(case.open and case.deadline_at and case.deadline_at < now)
    due = _time(case.deadline_at) if case.open else ""
    return {
        "case_id": case.case_id, "number": case.number, "title": case.title,
        "kind": label(item.kind_name, visit, case.definition_id), "definition_id": case.definition_id,
        "state": label(item.state_name, visit, case.state), "department": case.department_name or "",
        "handler": case.handler_name or "", "due": f"⚠ {due}" if late else due, "opened": _time(case.opened_at),
    }  # fmt: skip


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}" if moment else ""


def _draft_list(visit: Visit) -> Any:
    """The drafts of reports."""
    with read_scope(visit.services.engine) as session:
        found = drafts_of(session, visit.principal.actor)
    kinds = visit.services.cases.definitions
    lines = [
        html.Li(
            [
                dcc.Link(
                    draft.title or visit.t("work.untitled"),
                    href=f"/work/draft/{draft.definition_id}/{draft.draft_id}",
                ),
                f" · {label(kinds[draft.definition_id].name, visit)} · {_time(draft.updated_at)} ",
                html.Button(visit.t("work.drop_draft"), id={"draft": draft.draft_id}, className="tool", n_clicks=0),
            ]
        )
        for draft in found
        if draft.definition_id in kinds
    ]
    summary = html.Summary(visit.t("work.drafts", n=len(lines)))
    return html.Details([summary, html.Ul(lines)], open=True) if lines else None


@PAGE.callback(Output("work-drafts", "children"), Input({"draft": ALL}, "n_clicks"), True)
async def drop(visit: Visit, clicks: list[int | None]) -> Any:
    """A draft that is dropped is gone from the list."""
    pressed = callback_context.triggered_id
    if not isinstance(pressed, dict) or not any(clicks):
        return no_update
    await in_thread(_drop, visit, str(pressed["draft"]))
    return await in_thread(_draft_list, visit)


def _drop(visit: Visit, draft_id: str) -> None:
    with session_scope(visit.services.engine) as session:
        drop_draft(session, visit.principal.actor, draft_id)


@PAGE.callback(
    Output("work-commands", "children"), Output("work-batch", "children"), Input({"work": ALL}, "selectedRows"), True
)
async def chosen(visit: Visit, lists: list[list[dict[str, Any]] | None]) -> Any:
    """The commands that may be given to all the chosen files at once."""
    picked = [row for rows in lists for row in rows or []]
    kinds = [visit.services.cases.definitions.get(str(row.get("definition_id"))) for row in picked]
    found = commands_for_many([kind for kind in kinds if kind is not None])
    buttons = [
        dmc.Button(label(spec, visit, name), id={"batch": name}, variant="light", size="xs", n_clicks=0)
        for name, spec in found.items()
    ]
    return buttons, None


def commands_for_many(kinds: list[Definition]) -> dict[str, dict[str, str]]:
    """Names of the commands that every kind of the chosen files allows for many."""
    if not kinds:
        return {}
    shared = set.intersection(*({n for n, spec in kind.commands.items() if spec.batch} for kind in kinds))
    return {name: spec.name for name, spec in kinds[0].commands.items() if name in shared}


@PAGE.callback(
    Output("work-batch", "children", allow_duplicate=True), Input({"batch": ALL}, "n_clicks"),
    State({"work": ALL}, "selectedRows"), True,
)  # fmt: skip
async def ask_many(visit: Visit, clicks: list[int | None], lists: list[list[dict[str, Any]] | None]) -> Any:
    """The form of the command that was chosen."""
    picked = [row for rows in lists for row in rows or []]
    pressed = callback_context.triggered_id
    if not isinstance(pressed, dict) or not any(clicks) or not picked:
        return no_update
    kind = visit.services.cases.definitions[str(picked[0]["definition_id"])]
    name = str(pressed["batch"])
    command = {
        "name": name, "title": label(kind.commands[name].name, visit, name), "ask": kind.ask(name),
        "form": kind.form(name),
    }  # fmt: skip
    cases = [{"case_id": row["case_id"], "number": row["number"]} for row in picked]
    return html.Div(WorkBatch(id="work-many", command=command, cases=cases), key=new_id())
