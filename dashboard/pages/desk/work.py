"""My work over every kind of case: lists, search, new ones, drafts, one command to many; ``/work/{case_id}`` a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import ALL, MATCH, Input, Output, State, callback_context, dcc, html, no_update

from core.clock import BEIJING
from core.ids import new_id
from dashboard.components import WorkBatch, WorkFile, WorkReport
from dashboard.desk import case_filters
from dashboard.desk.case_filters import Chosen, chosen_of, conditions
from dashboard.i18n.case_titles import case_title
from dashboard.pages.choices import department_words
from dashboard.pages.desk import work_filters
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.pages.tables import column, table, window
from dashboard.pages.workshop.titles import label
from dashboard.search.indexing import catch_up
from events.cases.course.decisive import decisive_first
from events.cases.definition import Definition
from events.cases.queries import MAX_PAGE
from events.cases.soundness.course import origins
from events.cases.worklists.beginning import drafts_of, drop_draft, kinds_to_report
from events.cases.worklists.lists import VIEWS, WorkItem, WorkPage, work_page
from storage.session import read_scope, session_scope

PAGE = Page(path="/work", zh="我的事项", en="My work", order=5, below=True)
CHOSEN_BY_BOX = {"mode": "multiRow", "checkboxes": True, "headerCheckbox": False, "enableClickSelection": False}


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
    views = [{"value": view, "label": visit.t(f"work.view.{view}")} for view in VIEWS]
    return html.Div(
        [
            html.H1(visit.t("work.title")),
            dmc.Group([*work_filters.first_row(visit, views), _new(visit)], gap="sm", mb="xs"),
            dmc.Group(work_filters.second_row(visit), gap="xs", mb="sm"),
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
    items = [dmc.MenuItem(label(k.name, visit, k.definition_id), href=f"/work/new/{k.definition_id}") for k in found]
    target = dmc.MenuTarget(dmc.Button(visit.t("work.new"), id="work-new", disabled=not items))
    return dmc.Menu([target, dmc.MenuDropdown(items)], keepMounted=True)


_SHOWN = [f"work-{name}" for name in work_filters.FIELDS]
_VALUES = ["checked" if name == work_filters.SWITCHED else "value" for name in work_filters.FIELDS]


@PAGE.callback(
    Output("work-list", "children"), *[Input(*each) for each in zip(_SHOWN, _VALUES, strict=True)],
    Input("work-again", "data"),
)  # fmt: skip
async def lists(visit: Visit, *values: Any) -> Any:
    """A fresh list for the view and the filters, which are its id: it asks for its pages by itself."""
    *filters, again = values
    asked = {**msgspec.to_builtins(work_filters.chosen(filters)), "again": again}
    name = {"work": json.dumps(asked, sort_keys=True, ensure_ascii=False)}
    t = visit.t
    columns = [
        column("number", t("work.number"), width=190, cellRenderer="WorkLink"),
        column("title", t("fact.title"), minWidth=220, cellRenderer="WorkLink"),
        column("kind", t("work.kind"), width=150),
        column("state", t("work.state"), width=120), column("department", t("fact.department"), width=150),
        column("handler", t("work.handler"), width=110), column("severity", t("fact.severity"), width=90),
        column("due", t("fact.deadline"), width=150), column("opened", t("fact.opened"), width=150),
        column("closed", t("work.closed"), width=150),
    ]  # fmt: skip
    grid = table(
        visit, name, [{**each, "sortable": False} for each in columns], key="case_id",
        height="calc(100vh - 340px)", options={"rowSelection": CHOSEN_BY_BOX}, empty="work",
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
    names = await in_thread(department_words, visit)
    shown = [row_of(item, visit, now, names) for item in found]
    return {"rowData": shown, "rowCount": start + len(shown) if end else None}


def _read(visit: Visit, asked: dict[str, Any], start: int, number: int) -> tuple[list[WorkItem], bool]:
    """The rows from ``start`` on, and whether the list ends there; it has no numbers and is walked from its top."""
    chosen, found, cursor = chosen_of({k: v for k, v in asked.items() if k != "again"}), list[WorkItem](), None
    if chosen.q:
        catch_up(visit.services.engine)
    while True:
        page = _page(visit, chosen, cursor, min(MAX_PAGE, start + number - len(found)))
        found, cursor = found + page.items, page.next
        if cursor is None or len(found) >= start + number:
            return found[start:], cursor is None


def _page(visit: Visit, asked: Chosen, cursor: str | None, limit: int) -> WorkPage:
    use = visit.services
    with read_scope(use.engine) as session:
        return work_page(
            session, visit.principal.actor, asked.view, use.cases.definitions, search=asked.q,
            also=conditions(asked, use.clock.now()), cursor=cursor, limit=limit,
        )  # fmt: skip


@PAGE.callback(
    Output("work-kept", "data"), Output("work-kept", "value"), Output("work-kept-name", "value"),
    Input("work-keep", "n_clicks"), Input("work-drop", "n_clicks"), State("work-kept-name", "value"),
    State("work-kept", "value"), *[State(*each) for each in zip(_SHOWN, _VALUES, strict=True)], True,
)  # fmt: skip
async def keep(visit: Visit, _keep: int, _drop: int, name: str | None, picked: str | None, *values: Any) -> Any:
    """Keep what is chosen under the name, or drop the kept filter that is picked."""
    if callback_context.triggered_id == "work-drop":
        await in_thread(case_filters.drop, visit.services, visit.principal, picked or "")
        return await in_thread(work_filters.kept_names, visit), None, ""
    name = " ".join((name or picked or "").split())
    found = work_filters.chosen(list(values))
    await in_thread(case_filters.keep, visit.services, visit.principal, name, found)
    tell(visit.t("work.filter.is_kept", name=name))
    return await in_thread(work_filters.kept_names, visit), name, ""


@PAGE.callback(
    *[Output(*each) for each in zip(_SHOWN, _VALUES, strict=True)], Output("work-drop", "disabled"),
    Input("work-kept", "value"), True,
)  # fmt: skip
async def take(visit: Visit, name: str | None) -> Any:
    """Show the kept filter that is picked; none picked changes nothing."""
    found = (await in_thread(case_filters.kept, visit.services, visit.principal)).get(name or "")
    shown = work_filters.values_of(found) if found else [no_update] * len(_SHOWN)
    return *shown, found is None


def row_of(item: WorkItem, visit: Visit, now: datetime, names: Mapping[str, str]) -> dict[str, Any]:
    """A file as the list shows it; ``names`` of departments where the visitor reads other ones."""
    case = item.case
    late = bool(case.open and case.deadline_at and case.deadline_at < now)
    due = _time(case.deadline_at) if case.open else ""
    return {
        "case_id": case.case_id, "number": case.number, "title": case_title(case, visit.language),
        "kind": label(item.kind_name, visit, case.definition_id), "definition_id": case.definition_id,
        "state": label(item.state_name, visit, case.state), "state_id": case.state,
        "department": names.get(case.department_id or "") or case.department_name or "",
        "handler": case.handler_name or "", "due": f"⚠ {due}" if late else due, "opened": _time(case.opened_at),
        "closed": _time(case.closed_at), "severity": visit.t(f"severity.{case.severity}") if case.severity else "",
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
async def drop(visit: Visit, _clicks: list[int | None]) -> Any:
    """A draft that is dropped is gone from the list."""
    button, _ = pressed()
    if not button:
        return no_update
    await in_thread(_drop, visit, str(button["draft"]))
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
    known = visit.services.cases.definitions
    pairs = [(known.get(str(row.get("definition_id"))), str(row.get("state_id") or "")) for row in picked]
    found = commands_for_many([(kind, state) for kind, state in pairs if kind is not None])
    buttons = [
        dmc.Button(label(spec, visit, name), id={"batch": name}, variant="light", size="xs", n_clicks=0)
        for name, spec in found.items()
    ]
    return buttons, None


def commands_for_many(chosen: list[tuple[Definition, str]]) -> dict[str, dict[str, str]]:
    """Names of the commands that each chosen file (its kind, its state) allows for many; what decides comes first."""
    if not chosen:
        return {}
    shared = set.intersection(*(_for_many(kind, state) for kind, state in chosen))
    kind, state = chosen[0]
    return {name: kind.commands[name].name for name in decisive_first(kind, shared, state)}


def _for_many(kind: Definition, state: str) -> set[str]:
    return {name for name, spec in kind.commands.items() if spec.batch and state in origins(kind, spec)}


@PAGE.callback(
    Output("work-batch", "children", allow_duplicate=True), Input({"batch": ALL}, "n_clicks"),
    State({"work": ALL}, "selectedRows"), True,
)  # fmt: skip
async def ask_many(visit: Visit, _clicks: list[int | None], lists: list[list[dict[str, Any]] | None]) -> Any:
    """The form of the command that was chosen."""
    picked = [row for rows in lists for row in rows or []]
    button, _ = pressed()
    if not button or not picked:
        return no_update
    kind = visit.services.cases.definitions[str(picked[0]["definition_id"])]
    name = str(button["batch"])
    command = {
        "name": name, "title": label(kind.commands[name].name, visit, name), "ask": kind.ask(name),
        "form": kind.form(name),
    }  # fmt: skip
    cases = [{"case_id": row["case_id"], "number": row["number"]} for row in picked]
    return html.Div(WorkBatch(id="work-many", command=command, cases=cases), key=new_id())
