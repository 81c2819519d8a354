"""A table of accounts in the browser: checked first, problems by row, then made, each with an invitation's slip."""

from __future__ import annotations

import base64
import io
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from openpyxl import Workbook

from core.errors import InputInvalid, YiwangError
from dashboard.accounts.batch import COLUMNS, Batch
from dashboard.desk.people import import_users
from dashboard.pages.desk.admin.page import PAGE
from dashboard.pages.desk.admin.people import slip
from dashboard.pages.frame import Visit, explained, in_thread
from dashboard.pages.tables import column, table

MOST_SLIPS = 2000


@PAGE.callback(
    Output("adm-dialog", "opened", allow_duplicate=True), Output("adm-dialog-held", "children", allow_duplicate=True),
    Input("adm-upload", "contents"), State("adm-upload", "filename"), True,
)  # fmt: skip
async def checked(visit: Visit, contents: str | None, name: str | None) -> Any:
    """Read the table without writing anything; say what it would do."""
    if not contents:
        return no_update, no_update
    try:
        found = await in_thread(lambda: read(visit, contents, name, dry_run=True))
    except YiwangError as error:
        return True, [html.H2(name), html.P(explained(visit, error), className="form-error", role="alert")]
    make = dmc.Button(visit.t("admin.import_make", n=len(found.created)), id="adm-make", disabled=not found.created)
    return True, [*summary(visit, name, found), make]


@PAGE.callback(
    Output("adm-dialog-held", "children", allow_duplicate=True), Output("adm-changed", "data", allow_duplicate=True),
    Input("adm-make", "n_clicks"), State("adm-upload", "contents"), State("adm-upload", "filename"), True,
)  # fmt: skip
async def made(visit: Visit, clicks: int | None, contents: str | None, name: str | None) -> Any:
    """Make the accounts of the good rows; their invitations are shown this once."""
    if not clicks or not contents:
        return no_update, no_update
    found = await in_thread(lambda: read(visit, contents, name, dry_run=False))
    slips = [slip(visit, a.name, a.login, a.code) for a in found.created[:MOST_SLIPS]]
    print_ = html.Button(visit.t("boards.print"), className="button", **{"data-print": ""})
    shown = [*summary(visit, name, found), print_, html.Div(slips, className="slips")]
    return shown, visit.services.clock.now().isoformat()


@PAGE.callback(Output("adm-file", "data"), Input("adm-sample", "n_clicks"), True)
async def sample(_visit: Visit, clicks: int | None) -> Any:
    """An empty table with the columns."""
    return dcc.send_bytes(await in_thread(empty), "accounts.xlsx") if clicks else no_update


def empty() -> bytes:
    """The workbook of :func:`sample`."""
    book, data = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append([c.name for c in COLUMNS])
    book.save(data)
    return data.getvalue()


def read(visit: Visit, contents: str, name: str | None, *, dry_run: bool) -> Batch:
    """The uploaded table (a ``data:`` address) as accounts."""
    try:
        data = base64.b64decode(contents.partition(",")[2], validate=True)
    except ValueError as error:
        raise InputInvalid(field="file", detail="did not arrive whole", how="choose it again") from error
    return import_users(visit.services, visit.principal, data, name or "table", dry_run=dry_run)


def summary(visit: Visit, name: str | None, found: Batch) -> list[Any]:
    """Counts, then the problems by row."""
    t = visit.t
    said = t("admin.import_said", rows=found.rows, created=len(found.created), existing=len(found.existing),
             problems=len(found.problems))  # fmt: skip
    heads = [column("sheet", t("admin.sheet"), width=110), column("row", t("admin.row"), width=80),
             column("field", t("admin.column"), width=130), column("what", t("admin.error"), wrapText=True,
                                                                          autoHeight=True)]  # fmt: skip
    rows = [{**p, "id": str(n), "what": f"{p['what']} {p['remedy']}"} for n, p in enumerate(found.problems[:1000])]
    grid = table(visit, "adm-problems", heads, rows, key="id", height="300px", options={"pagination": False})
    return [html.H2(name), html.P(said), grid if rows else None]
