"""Filing (数据填报): the matrix of units and periods, a unit's cells, approval and totals."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, ctx, dcc, html, no_update

from dashboard.filing.desk import FilingDesk
from dashboard.pages.desk.filing.cells import against, cell_columns, cells_of, filled_in, pasted, problems_told, typed
from dashboard.pages.desk.filing.page import PAGE
from dashboard.pages.desk.filing.sheets import sheet_panel
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import column, table
from records.filing.errors import FilingChanged
from records.filing.ledger import worst

PERIODS = 6
MARKS = {
    "approved": "✓",
    "filed": "●",
    "saved": "…",
    "returned": "↩",
    "exempt": "—",
    "open": "",
    "ready": "◎",
    "partial": "◐",
}
_STYLE = {"styleConditions": [
    {"condition": "params.value && params.value.includes('!')", "style": {"color": "var(--red, #d64545)"}},
    {"condition": "params.value && params.value.startsWith('✓')", "style": {"color": "var(--green, #2f9e44)"}},
]}  # fmt: skip


def layout(visit: Visit) -> Any:
    """Data set and period above; the matrix, then the cells of the unit and period that were picked."""
    t, known = visit.t, _desk(visit).overview()["items"]
    choices = [{"value": d["dataset_id"], "label": d["zh"] if visit.language == "zh" else d["en"]} for d in known]
    actions = [
        dmc.Button(t(f"filing.{name}"), id=f"fil-{name}", size="xs", variant="light")
        for name in ("save", "submit", "approve", "take_back", "return", "roll_up")
    ]
    return html.Div(
        [
            html.H1(t("page.filing")),
            dmc.Select(id="fil-dataset", data=choices, value=choices[0]["value"] if choices else None, w=320,
                       searchable=True, allowDeselect=False, mb="sm", **{"aria-label": t("filing.dataset")}),
            html.P("" if choices else t("filing.none"), className="quiet"),
            html.Div(id="fil-ledger", **{"aria-live": "polite"}),
            html.P(id="fil-rates", className="quiet", **{"aria-live": "polite"}),
            table(visit, "fil-matrix", [], [], key="unit", height="42vh", options={"pagination": False}),
            html.H2(id="fil-title"),
            dmc.Group([dmc.Button(t("filing.prefill_take"), id="fil-prefill", size="xs", variant="outline"), *actions,
                       dmc.TextInput(id="fil-note", placeholder=t("filing.note"), w=260, value="")]),
            html.Div([html.P(t("filing.conflict"), role="alert"), dmc.Group([
                dmc.Button(t("filing.keep_mine"), id="fil-mine", size="xs"),
                dmc.Button(t("filing.take_theirs"), id="fil-theirs", size="xs", variant="outline"),
            ])], id="fil-conflict", style={"display": "none"}),
            html.Details([
                html.Summary(t("filing.paste")), html.P(t("filing.paste_about"), className="quiet"),
                dmc.Group([
                    dmc.Textarea(id="fil-paste", value="", w=420, minRows=3, **{"aria-label": t("filing.paste")}),
                    dmc.Button(t("filing.paste_take"), id="fil-take", size="xs", variant="outline"),
                ]),
            ]),
            sheet_panel(visit),
            html.P(id="fil-problems", className="quiet", **{"aria-live": "polite"}),
            table(visit, "fil-cells", cell_columns(visit), [], key="question", height="34vh",
                  options={"pagination": False, "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True}),
            dcc.Store(id="fil-picked"), dcc.Store(id="fil-changed", data=0),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("fil-matrix", "columnDefs"), Output("fil-matrix", "rowData"), Output("fil-rates", "children"),
    Input("fil-dataset", "value"), Input("fil-changed", "data"),
)  # fmt: skip
async def matrix(visit: Visit, dataset_id: str | None, _changed: int | None) -> Any:
    """Units × the current period and the ones before, below the person's own unit."""
    desk = _desk(visit)
    known = {d["dataset_id"]: d for d in (await in_thread(desk.overview))["items"]}
    if dataset_id not in known:
        return no_update, no_update, no_update
    periods = [known[dataset_id]["current"], *known[dataset_id]["last"]][:PERIODS][::-1]
    found = await in_thread(desk.matrix, dataset_id, "", periods)
    last = found["rates"][-1]
    rates = visit.t("filing.rates", period=periods[-1], expected=last["expected"], complete=_share(last["rate"]),
                    on_time=_share(last["rate_on_time"]))  # fmt: skip
    heads = [column(period, period, width=130, cellStyle=_STYLE, sortable=False) for period in periods]
    return [column("name", visit.t("filing.unit"), pinned="left", width=260), *heads], rows_of(found), rates


@PAGE.callback(Output("fil-ledger", "children"), Input("fil-dataset", "value"), Input("fil-changed", "data"))
async def lights(visit: Visit, dataset_id: str | None, _changed: int | None) -> Any:
    """A task ledger's lights of the last whole month: indicators × departments, and who has signed off."""
    desk = _desk(visit)
    known = {d["dataset_id"]: d for d in (await in_thread(desk.overview))["items"]}
    if dataset_id not in known or not known[dataset_id]["ledger"]:
        return ""
    return ledger_of(visit, await in_thread(desk.ledger, dataset_id, known[dataset_id]["last"][0]))


def ledger_of(visit: Visit, found: dict[str, Any]) -> Any:
    """The ledger as a table; colours are written as signs too."""
    t = visit.t
    counts = " · ".join(f"{LIGHTS[c]} {t(f'filing.light_{c}')} {n}" for c, n in found["counts"].items())
    heads = [column(u["unit"], f"{'✓ ' if u['signed'] else ''}{u['name']}", width=130) for u in found["units"]]
    rows = [
        {"question": row["question"], "title": f"{LIGHTS[worst(row['cells'])]} {row['title']}"}
        | {unit: f"{LIGHTS[c['colour']]} {_told(c)}" for unit, c in row["cells"].items()}
        for row in found["rows"]
    ]  # fmt: skip
    title = column("title", t("filing.indicator"), pinned="left", width=230)
    grid = table(visit, "fil-lights", [title, *heads], rows, key="question", height="46vh",
                 options={"pagination": False})  # fmt: skip
    return html.Div([html.P(f"{t('filing.ledger', period=found['period'])} {counts}"), grid])


def _told(cell: dict[str, Any]) -> str:
    done = "—" if cell["done"] is None else f"{cell['done']:g}"
    return f"{done}/{cell['planned']:g} ({cell['target']:g})"


LIGHTS = {"green": "🟢", "yellow": "🟡", "red": "🔴", "grey": "⚪"}


@PAGE.callback(
    Output("fil-cells", "rowData"), Output("fil-title", "children"), Output("fil-problems", "children"),
    Output("fil-picked", "data"), Output("fil-conflict", "style"), Output("fil-cells", "columnDefs"),
    Input("fil-matrix", "cellClicked"), Input("fil-changed", "data"), Input("fil-theirs", "n_clicks"),
    Input("fil-dataset", "value"), State("fil-picked", "data"), True,
)  # fmt: skip
async def picked(
    visit: Visit, cell: dict[str, Any] | None, _changed: int | None, _theirs: int | None, dataset_id: str | None,
    kept: Any,
) -> Any:  # fmt: skip
    """The cells of the unit and period that were picked, with last period's figures, or a unit's totals."""
    if ctx.triggered_id == "fil-dataset":  # what was picked belongs to the other one
        return [], "", "", None, HIDDEN, no_update
    if ctx.triggered_id == "fil-matrix" and cell and cell.get("colId") not in (None, "name"):
        kept = {"unit": cell["rowId"], "period": cell["colId"]}
    if not kept or not dataset_id:
        return (no_update,) * 6
    desk, unit, period = _desk(visit), kept["unit"], kept["period"]
    found = await in_thread(desk.filing, dataset_id, unit, period)
    totals = await in_thread(desk.totals, dataset_id, unit, period)
    title = f"{found['name']} · {period} · {visit.t('filing.state_' + found['state'])} {found['note']}"
    picked_now = {"unit": unit, "period": period, "version": found["version"]}
    return cells_of(found, totals, visit), title, problems_told(found, visit), picked_now, HIDDEN, cell_columns(visit)


@PAGE.callback(
    Output("fil-changed", "data"), Output("fil-cells", "rowData", allow_duplicate=True),
    Output("fil-cells", "columnDefs", allow_duplicate=True), Output("fil-conflict", "style", allow_duplicate=True),
    Output("fil-picked", "data", allow_duplicate=True),
    *(Input(f"fil-{name}", "n_clicks")
      for name in ("save", "mine", "submit", "approve", "take_back", "return", "roll_up")),
    State("fil-dataset", "value"), State("fil-picked", "data"), State("fil-cells", "rowData"),
    State("fil-note", "value"), State("fil-changed", "data"), True,
)  # fmt: skip
async def act(visit: Visit, *given: Any) -> Any:
    """What the button says, for the unit and period that were picked."""
    dataset_id, kept, rows, note, changed = given[-5:]
    action = str(ctx.triggered_id or "").removeprefix("fil-")
    stay = (no_update,) * 4
    if not kept or not dataset_id or not any(given[:-5]):
        return no_update, *stay
    desk, unit, period = _desk(visit), kept["unit"], kept["period"]
    if action == "roll_up":
        await in_thread(desk.roll_up, dataset_id, unit, period)
    elif action in ("save", "mine"):
        try:
            await in_thread(desk.save, dataset_id, unit, period, *typed(rows or []), kept["version"])
        except FilingChanged:
            found = await in_thread(desk.filing, dataset_id, unit, period)
            return no_update, *_conflict(visit, rows or [], found, kept)
    else:
        marked = [row["question"] for row in rows or [] if row.get("returned")] if action == "return" else []
        await in_thread(desk.move, dataset_id, unit, period, action, note or "", marked)
    tell(visit.t("filing.done"))
    return (changed or 0) + 1, *stay


HIDDEN = {"display": "none"}


def _conflict(visit: Visit, rows: list[dict[str, Any]], found: dict[str, Any], kept: dict[str, Any]) -> Any:
    """What was typed stays, what somebody else has saved stands beside it, and the person chooses."""
    return against(rows, found), cell_columns(visit, theirs=True), {}, {**kept, "version": found["version"]}


@PAGE.callback(
    Output("fil-cells", "rowData", allow_duplicate=True), Input("fil-prefill", "n_clicks"),
    State("fil-cells", "rowData"), True,
)  # fmt: skip
async def prefill(visit: Visit, clicks: int | None, rows: list[dict[str, Any]] | None) -> Any:
    """Empty cells take last period's figures; they are saved when the button says so."""
    del visit
    return filled_in(rows) if clicks and rows else no_update


@PAGE.callback(
    Output("fil-cells", "rowData", allow_duplicate=True), Input("fil-take", "n_clicks"), State("fil-paste", "value"),
    State("fil-cells", "rowData"), True,
)  # fmt: skip
async def paste(visit: Visit, clicks: int | None, text: str | None, rows: list[dict[str, Any]] | None) -> Any:
    """Cells copied in Excel into the rows that they name; nothing is saved before the button says so."""
    if not clicks or not rows:
        return no_update
    filled, taken, unknown = pasted(rows, text or "")
    tell(visit.t("filing.pasted", taken=taken, unknown="、".join(unknown[:5]) or "—"), bad=bool(unknown))
    return filled


def rows_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The matrix's rows: a mark a cell, ``!`` where it is overdue or was late."""
    lines = []
    for row in found["rows"]:
        line = {"unit": row["unit"], "name": "　" * row["level"] + row["name"]}
        for period, cell in zip(found["periods"], row["cells"], strict=True):
            counted = f" {cell['filed']}/{cell['expected']}" if "filed" in cell else ""
            late = " !" if cell.get("overdue") or cell.get("on_time") is False else ""
            line[period] = f"{MARKS.get(cell['state'], cell['state'])}{counted}{late}"
        lines.append(line)
    return lines


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f} %"


def _desk(visit: Visit) -> FilingDesk:
    return FilingDesk(visit.services, visit.principal.actor)
