"""Features of a geodata file as rows of a table: attributes by the columns that they name, and a point in WGS 84.

A register takes GeoJSON, a zipped Shapefile or a GeoPackage as it takes a workbook; the number of a feature stands
where a row's number would.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import shapely

from core.tables.columns import Column, Place
from core.tables.heading import Heading, Names, tell_heading
from core.tables.problem import FileUnreadable, Problems
from core.tables.reader import TableRow
from layers.territory import Territory
from layers.vector.placing import of_values
from layers.vector.reading import SIDECARS, SUFFIXES, VectorFile, open_vector

LON, LAT = "lon", "lat"
MAX_UNPACKED = 2 << 30
_SAMPLE = 2_000


def is_geodata(name: str, head: bytes) -> bool:
    """Whether a file called ``name`` that begins with ``head`` is read as geodata rather than as a table."""
    if head.startswith(b"SQLite format 3\0"):
        return True
    suffix = Path(name.lower()).suffix
    return suffix in SUFFIXES or (suffix == ".zip" and head.startswith(b"PK"))


def feature_rows(
    file: BinaryIO,
    name: str,
    columns: Sequence[Column],
    problems: Problems,
    *,
    territory: Territory,
    mapped: Mapping[str, str] | None = None,
    max_rows: int,
) -> Iterator[TableRow]:
    """The features of ``file`` as raw rows, a point inside each as ``lon`` and ``lat`` where the columns have them.

    A file that cannot be read is one problem with row 0, as in :func:`core.tables.reader.raw_rows`.
    """
    with tempfile.TemporaryDirectory(prefix="yiwang-register-") as folder:
        try:
            with open_vector(_unpacked(file, name, Path(folder))) as source:
                yield from _rows(source, name, columns, problems, territory, mapped, max_rows)
        except FileUnreadable as error:
            values = dict(error.values)
            problems.tell(name, error.code, field=str(values.pop("field", "")), **values)


def geodata_headings(file: BinaryIO, name: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The attributes of a geodata file and its first five rows; :class:`FileUnreadable` when it is none."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yiwang-register-")))
        source = stack.enter_context(open_vector(_unpacked(file, name, folder)))
        first = next(source.batches(5), [])
        return list(source.fields), [dict(one.values) for one in first]


def _unpacked(file: BinaryIO, name: str, folder: Path) -> Path:
    """The file on disk, as GDAL wants it; of a zip the one file of geodata in it, with those beside it."""
    file.seek(0)
    suffix = Path(name.lower()).suffix or ".gpkg"
    if suffix != ".zip":
        target = folder / f"data{suffix if suffix in SUFFIXES else '.gpkg'}"
        with target.open("wb") as out:
            while block := file.read(1 << 20):
                out.write(block)
        return target
    try:
        with zipfile.ZipFile(file) as packed:
            return _from_zip(packed, folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise FileUnreadable("not_geodata", detail=str(error)) from error


def unpacked_file(path: Path, stack: ExitStack) -> Path:
    """The one file of geodata in the archive ``path``, in a folder that lives as long as ``stack``."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yiwang-layer-")))
    with path.open("rb") as file:
        return _unpacked(file, path.name, folder)


def _from_zip(packed: zipfile.ZipFile, folder: Path) -> Path:
    known = (*SUFFIXES, *SIDECARS)
    members = [one for one in packed.infolist() if one.filename.lower().endswith(known) and not one.is_dir()]
    if sum(one.file_size for one in members) > MAX_UNPACKED:
        raise FileUnreadable("too_large", size=sum(one.file_size for one in members), limit=MAX_UNPACKED)
    found: list[Path] = []
    stems: dict[str, str] = {}
    for one in members:
        given = PurePosixPath(one.filename.replace("\\", "/")).name
        stem, dot, rest = given.partition(".")
        own = stems.setdefault(stem.casefold(), f"data{len(stems)}")
        target = folder / f"{own}{dot}{rest.lower()}"
        with packed.open(one) as source, target.open("wb") as out:
            while block := source.read(1 << 20):
                out.write(block)
        if target.suffix in SUFFIXES:
            found.append(target)
    main = [path for path in found if path.suffix != ".json"] or found
    if len(main) != 1:
        raise FileUnreadable("not_geodata", detail=f"the archive holds {len(main)} files of geodata, not one")
    return main[0]


def _rows(
    source: VectorFile,
    name: str,
    columns: Sequence[Column],
    problems: Problems,
    territory: Territory,
    mapped: Mapping[str, str] | None,
    max_rows: int,
) -> Iterator[TableRow]:
    first = next(source.batches(_SAMPLE), [])
    if not first:
        raise FileUnreadable("no_features")
    names = Names({c.name: c.also for c in columns}, mapped)
    heading = _heading(source, names)
    wanted = {column.name for column in columns}
    missing = [c.name for c in columns if c.required and c.name not in heading.columns and c.name not in (LON, LAT)]
    if missing:
        raise FileUnreadable("column_missing", field=missing[0], found=", ".join(source.fields))
    tell_heading(heading, names, problems, name, source.layer)
    placing = None
    shapes = [f.shape for f in first if f.shape is not None and not f.shape.is_empty]
    if shapes and {LON, LAT} <= wanted:
        sample = np.array([shapely.get_coordinates(s).mean(axis=0) for s in shapes[:1000]]).reshape(-1, 2)
        placing = of_values(source.crs, "auto", sample, territory, file_name=name)
        for code, values in placing.notes:
            problems.tell(name, code, field="crs", **values)
    of_column = {own: source.fields[places[0]] for own, places in heading.columns.items()}
    for batch in source.batches():
        for feature in batch:
            if feature.number > max_rows:
                raise FileUnreadable("too_many_rows", limit=max_rows)
            row: dict[str, Any] = {own: _cell(feature.values[theirs]) for own, theirs in of_column.items()}
            if placing is not None and feature.shape is not None and not feature.shape.is_empty:
                inside = feature.shape.representative_point()
                lon, lat = placing.point(inside.x, inside.y)
                row[LON], row[LAT] = round(lon, 7), round(lat, 7)
            yield TableRow(Place(name, source.layer, feature.number), row)


def _heading(source: VectorFile, names: Names) -> Heading:
    heading = Heading(0, len(source.fields))
    for place, field in enumerate(source.fields):
        own = names.find(field)
        if own is None:
            heading.unknown[place] = field
        else:
            heading.columns.setdefault(own, []).append(place)
    return heading


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return ", ".join(str(part) for part in value) if isinstance(value, list) else value
