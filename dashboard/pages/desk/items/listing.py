"""The list of items: filters, rows from the server, workbook in and out."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from sqlalchemy import select

from core.errors import InputInvalid
from dashboard.items.desk import department_names
from dashboard.items.files import take_file
from dashboard.pages.desk.items.page import LEVELS, PAGE, STATES, choices, day, desk_of, moment, state_chip
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import chip, column, named, parts, table, window
from records.items.finding import MOST, ItemQuery
from storage.session import read_scope
from storage.tables.items import ServiceItem

_CAP = 24 * 1024 * 1024


def listing(visit: Visit) -> Any:
    """Filters above, the list below."""
    t = visit.t
    departments = [{"value": "", "label": t("items.all")}, *_departments(visit)]
    controls = [
        dmc.TextInput(id="items-text", placeholder=t("items.search"), debounce=400, w=260, value=""),
        dmc.Select(id="items-level", data=choices(visit, "items.level", LEVELS), value="", w=120, allowDeselect=False,
                   **{"aria-label": t("items.level")}),
        dmc.Select(id="items-state", data=choices(visit, "items.state", STATES), value="", w=120, allowDeselect=False,
                   **{"aria-label": t("items.state")}),
        dmc.Select(id="items-department", data=departments, value="", w=200, searchable=True, allowDeselect=False,
                   **{"aria-label": t("items.department")}),
        dmc.Switch(id="items-outdated", label=t("items.outdated"), checked=False),
        dmc.Switch(id="items-blocked", label=t("items.blocked"), checked=False),
        html.Span(id="items-total", className="quiet", **{"aria-live": "polite"}),
    ]  # fmt: skip
    actions = [
        dcc.Link(t("items.problems"), href="/items/problems", className="button"),
        html.A("XLSX", id="items-export", href="/api/items.xlsx", className="button"),
    ]
    if visit.principal.has("admin", "manager", "staff"):
        actions.append(dcc.Upload(html.Button(t("items.import"), className="button"), id="items-upload", max_size=_CAP))
    return html.Div([
        dmc.Group([html.H1(t("page.items")), dmc.Group(actions, gap="xs")], justify="space-between"),
        dmc.Group(controls, gap="sm", mb="sm"),
        html.Div(id="items-told", **{"aria-live": "polite"}),
        dcc.Store(id="items-filters"),
        html.Div(id="items-list"),
        dcc.Location(id="items-go", refresh="callback-nav"),
    ])  # fmt: skip


def _departments(visit: Visit) -> list[dict[str, str]]:
    with read_scope(visit.services.engine) as session:
        ids = set(session.scalars(select(ServiceItem.department_id).distinct()))
        names = department_names(session, ids)
    return [{"value": one, "label": name} for one, name in sorted(names.items(), key=lambda pair: pair[1])]


@PAGE.callback(
    Output("items-list", "children"), Output("items-filters", "data"), Output("items-export", "href"),
    Input("items-text", "value"), Input("items-level", "value"), Input("items-state", "value"),
    Input("items-department", "value"), Input("items-outdated", "checked"), Input("items-blocked", "checked"),
)  # fmt: skip
async def filtered(
    visit: Visit, text: Any, level: Any, state: Any, department: Any, outdated: Any, blocked: Any
) -> Any:
    """A fresh list for the filters; it asks for its pages by itself."""
    filters = {"q": (text or "")[:100], "level": level or "", "state": state or "", "department": department or "",
               "outdated": bool(outdated), "blocked": bool(blocked)}  # fmt: skip
    t = visit.t
    columns = [
        column("name", t("items.name"), cellRenderer="Parts", minWidth=300, sortable=True),
        column("level", t("items.level"), width=90),
        column("department", t("items.department"), sortable=False, width=180),
        column("state", t("items.state"), cellRenderer="Parts", width=160),
        column("problems", t("items.problems"), cellRenderer="Parts", width=150, sortable=False),
        column("answer_due", t("items.answer_due"), width=130),
        column("updated_at", t("items.updated"), width=150),
    ]
    grid = table(visit, "items-table", columns, key="item_id", height="calc(100vh - 210px)",
                 options={"rowHeight": 52})  # fmt: skip
    asked = urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in filters.items() if v})
    return html.Div(grid, key=json.dumps(filters, sort_keys=True)), filters, f"/api/items.xlsx?{asked}"


@PAGE.callback(
    Output("items-table", "getRowsResponse"), Output("items-total", "children"),
    Input("items-table", "getRowsRequest"), State("items-filters", "data"),
)  # fmt: skip
async def rows(visit: Visit, request: dict[str, Any] | None, filters: dict[str, Any] | None) -> Any:
    """One page of the list."""
    if not filters:
        return no_update, no_update
    start, number = window(request)
    sort = ((request or {}).get("sortModel") or [{}])[0]
    query = ItemQuery(
        filters["q"], filters["department"], filters["level"], filters["state"], filters["outdated"],
        filters["blocked"], order=sort.get("colId", "name"), descending=sort.get("sort") == "desc", offset=start,
        limit=min(number, MOST),
    )  # fmt: skip
    items, total = await in_thread(desk_of(visit).listed, query)
    found = [row_of(visit, item) for item in items]
    return {"rowData": found, "rowCount": total}, visit.t("items.total", n=total)


def row_of(visit: Visit, item: dict[str, Any]) -> dict[str, Any]:
    """An item as the list shows it."""
    t = visit.t
    marks = [state_chip(visit, item["state"])]
    if item["head"] != item["live"] and item["live"]:
        marks.append(chip(t("items.has_draft"), "warn"))
    wrong = [chip(t("items.n_blocking", n=item["blocking"]), "bad")] if item["blocking"] else []
    wrong += [chip(t("items.n_warnings", n=item["warnings"]), "warn")] if item["warnings"] else []
    below = item["code"] + (f" · {t('items.generated')}" if item["generated"] else "")
    return {
        "item_id": item["item_id"], **named("name", item["name"], below), "level": t(f"items.level.{item['level']}"),
        "department": item["department_name"] or "—", **parts("state", *marks), **parts("problems", *wrong),
        "answer_due": day(item["answer_due"]), "updated_at": moment(item["updated_at"]),
    }  # fmt: skip


@PAGE.callback(Output("items-go", "pathname"), Input("items-table", "cellClicked"), True)
async def opened(_visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The item that was clicked."""
    return f"/items/{cell['rowId']}" if cell and cell.get("rowId") else no_update


@PAGE.callback(
    Output("items-told", "children"), Input("items-upload", "contents"), State("items-upload", "filename"), True,
)  # fmt: skip
async def uploaded(visit: Visit, contents: str | None, name: str | None) -> Any:
    """Try the file first and say what would become of it."""
    if not contents:
        return no_update
    found = await in_thread(take_file, desk_of(visit), _bytes(contents), name or "", True, False)
    t = visit.t
    lines = [html.Li(f"{p['item']}: {t('items.refused.' + p['code'])}") for p in found["refused"][:20]]
    lines += [html.Li(f"{p['sheet']} {p['row']} {p['field']}: {p['what']}") for p in found["file_problems"][:20]]
    said = t("items.would", n=found["items"], new=found["created"], changed=found["changed"], same=found["unchanged"])
    return html.Div([html.P([said, " ", dmc.Button(t("items.take"), id="items-take", size="xs")]), html.Ul(lines)])


@PAGE.callback(
    Output("items-told", "children", allow_duplicate=True), Input("items-take", "n_clicks"),
    State("items-upload", "contents"), State("items-upload", "filename"), True,
)  # fmt: skip
async def taken(visit: Visit, clicks: int | None, contents: str | None, name: str | None) -> Any:
    """Take the file that was tried."""
    if not clicks or not contents:
        return no_update
    found = await in_thread(take_file, desk_of(visit), _bytes(contents), name or "", False, False)
    tell(visit.t("items.taken", new=found["created"], changed=found["changed"], refused=len(found["refused"])))
    return ""


def _bytes(contents: str) -> bytes:
    try:
        return base64.b64decode(contents.partition(",")[2], validate=True)
    except ValueError as error:
        raise InputInvalid(field="file", detail=str(error), how="choose the file again") from error
