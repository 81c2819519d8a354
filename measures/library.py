"""The measures, checks and boards in force: what ships, what the city put into ``<data>/boards``, what was edited.

A file is YAML with ``measures:``, ``checks:`` and ``board:``, each optional.  A later one replaces an earlier
of the same id.  A broken file is told and changes nothing: what stood before goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import Forbidden
from core.records import Actor
from measures.checks import Check, parse_check
from measures.definition import Board, BoardInvalid, Measure, parse_board, parse_measure
from measures.evaluation import check_measure
from storage.tables.boards import BoardVersion

SHIPPED = Path(__file__).parent / "data"
EDITORS = frozenset({"admin", "manager", "system"})
LONGEST = 200_000  # characters of a file


@dataclass
class Library:
    """All by id.  ``texts``: a board's YAML; ``problems``: one line for each file that could not be taken."""

    measures: dict[str, Measure] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    faults: list[tuple[str, BoardInvalid]] = field(default_factory=list)  # the same by file

    def of(self, actor: Actor) -> list[Board]:
        """The boards that this person may open, in their order."""
        mine = [b for b in self.boards.values() if not b.roles or set(b.roles) & set(actor.roles)]
        return sorted(mine, key=lambda board: (board.order, board.id))

    def take(self, text: str, where: str) -> str:
        """Take one file in; the id of its board, or "".

        Raises:
            BoardInvalid: nothing of the file is taken then.
        """
        body = _read(text, where)
        measures = {m.id: m for m in (parse_measure(row, where) for row in body.get("measures") or ())}
        known = self.measures | measures
        checks = {c.id: c for c in (parse_check(row, known, where) for row in body.get("checks") or ())}
        board = parse_board(body["board"], known, where) if body.get("board") else None
        self.measures, self.checks = known, self.checks | checks
        if board is None:
            return ""
        self.boards[board.id], self.texts[board.id] = board, text
        return board.id


@lru_cache(maxsize=256)
def _read(text: str, where: str) -> Mapping[str, Any]:
    if len(text) > LONGEST:
        raise BoardInvalid(field=where, detail=f"{len(text)} characters", how=f"at most {LONGEST}")
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "is not YAML"
        raise BoardInvalid(field=where, detail=f"{line}{problem}", how="mend the line") from error
    if not isinstance(body, Mapping) or not set(body) <= {"measures", "checks", "board"}:
        raise BoardInvalid(field=where, detail="is no board file", how="write measures:, checks: and board:")
    for part in ("measures", "checks"):
        if not isinstance(body.get(part) or [], list):
            raise BoardInvalid(field=f"{where} {part}", detail="is not a list", how="begin each with a dash")
    return body


def library(session: Session | None, folder: Path | None) -> Library:
    """Everything in force now.  ``session`` None: without what was edited in the browser."""
    found = Library()
    for where, text in _files(session, folder):
        try:
            found.take(text, where)
        except BoardInvalid as error:
            found.faults.append((where, error))
    found.problems += [str(error) for _, error in found.faults]
    return found


def files_at_fault(session: Session, folder: Path, clock: Clock) -> list[tuple[str, BoardInvalid]]:
    """What cannot be taken, and the city's files whose measures ask for columns that are not there: name and fault."""
    found = library(session, folder)
    wrong = [(Path(where).name, error) for where, error in found.faults]
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        if path.name in dict(wrong):
            continue
        try:
            for row in _read(path.read_text("utf-8"), path.name).get("measures") or ():
                check_measure(session, parse_measure(row, path.name), clock.now())
        except BoardInvalid as error:
            wrong.append((path.name, error))
    return wrong


def _files(session: Session | None, folder: Path | None) -> Iterator[tuple[str, str]]:
    for path in (file for part in ("measures", "checks", "boards") for file in sorted((SHIPPED / part).glob("*.yaml"))):
        yield path.name, path.read_text("utf-8")
    for path in sorted(folder.glob("*.yaml")) if folder and folder.is_dir() else ():
        try:
            yield str(path), path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            yield str(path), f"? cannot be read: {error}"
    if session is not None:
        for row in _newest(session):
            if row.text:
                yield f"{row.board_id} (version {row.version})", row.text


def _newest(session: Session) -> list[BoardVersion]:
    last = select(BoardVersion.board_id, func.max(BoardVersion.version).label("version")).group_by(
        BoardVersion.board_id
    )
    newest = last.subquery()
    query = select(BoardVersion).join(
        newest, (newest.c.board_id == BoardVersion.board_id) & (newest.c.version == BoardVersion.version)
    )
    return list(session.scalars(query.order_by(BoardVersion.board_id)))


def examine(session: Session, folder: Path | None, text: str, clock: Clock) -> Board:
    """The board that ``text`` would be, its measures built against the database.

    Raises:
        BoardInvalid: what is wrong, by field.
    """
    found = library(session, folder)
    name = found.take(text, "board")
    if not name:
        raise BoardInvalid(field="board", detail="is missing", how="write board: with id, zh, en and tiles")
    for wanted in {m for tile in found.boards[name].tiles for m in tile.shown}:
        check_measure(session, found.measures[wanted], clock.now())
    return found.boards[name]


def save(session: Session, folder: Path | None, text: str, actor: Actor, clock: Clock, *, seen: int) -> int:
    """Keep ``text`` as the next version of its board; the version.

    Args:
        seen: the version that the editor began with (0: none), so that two people do not overwrite each other.

    Raises:
        Forbidden: the actor may not edit boards.
        BoardInvalid: the text is wrong, or somebody saved meanwhile.
    """
    if not EDITORS & set(actor.roles):
        raise Forbidden(action="edit boards")
    board = examine(session, folder, text, clock)
    last = version_of(session, board.id)
    if last != seen:
        raise BoardInvalid(
            field=board.id, detail=f"version {last} was saved meanwhile", how="load it and edit it again"
        )
    row = BoardVersion(
        board_id=board.id, version=last + 1, text=text, saved_at=clock.now(), saved_by=actor.user_id
    )  # fmt: skip
    session.add(row)
    return last + 1


def version_of(session: Session, board_id: str) -> int:
    """The newest saved version of a board; 0: it was never edited."""
    return session.scalar(select(func.max(BoardVersion.version)).where(BoardVersion.board_id == board_id)) or 0


def versions(session: Session, board_id: str) -> list[BoardVersion]:
    """Every saved version, the newest first."""
    query = select(BoardVersion).where(BoardVersion.board_id == board_id).order_by(BoardVersion.version.desc())
    return list(session.scalars(query.limit(100)))
