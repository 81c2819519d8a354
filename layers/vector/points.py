"""Features out of a table (CSV, XLSX, XLS): its rows with longitude and latitude, x and y, or WKT."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import shapely

from core.tables.columns import Column
from core.tables.csvfile import encoding_of
from core.tables.heading import plain
from core.tables.problem import CellInvalid, FileUnreadable, Problems
from core.tables.reader import SUFFIXES, TableRow, is_workbook, raw_rows
from core.tables.values import as_text, clean, degrees, number
from layers.vector.reading import BATCH, Feature

MAX_ROWS = 50_000_000
_LON = {"lon", "lng", "longitude", "经度", "long"}
_LAT = {"lat", "latitude", "纬度"}
_X = {"x", "easting", "east", "东坐标", "横坐标", "y坐标"}
_Y = {"y", "northing", "north", "北坐标", "纵坐标", "x坐标"}
_WKT = {"wkt", "geom", "geometry", "the_geom", "几何"}


class TableSource:
    """A table as geodata: ``crs`` is WGS 84 where the headings say longitude and latitude, else unknown."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path
        self.others: tuple[str, ...] = ()
        self._problems = problems
        with path.open("rb") as file:
            self.encoding = "UTF-8" if is_workbook(file) else encoding_of(file).title
            first = next(raw_rows(file, path.name, (), Problems()), None)
        if first is None:
            raise FileUnreadable("no_features")
        self.fields = tuple(first.values)
        self._x, self._y, self._wkt = self._places()
        self.crs = "EPSG:4326" if plain(self._x) in _LON else None

    def _places(self) -> tuple[str, str, str]:
        by_plain = {plain(f): f for f in reversed(self.fields)}
        for xs, ys in ((_LON, _LAT), (_X, _Y)):
            x = next((by_plain[p] for p in by_plain if p in xs), "")
            y = next((by_plain[p] for p in by_plain if p in ys), "")
            if x and y:
                return x, y, ""
        wkt = next((by_plain[p] for p in by_plain if p in _WKT), "")
        if not wkt:
            raise FileUnreadable("no_place")
        return "", "", wkt

    def types(self) -> dict[str, type]:
        """All texts: a table's cells are what was typed."""
        return dict.fromkeys(self.fields, str)

    def batches(self, size: int = BATCH) -> Iterator[list[Feature]]:
        """All rows with their places; the row's number is the file's own."""
        columns = tuple(Column(f) for f in self.fields)
        with self.path.open("rb") as file:
            rows = raw_rows(file, self.path.name, columns, self._problems, max_rows=MAX_ROWS)
            while batch := list(islice(rows, size)):
                yield [self._feature(row) for row in batch]

    def _feature(self, row: TableRow) -> Feature:
        values: dict[str, Any] = {}
        for name, cell in row.values.items():
            if name in {self._x, self._y, self._wkt}:
                continue
            try:
                found = clean(cell)
            except CellInvalid:
                found = ""
            values[name] = None if found == "" else found if isinstance(found, int | float) else as_text(found)
        shape, broken = self._shape(row)
        return Feature(row.place.row, shape, values, broken)

    def _shape(self, row: TableRow) -> tuple[Any, str]:
        try:
            if self._wkt:
                text = str(clean(row.values[self._wkt]))
                return (shapely.force_2d(shapely.from_wkt(text)), "") if text else (None, "")
            x, y = clean(row.values[self._x]), clean(row.values[self._y])
            if x == "" and y == "":
                return None, ""
            return shapely.Point(_coordinate(x), _coordinate(y)), ""
        except (CellInvalid, shapely.errors.ShapelyError) as error:
            return None, str(error)[:120]


def _coordinate(value: Any) -> float:
    try:
        return number(value)
    except CellInvalid:
        return degrees(value, 180)


def is_table(path: Path) -> bool:
    """Whether the suffix is a table's."""
    return path.suffix.lower() in SUFFIXES
