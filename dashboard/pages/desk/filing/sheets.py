"""Filing by Excel: the sheet down and up again, the superior's own layout filled in by its named cells."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.errors import InputInvalid
from dashboard.accounts.confirming import must_be_confirmed
from dashboard.filing.desk import FilingDesk
from dashboard.pages.desk.filing.page import PAGE
from dashboard.pages.frame import Visit, in_thread, tell

MOST_BYTES = 20 << 20
SHOWN = 200


def sheet_panel(visit: Visit) -> Any:
    """What is done with workbooks, for the unit and period that are picked."""
    t = visit.t
    return html.Details([
        html.Summary(t("filing.sheets")), html.P(t("filing.sheets_about"), className="quiet"),
        dmc.Group([
            html.A(t("filing.sheet_down"), id="fil-sheet", className="button", href="", style={"display": "none"}),
            dcc.Upload(html.Button(t("filing.sheet_up"), className="button"), id="fil-sheet-file", accept=".xlsx",
                       max_size=MOST_BYTES),
            dmc.Button(t("filing.sheet_good"), id="fil-sheet-good", size="xs", disabled=True, n_clicks=0),
            dcc.Upload(html.Button(t("filing.template"), className="button"), id="fil-template", accept=".xlsx",
                       max_size=MOST_BYTES),
        ]),
        html.Div(id="fil-sheet-told", **{"aria-live": "polite"}), dcc.Download(id="fil-template-out"),
    ])  # fmt: skip


@PAGE.callback(
    Output("fil-sheet", "href"), Output("fil-sheet", "style"), Input("fil-picked", "data"),
    State("fil-dataset", "value"), True,
)  # fmt: skip
async def address(visit: Visit, kept: dict[str, Any] | None, dataset_id: str | None) -> Any:
    """Where the sheet of what was picked is downloaded."""
    del visit
    if not kept or not dataset_id:
        return "", {"display": "none"}
    parts = (quote(str(part), safe="") for part in (dataset_id, kept["unit"], kept["period"]))
    dataset, unit, period = parts
    return f"/api/filing/{dataset}/units/{unit}/{period}/sheet.xlsx", {}


@PAGE.callback(
    Output("fil-sheet-told", "children"), Output("fil-sheet-good", "disabled"), Input("fil-sheet-file", "contents"),
    State("fil-sheet-file", "filename"), State("fil-dataset", "value"), State("fil-picked", "data"), True,
)  # fmt: skip
async def tried(visit: Visit, file: str | None, name: str | None, dataset_id: str | None, kept: Any) -> Any:
    """What a filled-in sheet would do, and every problem of it; nothing is taken yet."""
    if not file or not dataset_id or not _picked(visit, kept):
        return no_update, no_update
    done = await in_thread(_take, visit, dataset_id, kept["period"], file, name or "", True)
    return told(visit, done, taken=False), not done["found"]


@PAGE.callback(
    Output("fil-sheet-told", "children", allow_duplicate=True), Output("fil-changed", "data", allow_duplicate=True),
    Output("fil-sheet-good", "disabled", allow_duplicate=True), Input("fil-sheet-good", "n_clicks"),
    State("fil-sheet-file", "contents"), State("fil-sheet-file", "filename"), State("fil-dataset", "value"),
    State("fil-picked", "data"), State("fil-changed", "data"), True,
)  # fmt: skip
async def taken(
    visit: Visit, clicks: int | None, file: str | None, name: str | None, dataset_id: str | None, kept: Any,
    changed: int | None,
) -> Any:  # fmt: skip
    """The good cells are taken."""
    if not clicks or not file or not dataset_id or not kept:
        return no_update, no_update, no_update
    done = await in_thread(_take, visit, dataset_id, kept["period"], file, name or "", False)
    tell(visit.t("filing.sheet_taken", n=len(done["units"])))
    return told(visit, done, taken=True), (changed or 0) + 1, True


def _take(visit: Visit, dataset_id: str, period: str, file: str, name: str, dry_run: bool) -> dict[str, Any]:
    desk = FilingDesk(visit.services, visit.principal.actor)
    return desk.take_sheet(dataset_id, period, _bytes(file), name=name, dry_run=dry_run, language=visit.language)


def told(visit: Visit, done: dict[str, Any], *, taken: bool) -> Any:
    """How many units, and the problems as a table: sheet, row, column, what, remedy."""
    t = visit.t
    n = len(done["units"] if taken else done["found"])
    head = html.P(t("filing.sheet_took" if taken else "filing.sheet_found", n=n, problems=len(done["problems"])))
    names = ("sheet", "row", "column", "what", "remedy")
    rows = [
        html.Tr([html.Td(str(p[name])) for name in names], className="" if p["severity"] == "error" else "quiet")
        for p in done["problems"][:SHOWN]
    ]
    heads = html.Thead(html.Tr([html.Th(t(f"filing.sheet_{name}"), scope="col") for name in names]))
    return html.Div([head, html.Table([heads, html.Tbody(rows)], className="plain") if rows else None])


@PAGE.callback(
    Output("fil-template-out", "data"), Input("fil-template", "contents"), State("fil-template", "filename"),
    State("fil-dataset", "value"), State("fil-picked", "data"), True,
)  # fmt: skip
async def template(visit: Visit, file: str | None, name: str | None, dataset_id: str | None, kept: Any) -> Any:
    """The superior's workbook with its named cells filled from what was picked."""
    if not file or not dataset_id or not _picked(visit, kept):
        return no_update
    must_be_confirmed(visit.principal, visit.services.clock.now())
    desk = FilingDesk(visit.services, visit.principal.actor)
    filled = await in_thread(desk.template, dataset_id, kept["unit"], kept["period"], _bytes(file))
    return {"content": base64.b64encode(filled).decode(), "filename": name or "template.xlsx", "base64": True}


def _picked(visit: Visit, kept: Any) -> bool:
    if not kept:
        tell(visit.t("filing.pick_first"), bad=True)
    return bool(kept)


def _bytes(file: str) -> bytes:
    try:
        return base64.b64decode(file.partition(",")[2], validate=True)
    except ValueError as error:
        raise InputInvalid(field="file", detail="was not sent whole", how="choose it again") from error
