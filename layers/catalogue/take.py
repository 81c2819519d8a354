"""Takes a file in as a layer of the map: read, placed, judged, tiled, recorded.  Nothing half-done is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import shapely

from core import plugins
from core.settings import Settings
from core.tables.problem import FileUnreadable
from layers.catalogue.kinds import Columns, LayerWish, recorded, surest
from layers.catalogue.record import FEATURES, TILES, folder, save
from layers.catalogue.report import LayerReport
from layers.contract import LayerKind, Likeness
from layers.territory import Territory
from layers.vector.placing import Placing, of_values
from layers.vector.points import TableSource, is_table
from layers.vector.reading import Feature, open_vector
from layers.vector.screening import Screen, families_of
from layers.vector.table import unpacked_file
from layers.vector.writing import Writer

ROW_REFUSED = ("row_wide", "differs")  # a table's rows that were left out before they became features
RASTERS = (".tif", ".tiff", ".cog", ".vrt", ".jp2")


class LayerSource(Protocol):
    """Anything that gives features batch by batch."""

    crs: str | None
    encoding: str
    others: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the attributes."""

    def types(self) -> dict[str, type]:
        """The type of each attribute, over the whole file."""

    def batches(self, size: int = ...) -> Iterator[list[Feature]]:
        """All features."""


def take_in(settings: Settings, path: Path, territory: Territory, wish: LayerWish | None = None) -> LayerReport:
    """Take the file ``path`` in; every problem is in the report; if nothing is taken, an older layer stays."""
    wish = wish or LayerWish()
    report = LayerReport(wish.name or name_of(path), wish.kind)
    if wish.kind and wish.kind not in plugins.kinds("layer"):
        plugins.load("layer", wish.kind)
    try:
        if path.suffix.lower() in RASTERS:
            from layers.catalogue.take_raster import take_raster

            take_raster(settings, path, territory, wish, report)
        else:
            _take_vector(settings, path, territory, wish, report)
    except FileUnreadable as error:
        values = dict(error.values)
        report.problems.tell(path.name, error.code, field=str(values.pop("field", "")), **values)
    except OSError as error:
        report.problems.tell(path.name, "not_geodata", detail=error.strerror or str(error))
    return report


def name_of(path: Path) -> str:
    """A layer's name out of the file's: letters, digits and Chinese characters, joined by ``-``."""
    return re.sub(r"[^\w]+", "-", path.stem.casefold()).strip("-_")[:60] or "layer"


@contextmanager
def _opened(path: Path, wish: LayerWish, report: LayerReport) -> Iterator[LayerSource]:
    if is_table(path):
        yield TableSource(path, report.problems)
        return
    with ExitStack() as stack:
        file = unpacked_file(path, stack) if path.suffix.lower() == ".zip" else path
        opened = stack.enter_context(open_vector(file, wish.layer))
        if file.suffix.lower() == ".shp" and not opened.fields:
            report.problems.tell(path.name, "no_attributes")
        yield opened


def _take_vector(settings: Settings, path: Path, territory: Territory, wish: LayerWish, report: LayerReport) -> None:
    with _opened(path, wish, report) as source:
        report.encoding = source.encoding
        first = next(source.batches(2_000), [])
        if not first:
            raise FileUnreadable("no_features")
        if source.others:
            report.problems.tell(path.name, "layer_unread", names=", ".join(source.others))
        kind = kind_of(path, wish, source.fields, first)
        report.kind = kind.kind
        placing = _placing(path, source, first, territory, wish, report)
        report.crs = placing.label
        columns = Columns(kind.attributes, source.fields)
        screen = Screen(placing, territory, kind.families)
        with Writer(columns.types(source.types())) as writer:
            for batch in source.batches():
                good = [(columns.of(f.values), shape) for f, shape in screen.pass_through(batch)]
                writer.add(good)
                _tell(path, screen, report)
                report.refused += len(batch) - len(good)
            report.refused += sum(p.code in ROW_REFUSED for p in report.problems)
            report.features, report.bbox = writer.count, writer.bbox
            if not writer.count:
                return
            low, high = kind.zooms
            writer.finish(
                folder(settings) / report.layer / TILES, "PMTiles", report.layer, MINZOOM=str(low), MAXZOOM=str(high),
                NAME=report.layer, SIMPLIFICATION="0", MAX_SIZE="2000000", MAX_FEATURES="200000",
            )  # fmt: skip
            writer.finish(folder(settings) / report.layer / FEATURES, "FlatGeobuf", report.layer)
        save(settings, recorded(path, wish, report, kind, columns.names()))


def _tell(path: Path, screen: Screen, report: LayerReport) -> None:
    for flaw in screen.flaws:
        report.problems.tell(path.name, flaw.code, row=flaw.number, field="geometry", **flaw.values)
    screen.flaws.clear()


def _placing(
    path: Path, source: LayerSource, first: list[Feature], territory: Territory, wish: LayerWish, report: LayerReport
) -> Placing:
    shapes = [f.shape for f in first if f.shape is not None and not f.shape.is_empty]
    sample = np.array([shapely.get_coordinates(s).mean(axis=0) for s in shapes[:1000]]).reshape(-1, 2)
    placing = of_values(
        source.crs, wish.crs, sample, territory, parameters=wish.towgs84, file_name=path.name, swap=wish.swap_axes
    )
    for code, values in placing.notes:
        report.problems.tell(path.name, code, field="crs", **values)
    return placing


def kind_of(path: Path, wish: LayerWish, fields: tuple[str, ...], first: list[Feature]) -> LayerKind:
    """The kind that was asked for, else the one that is surest of the file."""
    chosen = wish.kind
    if not chosen:
        families = Counter(family for f in first if f.shape is not None for family in families_of(f.shape))
        family = families.most_common(1)[0][0] if families else "point"  # nothing is placed: each feature is told
        likeness = Likeness(path.stem, frozenset(f.lower() for f in fields), family)
        chosen = surest(likeness)
    kind: LayerKind = plugins.build("layer", chosen, wish.params)
    if kind.form != "vector":
        raise FileUnreadable("not_geodata", detail=f"{chosen} is made of a raster")
    return kind
