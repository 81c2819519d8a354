"""Boards (看板): figures of a domain with trend, map, table; every figure opens its rows; a rotation for the wall."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.clock import BEIJING
from dashboard.boards.access import READERS, behind, board_of, in_force
from dashboard.boards.drawing import draw
from dashboard.i18n import words
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.presses import pressed
from dashboard.pages.tables import column, table
from measures.library import EDITORS
from measures.sources import sources
from storage.session import read_scope

PAGE = Page(path="/boards", zh="看板", en="Boards", roles=READERS, order=45, below=True)
DAYS = ("7", "30", "90", "365")
REFRESH_MS, TURN_MS = 60_000, 30_000


def layout(visit: Visit, below: list[str]) -> Any:
    """The boards as tabs, period, rotation; the tiles come by callback."""
    with read_scope(visit.services.engine) as session:
        found = in_force(session, visit.services)
        mine = found.of(visit.principal.actor)
        if not mine:
            return html.P(visit.t("boards.none"), className="quiet")
        board = board_of(found, visit.principal.actor, below[0]) if below else mine[0]
    t, names = visit.t, [b.id for b in mine]
    following = names[(names.index(board.id) + 1) % len(names)]
    tabs = [
        dcc.Link(
            b.name(visit.language), href=f"/boards/{b.id}", className="board-tab" + (" here" if b is board else "")
        )
        for b in mine
    ]
    periods = [{"value": d, "label": t("indicators.days", n=d)} for d in DAYS]
    chosen = str(board.days) if str(board.days) in DAYS else "30"
    actions = [
        dmc.SegmentedControl(id="board-days", value=chosen, data=periods, size="xs"),
        dmc.Switch(
            id="board-turning", label=t("boards.turn"), persistence=True, persistence_type="session", checked=False
        ),
        html.A("XLSX", id="board-xlsx", href=f"/api/boards/{board.id}.xlsx", className="button"),
        html.Button(t("boards.print"), className="button", **{"data-print": ""}),
    ]
    if EDITORS & set(visit.principal.actor.roles):
        actions.append(dcc.Link(t("boards.edit"), href=f"/board-editor/{board.id}", className="button"))
    told = [
        html.P(problem, className="board-broken")
        for problem in found.problems
        if EDITORS & set(visit.principal.actor.roles)
    ]
    return html.Div(
        [
            html.Header([html.H1(board.name(visit.language)), html.Nav(tabs, className="board-tabs"),
                         html.Div(actions, className="board-actions")], className="board-head"),
            *told,
            html.Div(id="board-tiles", className="board-tiles"),
            dmc.Modal(id="board-behind", size="90%", title="", children=[html.Div(id="board-rows")]),
            dcc.Store(id="board-id", data=board.id), dcc.Store(id="board-next", data=following),
            dcc.Location(id="board-go", refresh="callback-nav"), dcc.Interval(id="board-refresh", interval=REFRESH_MS),
            dcc.Interval(id="board-turn", interval=TURN_MS, disabled=True),
        ],
        className="board",
    )  # fmt: skip


@PAGE.callback(
    Output("board-tiles", "children"), Output("board-xlsx", "href"),
    Input("board-days", "value"), Input("board-refresh", "n_intervals"), State("board-id", "data"),
    State("board-behind", "opened"),
)  # fmt: skip
async def tiles(visit: Visit, days: str, _ticks: int | None, board_id: str, reading: bool | None) -> Any:
    """Every tile of the board over the period; they stay as they are while somebody reads the rows behind one."""
    if reading and ctx.triggered_id == "board-refresh":
        return no_update, no_update
    chosen = int(days) if days in DAYS else 30
    return await in_thread(_drawn, visit, board_id, chosen), f"/api/boards/{board_id}.xlsx?days={chosen}"


@PAGE.callback(Output("board-turn", "disabled"), Input("board-turning", "checked"))
async def turning(_visit: Visit, on: bool | None) -> Any:
    """The rotation is switched on or off."""
    return not on


@PAGE.callback(Output("board-go", "pathname"), Input("board-turn", "n_intervals"), State("board-next", "data"), True)
async def turn(_visit: Visit, ticks: int | None, following: str) -> Any:
    """The next board."""
    return f"/boards/{following}" if ticks else no_update


@PAGE.callback(
    Output("board-behind", "opened"), Output("board-behind", "title"), Output("board-rows", "children"),
    Input({"type": "board-number", "index": ALL}, "n_clicks"),
    Input({"type": "board-graph", "index": ALL, "kind": ALL}, "clickData"),
    Input({"type": "board-table", "index": ALL}, "cellClicked"),
    State("board-id", "data"), State("board-days", "value"), True,
    running=[(Output("board-refresh", "disabled"), True, False)],  # new tiles would drop the answer to the press
)  # fmt: skip
async def rows_behind(visit: Visit, _clicks: Any, _points: Any, _cells: Any, board_id: str, days: str) -> Any:
    """The rows behind the figure, bar, street, hour or cell that was clicked."""
    picked, value = pressed()
    if not picked:
        return no_update, no_update, no_update
    return await in_thread(_behind, visit, board_id, int(days), picked, value)


def _drawn(visit: Visit, board_id: str, days: int) -> list[Any]:
    with read_scope(visit.services.engine) as session:
        found = in_force(session, visit.services)
        board = board_of(found, visit.principal.actor, board_id)
        return draw(session, visit, found, board, days)


def _behind(visit: Visit, board_id: str, days: int, picked: dict[str, Any], value: Any) -> tuple[bool, str, Any]:
    with read_scope(visit.services.engine) as session:
        found = in_force(session, visit.services)
        tile = board_of(found, visit.principal.actor, board_id).tiles[picked["index"]]
        group, measure = _group(tile.by, picked, value)
        title, heads, rows = behind(session, visit.services, visit.principal.actor, visit.language, board_id,
                                    picked["index"], days, group, measure)  # fmt: skip
        said = sources()[found.measures[measure if measure in tile.shown else tile.shown[0]].source].words
    columns = [column(name, head) for name, head in heads]
    columns[0]["cellRenderer"] = "BoardLink"
    shown = [_readable(visit, row, said) for row in rows]
    return True, f"{title} · {visit.t('boards.count', n=len(rows))}", table(
        visit, "board-grid", columns, shown, key="key", height="60vh", csvExportParams={"fileName": "rows.csv"}
    )  # fmt: skip


def _group(by: str, picked: dict[str, Any], value: Any) -> tuple[dict[str, str] | None, str]:
    """The group that a click means, and the measure of a table's column."""
    if picked["type"] == "board-table":
        key = "" if value.get("rowId") == "-" else str(value.get("rowId"))
        return {by: key}, str(value.get("colId", ""))
    point = (value.get("points") or [{}])[0] if isinstance(value, dict) else {}
    custom = point.get("customdata")
    custom = custom[0] if isinstance(custom, list) and custom else custom
    if picked.get("kind") == "heat" and custom:
        hour, day = str(custom).split("|")
        return {"hour": hour, "weekday": day}, ""
    if picked.get("kind") in ("bars", "map") and custom is not None:
        return {by or "street": str(custom)}, ""
    return None, ""


def _readable(visit: Visit, row: dict[str, Any], prefixes: Any) -> dict[str, Any]:
    """Times in China's time, values in the pages' words."""
    said = words(visit.language)

    def shown(name: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}"
        if name in prefixes and value is not None:
            return said.get(f"{prefixes[name]}.{value}", value)
        return value if isinstance(value, (str, int, float)) or value is None else str(value)

    return {name: shown(name, value) for name, value in row.items()}
