"""The list of a register with its filters, and the record that was picked."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid
from dashboard.pages.address import asked
from dashboard.pages.desk.registers.base import PAGE, desk_of
from dashboard.pages.desk.registers.importing import import_panel
from dashboard.pages.desk.registers.map_filter import box_of, map_panel
from dashboard.pages.desk.registers.record import facts_of, record_of
from dashboard.pages.desk.registers.saved_views import saved_controls
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import column, table, window
from records.registers.definition import Register
from records.registers.search import MOST, Query

SHOWN = 8  # fields of a record that the list shows
_RIGHT = {"width": "440px", "overflow": "auto", "maxHeight": "calc(100vh - 200px)"}


def layout(visit: Visit) -> Any:
    """Register, filters, views and map above; the list at the left, the record that was picked at the right."""
    t, known = visit.t, desk_of(visit).registers()
    choices = [{"value": r.id, "label": r.named(visit.language)} for r in known]
    field = partial(dmc.TextInput, debounce=400, value="")
    controls = [
        dmc.Select(id="reg-register", data=choices, value=choices[0]["value"] if choices else None, allowDeselect=False,
                   searchable=True, w=190, **{"aria-label": t("registers.register")}),
        field(id="reg-text", placeholder=t("registers.search"), w=270, **{"aria-label": t("registers.search")}),
        field(id="reg-division", placeholder=t("registers.division"), w=150, **{"aria-label": t("registers.division")}),
        field(id="reg-building", placeholder=t("registers.building"), w=130, **{"aria-label": t("registers.building")}),
        dmc.Button(t("registers.map_filter"), id="reg-map-open", variant="subtle"),
        *saved_controls(visit),
        import_panel(visit),
        html.Span(id="reg-total", className="quiet", **{"aria-live": "polite"}),
    ]  # fmt: skip
    return html.Div(
        [
            html.H1(t("page.registers")),
            dmc.Group(controls, gap="sm", mb="sm"),
            map_panel(visit),
            dcc.Store(id="reg-filters"), dcc.Store(id="reg-box"), dcc.Store(id="reg-saved", data=0),
            dmc.Group(
                [html.Div(id="reg-list", style={"flex": 1, "minWidth": 0}), html.Div(id="reg-record", style=_RIGHT)],
                align="flex-start", wrap="nowrap", gap="md",
            ),
            dcc.Store(id="reg-picked"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("reg-register", "value"), Output("reg-text", "value"), Output("reg-division", "value"),
    Output("reg-building", "value"), Output("reg-box", "data"), Input("url", "search"),
)  # fmt: skip
async def opened(visit: Visit, search: str | None) -> Any:
    """What the address asks for: ``?register=person&q=…&division=…&building=…&bbox=…`` (links of the map, views).

    Without a register the first one is open: a callback that waits for these values does not run when none is given.
    """
    values = asked(search)
    if not values.get("register"):
        known = desk_of(visit).registers()
        return known[0].id if known else None, "", "", "", None
    register = desk_of(visit).register(values["register"])
    text, division, building = (values.get(name, "")[:100] for name in ("q", "division", "building"))
    return register.id, text, division, building, box_of(values.get("bbox"))


@PAGE.callback(
    Output("reg-list", "children"), Output("reg-filters", "data"), Input("reg-register", "value"),
    Input("reg-text", "value"), Input("reg-division", "value"), Input("reg-building", "value"),
    Input("reg-box", "data"),
)  # fmt: skip
async def lists(
    visit: Visit, register_id: str | None, text: str | None, division: str | None, building: str | None, box: Any
) -> Any:
    """A fresh list for the register and the filters: it asks for its pages by itself."""
    if not register_id:
        return no_update, no_update
    register = desk_of(visit).register(register_id)
    filters = {
        "register": register_id, "text": (text or "")[:100], "division": _code(division),
        "building": (building or "").strip()[:40], "box": box,
    }  # fmt: skip
    grid = table(visit, "reg-table", columns_of(register, visit), key="record_id", height="calc(100vh - 200px)")
    return html.Div(grid, key=json.dumps(filters, sort_keys=True)), filters


@PAGE.callback(
    Output("reg-table", "getRowsResponse"), Output("reg-total", "children"), Input("reg-table", "getRowsRequest"),
    State("reg-filters", "data"),
)  # fmt: skip
async def rows(visit: Visit, request: dict[str, Any] | None, filters: dict[str, Any] | None) -> Any:
    """One page of the list; sorted by name or by whatever column was picked that the database can sort by."""
    if not filters:
        return no_update, no_update
    start, number = window(request)
    sort = ((request or {}).get("sortModel") or [{}])[0]
    order = {"name": "name", "visit_due": "visit_due", "updated": "updated_at"}.get(sort.get("colId", ""), "name")
    register = desk_of(visit).register(filters["register"])
    placed = desk_of(visit).in_box(register, tuple(filters["box"]) if filters.get("box") else None)
    query = Query(filters["register"], filters["text"], filters["division"], building=filters.get("building") or "",
                  order=order, offset=start, limit=min(number, MOST), descending=sort.get("sort") == "desc",
                  **placed)  # fmt: skip
    items, total = await in_thread(desk_of(visit).listed, query)
    found = [row_of(item, register, visit) for item in items]
    return {"rowData": found, "rowCount": total}, visit.t("registers.total", n=total)


@PAGE.callback(Output("reg-record", "children"), Output("reg-picked", "data"), Input("reg-table", "cellClicked"))
async def picked(visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The record that was picked: its fields, masked, and its history."""
    if not cell or not cell.get("rowId"):
        return no_update, no_update
    found = await in_thread(desk_of(visit).record, str(cell["rowId"]))
    return record_of(found, desk_of(visit).register(found["register_id"]), visit), found["record_id"]


@PAGE.callback(
    Output("reg-numbers", "children"), Input("reg-unmask", "n_clicks"), State("reg-reason", "value"),
    State("reg-picked", "data"),
)  # fmt: skip
async def numbers(visit: Visit, clicks: int | None, reason: str | None, record_id: str | None) -> Any:
    """The numbers in full, for a reason that stays in the audit chain."""
    if not clicks or not record_id:
        return no_update
    desk = desk_of(visit)
    register = desk.register((await in_thread(desk.record, record_id))["register_id"])
    values = await in_thread(desk.unmask, record_id, sorted(register.sensitive), reason or "")
    tell(visit.t("registers.unmasked"))
    return facts_of({k: v for k, v in values.items() if v}, register, visit)


def columns_of(register: Register, visit: Visit) -> list[dict[str, Any]]:
    """The first fields of the register, then visit and last change."""
    fields = [field for field in register.fields if field.type != "long"][:SHOWN]
    shown = [
        column(
            f.name, f.heading(visit.language), sortable=f.name == register.title,
            minWidth=170 if f.type == "resident_id" else 110,
        )
        for f in fields
    ]  # fmt: skip
    if register.visit:
        shown.append(column("visit_due", visit.t("registers.visit_due"), width=130))
    return [*shown, column("updated", visit.t("registers.updated"), width=150)]


def row_of(item: dict[str, Any], register: Register, visit: Visit) -> dict[str, Any]:
    """A record as the list shows it."""
    fields = {field.name: field for field in register.fields}
    values = {n: fields[n].shown(v, visit.language) if n in fields else v for n, v in item["values"].items()}
    updated = f"{item['updated_at'].astimezone(BEIJING):%Y-%m-%d %H:%M}"
    due = item["visit_due"].isoformat() if item["visit_due"] else ""
    return {**values, "record_id": item["record_id"], "visit_due": due, "updated": updated}


def _code(given: str | None) -> str:
    code = (given or "").strip()
    if code and not (code.isascii() and code.isdigit() and len(code) in (6, 9, 12, 15)):
        raise InputInvalid(field="division", detail=f"{code!r} is no code", how="give 6, 9, 12 or 15 digits")
    return code
