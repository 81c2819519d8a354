"""A board as a workbook: a sheet of figures, a sheet for each tile that groups."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.late import Late
from core.legal_time.calendar import WorkCalendar
from core.records import Actor
from core.tables.safe_cells import safe_cell
from measures.definition import Board, Measure
from measures.evaluation import Period, Reader
from measures.library import Library

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")


def workbook(
    session: Session, actor: Actor, now: Any, language: str, found: Library, board: Board, days: int,
    calendar: WorkCalendar | None = None,
) -> bytes:  # fmt: skip
    """The board's figures by the reader's rights; shares as numbers 0…1 with a percent format."""
    reader = Reader(session, actor, now, language, calendar)
    period = reader.period(days)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = _sheet_name(board.name(language), set())
    head = ["指标", "数值", "单位", "上期", "目标", "数据时间", "口径"] if language == "zh" else [
        "measure", "value", "unit", "before", "target", "as of", "definition"]  # fmt: skip
    sheet.append(head)
    for name in dict.fromkeys(m for tile in board.tiles for m in tile.shown):
        sheet.append(_figure_row(reader, found.measures[name], period, language))
    sheet.freeze_panes = "A2"
    for tile in board.tiles:
        if tile.kind in ("bars", "table", "map"):
            _grouped(book, reader, tile.by or "street", [found.measures[m] for m in tile.shown], period, language)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _figure_row(reader: Reader, measure: Measure, period: Period, language: str) -> list[Any]:
    figure = reader.figure(measure, period)
    as_of = f"{figure.as_of.astimezone(BEIJING):%Y-%m-%d %H:%M}" if figure.as_of else ""
    return [
        safe_cell(measure.name(language)), figure.value, measure.unit(language), figure.before, measure.target, as_of,
        safe_cell(measure.note(language)),
    ]  # fmt: skip


def _grouped(
    book: openpyxl.Workbook, reader: Reader, by: str, measures: list[Measure], period: Period, language: str
) -> None:
    groups = {m.id: reader.groups(m, period, by) for m in measures}
    sheet = book.create_sheet(_sheet_name(f"{measures[0].name(language)} {by}", set(book.sheetnames)))
    sheet.append([by, "名称" if language == "zh" else "name", *[m.name(language) for m in measures]])
    names = {g.key: g.name for m in measures for g in groups[m.id]}
    values = {m.id: {g.key: g.value for g in groups[m.id]} for m in measures}
    for key, name in names.items():
        sheet.append([safe_cell(key), safe_cell(name), *[values[m.id].get(key) for m in measures]])


def _sheet_name(wanted: str, taken: set[str]) -> str:
    clean = "".join(c for c in wanted if c not in "[]:*?/\\")[:28] or "sheet"
    name, number = clean, 1
    while name in taken:
        number += 1
        name = f"{clean[:25]} {number}"
    return name
