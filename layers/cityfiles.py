"""Reads a city folder: tables as CSV, XLSX, GeoPackage or GeoJSON, every row checked, no row lost for another's fault.

A table may come in several files: ``cameras.csv``, ``cameras-patrol.csv``, ``cameras.xlsx`` all hold cameras.
The columns are listed in ``layers/columns.py`` and explained in ``docs/layers.md``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
import yaml

from core.errors import InputInvalid
from core.geo.crs import to_wgs84
from layers.columns import TABLES, Column

Coordinates = Literal["wgs84", "gcj02", "bd09", "cgcs2000"]
SUFFIXES = (".csv", ".xlsx", ".gpkg", ".geojson")
MAX_FILE_BYTES = 2 << 30

Row = dict[str, Any]


class CityConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``city.yaml``: the district's code and name, the coordinate system of every file, the map's first view."""

    code: str
    name: str
    name_en: str = ""
    coordinates: Coordinates = "wgs84"
    centre: tuple[float, float] | None = None
    zoom: float = 12.5
    pitch: float = 50.0
    bearing: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong in one row (``row`` counts from 1 below the heading, 0: the file itself)."""

    file: str
    row: int
    field: str
    detail: str

    def __str__(self) -> str:
        place = f"{self.file}, row {self.row}" if self.row else self.file
        return f"{place}: {self.field}: {self.detail}"


@dataclass
class CityFolder:
    """A folder as read: good rows per table, and the problems of the others."""

    path: Path
    config: CityConfig
    tables: dict[str, list[Row]] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)


def read_city(path: Path) -> CityFolder:
    """Read all tables of the folder ``path``; :class:`InputInvalid` when it is no city folder at all."""
    folder = CityFolder(path, read_config(path))
    for table, columns in TABLES.items():
        folder.tables[table] = []
        for file in _files(path, table):
            _read_file(folder, file, table, columns)
    _drop_doubles(folder)
    return folder


def read_config(path: Path) -> CityConfig:
    """``city.yaml`` of the folder."""
    file = path / "city.yaml"
    if not file.is_file():
        raise InputInvalid(
            field=str(file), detail="no such file", how="give a folder with a city.yaml, see docs/layers.md"
        )
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), CityConfig)
    except (msgspec.ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputInvalid(field=str(file), detail=str(error), how="see the example in docs/layers.md") from error


def _files(path: Path, table: str) -> list[Path]:
    found = [
        f
        for f in sorted(path.iterdir())
        if f.suffix in SUFFIXES and (f.stem == table or f.stem.startswith((f"{table}-", f"{table}_")))
    ]
    return [f for f in found if not (f.suffix == ".geojson" and table in {"roads", "buildings"})]


def _read_file(folder: CityFolder, file: Path, table: str, columns: tuple[Column, ...]) -> None:
    if file.stat().st_size > MAX_FILE_BYTES:
        folder.problems.append(RowProblem(file.name, 0, "size", "larger than 2 GiB: split the file"))
        return
    try:
        rows = list(_rows(file))
    except (OSError, ValueError, UnicodeDecodeError, csv.Error, KeyError) as error:
        folder.problems.append(RowProblem(file.name, 0, "format", str(error)))
        return
    known = {c.name for c in columns} | {"geometry"}
    for name in sorted({k for _, row in rows[:1] for k in row} - known):
        # An unknown heading is more often a misspelt one than a wish to have it ignored.
        if not name.endswith("_note"):
            folder.problems.append(RowProblem(file.name, 0, name, f"unknown column; known: {', '.join(sorted(known))}"))
    for number, raw in rows:
        row, problems = parse_row(raw, columns, file.name, number)
        folder.problems.extend(problems)
        if not problems:
            if table == "devices":
                row["device_id"] = row.get("device_id") or f"{row['source']}:{row['address']}"
            _convert(row, folder.config.coordinates)
            folder.tables[table].append(row)


def _rows(file: Path) -> Iterator[tuple[int, Row]]:
    if file.suffix == ".csv":
        with file.open(newline="", encoding="utf-8-sig") as handle:
            yield from enumerate(csv.DictReader(handle), 1)
    elif file.suffix == ".xlsx":
        yield from enumerate(_sheet(file), 1)
    else:
        yield from enumerate(_features(file), 1)


def _sheet(file: Path) -> Iterator[Row]:
    import zipfile

    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"not an XLSX workbook: {error}") from error
    lines = book.worksheets[0].iter_rows(values_only=True)
    heading = [str(c).strip() if c is not None else "" for c in next(lines, ())]
    for line in lines:
        if any(cell is not None for cell in line):
            yield {k: "" if v is None else v for k, v in zip(heading, line, strict=False) if k}


def _features(file: Path) -> Iterator[Row]:
    import pyogrio
    import shapely

    try:
        meta, _, shapes, columns = pyogrio.raw.read(file)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise ValueError(f"GDAL cannot read it: {error}") from error
    names = [str(n) for n in meta["fields"]]
    geometries = shapely.from_wkb(shapes)
    for k, shape in enumerate(geometries):
        row: Row = {name: _plain(column[k]) for name, column in zip(names, columns, strict=True)}
        row["geometry"] = shape
        if shape is not None and shape.geom_type == "Point":
            row.setdefault("lon", shape.x)
            row.setdefault("lat", shape.y)
        yield row


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return "" if value is None or value != value else value  # GDAL's missing numbers are NaN


def parse_row(raw: Row, columns: tuple[Column, ...], file: str, number: int) -> tuple[Row, list[RowProblem]]:
    """``raw`` with typed values; every field that is wrong is one problem."""
    row: Row = {}
    problems: list[RowProblem] = []
    for column in columns:
        text = raw.get(column.name)
        if column.kind == "geometry":
            row["geometry"] = raw.get("geometry")
        elif text is None or text == "":
            if column.required:
                problems.append(RowProblem(file, number, column.name, "is missing"))
            elif text is not None or column.default is not None:
                row[column.name] = column.fallback()
        else:
            try:
                row[column.name] = column.parse(text)
            except ValueError as error:
                problems.append(RowProblem(file, number, column.name, str(error)))
    return row, problems


def _convert(row: Row, system: Coordinates) -> None:
    if system in {"wgs84", "cgcs2000"}:
        return
    if row.get("lon") is not None and row.get("lat") is not None:
        row["lon"], row["lat"] = to_wgs84(row["lon"], row["lat"], system)
    if row.get("geometry") is not None:
        row["geometry"] = shape_to_wgs84(row["geometry"], system)


def shape_to_wgs84(shape: Any, system: Coordinates) -> Any:
    """``shape`` with every vertex in WGS-84."""
    import numpy as np
    import shapely

    if system in {"wgs84", "cgcs2000"}:
        return shape
    return shapely.transform(shape, lambda p: np.array([to_wgs84(float(x), float(y), system) for x, y in p]))


def _drop_doubles(folder: CityFolder) -> None:
    for table, rows in folder.tables.items():
        key = TABLES[table][0].name
        seen: dict[str, Row] = {}
        for row in rows:
            name = cast(str, row[key])
            if name in seen and table == "divisions":
                # Names come from the CSV, areas from the GeoJSON: together they are one division.
                seen[name].update({k: v for k, v in row.items() if v not in (None, "")})
            elif name in seen:
                folder.problems.append(RowProblem(table, 0, key, f"{name!r} occurs twice; the first one is taken"))
            else:
                seen[name] = row
        folder.tables[table] = list(seen.values())


def read_json(text: str) -> Any:
    """``text`` as JSON; ``ValueError`` says what is wrong."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from error
