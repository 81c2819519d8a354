"""The boards in force for the web process: where they lie, what a person may open, what stands behind a tile."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records import Actor
from dashboard.form_service import calendar_of
from dashboard.services import Services
from measures.definition import Board
from measures.evaluation import Reader
from measures.library import Library, library

READERS = ("admin", "manager", "dispatcher", "operator", "viewer", "staff")


def in_force(session: Session, services: Services) -> Library:
    """Shipped, the city's in ``<data>/boards``, edited in the browser."""
    return library(session, services.settings.data_dir / "boards")


def board_of(found: Library, actor: Actor, board_id: str) -> Board:
    """The board; :class:`NotFound` also for one that the person may not open."""
    for board in found.of(actor):
        if board.id == board_id:
            return board
    raise NotFound(what="board", key=board_id)


def behind(
    session: Session, services: Services, actor: Actor, language: str, board_id: str, tile: int, days: int,
    group: dict[str, str] | None = None, measure: str = "",
) -> tuple[str, list[tuple[str, str]], list[dict[str, Any]]]:  # fmt: skip
    """``(title, [(column, its title)], rows)`` behind a tile's figure, by the reader's rights."""
    found = in_force(session, services)
    board = board_of(found, actor, board_id)
    if not 0 <= tile < len(board.tiles) or not board.tiles[tile].shown:
        raise NotFound(what="tile", key=str(tile))
    shown = board.tiles[tile].shown
    wanted = found.measures[measure if measure in shown else shown[0]]
    reader = Reader(session, actor, services.clock.now(), language, calendar_of(services))
    from measures.sources import sources

    heads = [(c.name, c.zh if language == "zh" else c.en) for c in sources()[wanted.source].shown]
    return wanted.name(language), heads, reader.rows(wanted, reader.period(days), group)
