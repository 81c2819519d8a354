"""A board for one reader: every tile evaluated and drawn; a tile that fails says so and the others stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import YiwangError
from dashboard.boards import figures
from dashboard.form_service import calendar_of
from dashboard.i18n import translate, words
from dashboard.pages.frame import Visit
from dashboard.pages.tables import column, table
from measures.definition import Board, Measure, Tile
from measures.evaluation import Figure, Group, Period, Reader
from measures.library import Library
from measures.sources import sources

GRAPH = {"displayModeBar": False, "responsive": True}


@dataclass(frozen=True)
class Canvas:
    """What the tiles are drawn from."""

    visit: Visit
    reader: Reader
    period: Period
    library: Library

    def named(self, measure: Measure, by: str, groups: list[Group]) -> list[Group]:
        """Groups whose names are words of the pages get them."""
        prefix = sources()[measure.source].words.get(by)
        if not prefix:
            return groups
        said = words(self.visit.language)
        return [Group(g.key, said.get(f"{prefix}.{g.key}", g.name), g.value, g.of) for g in groups]

    def groups(self, measure: Measure, by: str) -> list[Group]:
        return self.named(measure, by, self.reader.groups(measure, self.period, by))


def draw(session: Session, visit: Visit, library: Library, board: Board, days: int) -> list[Any]:
    """The tiles of ``board`` in their order."""
    reader = Reader(
        session, visit.principal.actor, visit.services.clock.now(), visit.language, calendar_of(visit.services)
    )
    canvas = Canvas(visit, reader, reader.period(days), library)
    return [_tile(canvas, number, tile) for number, tile in enumerate(board.tiles)]


def _tile(canvas: Canvas, number: int, tile: Tile) -> Any:
    measures = [canvas.library.measures[name] for name in tile.shown]
    try:
        body = _DRAWN[tile.kind](canvas, number, tile, measures)
    except YiwangError as error:
        body = [html.P(str(error), className="board-broken")]
    heading = (tile.zh if canvas.visit.language == "zh" else tile.en) or (
        measures[0].name(canvas.visit.language) if measures else ""
    )
    note = measures[0].note(canvas.visit.language) if measures else ""
    origin = ""
    if measures:
        source = sources()[measures[0].source]
        origin = source.zh if canvas.visit.language == "zh" else source.en
    told = " · ".join(filter(None, (note, origin)))
    return html.Section(
        [html.H2(heading, title=told), *body],
        className=f"board-tile board-{tile.kind}", style={"gridColumn": f"span {tile.width}"},
    )  # fmt: skip


def _number(canvas: Canvas, number: int, _tile_: Tile, measures: list[Measure]) -> list[Any]:
    (measure,) = measures
    language = canvas.visit.language
    figure = canvas.reader.figure(measure, canvas.period)
    trend = figures.sparkline(canvas.reader.series(measure, canvas.period), _tone(measure, figure))
    value = html.Button(
        [html.B(figures.shown_value(measure, figure.value)), html.Span(f" {measure.unit(language)}")],
        id={"type": "board-number", "index": number}, className="board-figure", n_clicks=0,
        title=translate(language, "boards.rows"),
    )  # fmt: skip
    picture = [html.Img(src=trend, alt="", className="board-spark")] if trend else []
    return [
        _light(canvas, measure, figure),
        html.Div([value, *picture], className="board-line"),
        _change(canvas, measure, figure),
    ]


def _tone(measure: Measure, figure: Figure) -> str:
    return figures.BAD if figures.met(measure, figure.value) is False else figures.GOOD


def _light(canvas: Canvas, measure: Measure, figure: Figure) -> Any:
    """How old the data are: a word and a colour."""
    t = canvas.visit.t
    if figure.value is None and figure.as_of is None:
        return html.Span([html.I(className="light none"), t("boards.no_data")], className="board-light")
    if measure.source in ("cases", "cameras", "devices"):
        return html.Span([html.I(className="light"), t("boards.now")], className="board-light")
    when = f"{figure.as_of.astimezone(BEIJING):%m-%d %H:%M}" if figure.as_of else "—"
    return html.Span([html.I(className="light stale" if figure.stale else "light"), when], className="board-light")


def _change(canvas: Canvas, measure: Measure, figure: Figure) -> Any:
    """Against the period before, and the target; a mark and a word beside the colour."""
    t, parts = canvas.visit.t, []
    if figure.value is not None and figure.before is not None:
        gap = figure.value - figure.before
        shown = figures.shown_value(measure, abs(gap))
        unit = t("boards.points") if measure.value == "share" else ""
        mark = "＝" if not gap else "↑" if gap > 0 else "↓"
        good = bool(gap) and bool(measure.better) and (gap > 0) == (measure.better == "high")
        tone = "" if not gap or not measure.better else "good" if good else "bad"
        parts.append(html.Span(f"{mark} {shown} {unit} {t('boards.against_before')}", className=tone))
    if measure.target is not None:
        wanted = figures.shown_value(measure, measure.target)
        hit = figures.met(measure, figure.value)
        word = t("boards.target", value=wanted, unit=measure.unit(canvas.visit.language))
        parts.append(html.Span(word, className="" if hit is None else "good" if hit else "bad"))
    if figure.value is None:
        parts.append(html.Span(t("boards.nothing_due")))
    return html.P(parts, className="board-change")


def _bars(canvas: Canvas, number: int, tile: Tile, measures: list[Measure]) -> list[Any]:
    (measure,) = measures
    groups = canvas.groups(measure, tile.by)
    if not any(group.value for group in groups):
        return [_empty(canvas)]
    return [_graph(figures.bars(measure, groups, canvas.visit.language, tile.rows), "bars", number)]


def _lines(canvas: Canvas, number: int, _tile_: Tile, measures: list[Measure]) -> list[Any]:
    found = [(measure, canvas.reader.series(measure, canvas.period)) for measure in measures]
    if not any(value for _, points in found for _, value in points):
        return [_empty(canvas)]
    return [_graph(figures.lines(found, canvas.visit.language), "lines", number)]


def _map(canvas: Canvas, number: int, tile: Tile, measures: list[Measure]) -> list[Any]:
    (measure,) = measures
    groups = canvas.reader.groups(measure, canvas.period, tile.by or "street")
    return [_graph(figures.street_map(canvas.reader.session, measure, groups), "map", number)]


def _heat(canvas: Canvas, number: int, _tile_: Tile, measures: list[Measure]) -> list[Any]:
    (measure,) = measures
    weekdays = [canvas.visit.t(f"boards.weekday.{day}") for day in range(1, 8)]
    grid = canvas.reader.grid(measure, canvas.period, "hour", "weekday")
    return [_graph(figures.heat(grid, weekdays), "heat", number)] if grid else [_empty(canvas)]


def _table(canvas: Canvas, number: int, tile: Tile, measures: list[Measure]) -> list[Any]:
    language = canvas.visit.language
    found: Mapping[str, list[Group]] = {m.id: canvas.groups(m, tile.by) for m in measures}
    heads = [column("name", canvas.visit.t("indicators.group"), pinned="left", width=190)]
    heads += [column(m.id, m.name(language), type="rightAligned", headerTooltip=m.note(language)) for m in measures]
    rows = figures.table_rows(measures, found, tile.rows)
    if not rows:
        return [_empty(canvas)]
    identifier = {"type": "board-table", "index": number}
    return [table(canvas.visit, identifier, heads, rows, key="key", height="280px", options={"pagination": False})]


def _text(canvas: Canvas, _number_: int, tile: Tile, _measures: list[Measure]) -> list[Any]:
    return [html.P(tile.text_zh if canvas.visit.language == "zh" else tile.text_en, className="quiet")]


def _graph(figure: Any, kind: str, number: int) -> Any:
    return dcc.Graph(id={"type": "board-graph", "index": number, "kind": kind}, figure=figure, config=GRAPH,
                     style={"height": f"{figure.layout.height}px"})  # fmt: skip


def _empty(canvas: Canvas) -> Any:
    return html.P(canvas.visit.t("boards.nothing"), className="quiet board-empty")


_DRAWN = {
    "number": _number, "bars": _bars, "lines": _lines, "map": _map, "heat": _heat, "table": _table, "text": _text,
}  # fmt: skip
