"""Registers (登记簿): find records, see them masked with their history, show numbers for a reason."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.tables import column, table, window
from dashboard.registers.desk import RegisterDesk
from records.registers.definition import Register
from records.registers.search import MOST, Query

PAGE = Page(
    path="/registers", zh="登记簿", en="Registers", order=60,
    roles=("admin", "manager", "operator", "dispatcher", "staff", "inspector", "grid_worker"),
)  # fmt: skip
SHOWN = 8  # fields of a record that the list shows
_RIGHT = {"width": "440px", "overflow": "auto", "maxHeight": "calc(100vh - 200px)"}


def layout(visit: Visit) -> Any:
    """Register, search and community above; the list at the left, the record that was picked at the right."""
    t, known = visit.t, _desk(visit).registers()
    choices = [{"value": r.id, "label": r.zh if visit.language == "zh" else r.en} for r in known]
    controls = [
        dmc.Select(id="reg-register", data=choices, value=choices[0]["value"] if choices else None, allowDeselect=False,
                   searchable=True, w=200, **{"aria-label": t("registers.register")}),
        dmc.TextInput(id="reg-text", placeholder=t("registers.search"), debounce=400, w=300, value=""),
        dmc.TextInput(id="reg-division", placeholder=t("registers.division"), debounce=400, w=170, value=""),
        html.Span(id="reg-total", className="quiet", **{"aria-live": "polite"}),
    ]  # fmt: skip
    return html.Div(
        [
            html.H1(t("page.registers")),
            dmc.Group(controls, gap="sm", mb="sm"),
            dcc.Store(id="reg-filters"),
            dmc.Group(
                [html.Div(id="reg-list", style={"flex": 1, "minWidth": 0}), html.Div(id="reg-record", style=_RIGHT)],
                align="flex-start", wrap="nowrap", gap="md",
            ),
            dcc.Store(id="reg-picked"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("reg-list", "children"), Output("reg-filters", "data"), Input("reg-register", "value"),
    Input("reg-text", "value"), Input("reg-division", "value"),
)  # fmt: skip
async def lists(visit: Visit, register_id: str | None, text: str | None, division: str | None) -> Any:
    """A fresh list for the register and the filters: it asks for its pages by itself."""
    if not register_id:
        return no_update, no_update
    register = _desk(visit).register(register_id)
    filters = {"register": register_id, "text": (text or "")[:100], "division": _code(division)}
    grid = table(visit, "reg-table", columns_of(register, visit), key="record_id", height="calc(100vh - 200px)")
    return html.Div(grid, key=json.dumps(filters, sort_keys=True)), filters


@PAGE.callback(
    Output("reg-table", "getRowsResponse"), Output("reg-total", "children"), Input("reg-table", "getRowsRequest"),
    State("reg-filters", "data"),
)  # fmt: skip
async def rows(visit: Visit, request: dict[str, Any] | None, filters: dict[str, str] | None) -> Any:
    """One page of the list; sorted by name or by whatever column was picked that the database can sort by."""
    if not filters:
        return no_update, no_update
    start, number = window(request)
    sort = ((request or {}).get("sortModel") or [{}])[0]
    order = {"name": "name", "visit_due": "visit_due", "updated": "updated_at"}.get(sort.get("colId", ""), "name")
    query = Query(filters["register"], filters["text"], filters["division"], order=order, offset=start,
                  limit=min(number, MOST), descending=sort.get("sort") == "desc")  # fmt: skip
    items, total = await in_thread(_desk(visit).listed, query)
    register = _desk(visit).register(filters["register"])
    found = [row_of(item, register, visit) for item in items]
    return {"rowData": found, "rowCount": total}, visit.t("registers.total", n=total)


@PAGE.callback(Output("reg-record", "children"), Output("reg-picked", "data"), Input("reg-table", "cellClicked"))
async def picked(visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The record that was picked: its fields, masked, and its history."""
    if not cell or not cell.get("rowId"):
        return no_update, no_update
    found = await in_thread(_desk(visit).record, str(cell["rowId"]))
    return record_of(found, _desk(visit).register(found["register_id"]), visit), found["record_id"]


@PAGE.callback(
    Output("reg-numbers", "children"), Input("reg-unmask", "n_clicks"), State("reg-reason", "value"),
    State("reg-picked", "data"),
)  # fmt: skip
async def numbers(visit: Visit, clicks: int | None, reason: str | None, record_id: str | None) -> Any:
    """The numbers in full, for a reason that stays in the audit chain."""
    if not clicks or not record_id:
        return no_update
    desk = _desk(visit)
    register = desk.register((await in_thread(desk.record, record_id))["register_id"])
    values = await in_thread(desk.unmask, record_id, sorted(register.sensitive), reason or "")
    tell(visit.t("registers.unmasked"))
    return facts_of({k: v for k, v in values.items() if v}, register, visit)


def columns_of(register: Register, visit: Visit) -> list[dict[str, Any]]:
    """The first fields of the register, then visit and last change."""
    fields = [field for field in register.fields if field.type != "long"][:SHOWN]
    shown = [
        column(
            f.name, f.zh if visit.language == "zh" else f.en, sortable=f.name == register.title,
            minWidth=170 if f.type == "resident_id" else 110,
        )
        for f in fields
    ]  # fmt: skip
    if register.visit:
        shown.append(column("visit_due", visit.t("registers.visit_due"), width=130))
    return [*shown, column("updated", visit.t("registers.updated"), width=150)]


def row_of(item: dict[str, Any], register: Register, visit: Visit) -> dict[str, Any]:
    """A record as the list shows it."""
    choices = {field.name: field.choices for field in register.fields if field.choices and visit.language == "zh"}
    values = {name: (choices.get(name) or {}).get(str(value), value) for name, value in item["values"].items()}
    updated = f"{item['updated_at'].astimezone(BEIJING):%Y-%m-%d %H:%M}"
    due = item["visit_due"].isoformat() if item["visit_due"] else ""
    return {**values, "record_id": item["record_id"], "visit_due": due, "updated": updated}


def record_of(found: dict[str, Any], register: Register, visit: Visit) -> Any:
    """The panel of one record."""
    t = visit.t
    parts: list[Any] = [html.H2(found["name"]), facts_of(found["values"], register, visit)]
    if register.sensitive & set(found["values"]):
        parts += [
            dmc.Group([dmc.TextInput(id="reg-reason", placeholder=t("registers.reason"), style={"flex": 1}),
                       dmc.Button(t("registers.unmask"), id="reg-unmask", variant="light")], gap="xs"),
            html.Div(id="reg-numbers", **{"aria-live": "polite"}),
        ]  # fmt: skip
    lines = [html.Li(line_of(line, register, visit)) for line in found["history"][:40]]
    return [*parts, html.H3(t("registers.history")), html.Ul(lines, className="quiet")]


def facts_of(values: dict[str, Any], register: Register, visit: Visit) -> Any:
    """Fields and values as a list of terms."""
    terms: list[Any] = []
    for field in register.fields:
        if field.name in values:
            value = values[field.name]
            shown = (field.choices or {}).get(str(value), value) if visit.language == "zh" else value
            terms += [html.Dt(field.zh if visit.language == "zh" else field.en), html.Dd(str(shown))]
    return html.Dl(terms, className="facts")


def line_of(line: dict[str, Any], register: Register, visit: Visit) -> str:
    """One line of the history: when, who, which field, from what to what."""
    when = f"{line['at'].astimezone(BEIJING):%Y-%m-%d %H:%M}"
    names = {field.name: field.zh if visit.language == "zh" else field.en for field in register.fields}
    what = visit.t(f"registers.did_{line['action']}") if line["action"] in ACTIONS else line["action"]
    change = "" if line["hidden"] or not line["field"] else f"：{line['old'] or '—'} → {line['new'] or '—'}"
    return f"{when} {line['actor']} {what} {names.get(line['field'], line['field'])}{change} {line['source']}"


ACTIONS = frozenset({"created", "changed", "corrected", "merged", "unmerged", "restricted", "lifted"})


def _desk(visit: Visit) -> RegisterDesk:
    return RegisterDesk(visit.services, visit.principal.actor)


def _code(given: str | None) -> str:
    code = (given or "").strip()
    if code and not (code.isascii() and code.isdigit() and len(code) in (6, 9, 12, 15)):
        raise InputInvalid(field="division", detail=f"{code!r} is no code", how="give 6, 9, 12 or 15 digits")
    return code
