"""Boards: the list, a board's figures as JSON and as a workbook, the rows behind a tile."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from dashboard.answers.boards import BoardFigures, BoardList, TileRows
from dashboard.api.deps import EXPORT, Use, Who, allow, answers, respond, sends
from dashboard.boards.access import READERS, behind, board_of, in_force
from dashboard.boards.export import workbook
from dashboard.form_service import calendar_of
from measures.evaluation import Reader
from storage.session import read_scope

router = APIRouter(tags=["boards"])
Days = Annotated[int, Query(ge=1, le=400, description="the period: this many days, today included")]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/api/boards", dependencies=[allow(*READERS)], **answers(BoardList))
def boards(use: Use, who: Who) -> Response:
    """The boards that the person may open, every measure, and what is wrong with files of the city."""
    with read_scope(use.engine) as session:
        found = in_force(session, use)
        open_to = found.of(who.actor)
    mine = [{"id": b.id, "zh": b.zh, "en": b.en, "days": b.days, "tiles": len(b.tiles)} for b in open_to]
    return respond({"items": mine, "measures": list(found.measures.values()), "problems": found.problems})


@router.get("/api/boards/{board_id}.xlsx", dependencies=[allow(*READERS), EXPORT], **sends(XLSX))
def board_workbook(board_id: str, use: Use, who: Who, days: Days = 30) -> Response:
    """The board's figures and groups as a workbook."""
    with read_scope(use.engine) as session:
        found = in_force(session, use)
        board = board_of(found, who.actor, board_id)
        body = workbook(session, who.actor, use.clock.now(), who.language, found, board, days, calendar_of(use))
    headers = {"Content-Disposition": f'attachment; filename="{board.id}.xlsx"'}
    return Response(body, media_type=XLSX, headers=headers)


@router.get("/api/boards/{board_id}", dependencies=[allow(*READERS)], **answers(BoardFigures))
def board_figures(board_id: str, use: Use, who: Who, days: Days = 30) -> Response:
    """Each measure of the board: value, the period before, when its data were written, and whether they are old."""
    with read_scope(use.engine) as session:
        found = in_force(session, use)
        board = board_of(found, who.actor, board_id)
        reader = Reader(session, who.actor, use.clock.now(), who.language, calendar_of(use))
        period = reader.period(days)
        names = dict.fromkeys(m for tile in board.tiles for m in tile.shown)
        figures = {name: reader.figure(found.measures[name], period) for name in names}
    items = [
        {"measure": name, "name": found.measures[name].name(who.language),
             "unit": found.measures[name].unit(who.language),
         "value": f.value, "rows": f.of, "before": f.before, "as_of": f.as_of, "stale": f.stale,
         "target": found.measures[name].target} for name, f in figures.items()
    ]  # fmt: skip
    return respond({"board": board.id, "from": period.begins, "to": period.ends, "items": items})


@router.get("/api/boards/{board_id}/tiles/{tile}/rows", dependencies=[allow(*READERS)], **answers(TileRows))
def tile_rows(
    board_id: str, tile: int, use: Use, who: Who, days: Days = 30,
    by: Annotated[str, Query(max_length=60, description="the field that groups")] = "",
    key: Annotated[str, Query(max_length=120, description="the group's value as stored; empty: none")] = "",
    measure: Annotated[str, Query(max_length=60, description="of a tile with several")] = "",
) -> Response:  # fmt: skip
    """The very rows that a tile's figure counts, at most 500, by the reader's rights."""
    with read_scope(use.engine) as session:
        group = {by: key} if by else None
        title, heads, rows = behind(session, use, who.actor, who.language, board_id, tile, days, group, measure)
    shown: list[dict[str, Any]] = [{"name": name, "title": head} for name, head in heads]
    return respond({"title": title, "columns": shown, "items": rows})
