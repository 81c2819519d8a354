"""The rows of one file of a city folder, from a table or from geodata, typed, placed in WGS 84 and judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from core.tables.columns import Column, Place, parse_row
from core.tables.heading import Names
from core.tables.problem import FileUnreadable, Problems
from core.tables.reader import SUFFIXES as TABLE_SUFFIXES
from core.tables.reader import read_table
from layers.cityconfig import CityConfig
from layers.territory import Territory
from layers.vector.placing import Placing, of_values
from layers.vector.reading import SUFFIXES as VECTOR_SUFFIXES
from layers.vector.reading import Feature, VectorFile, open_vector
from layers.vector.screening import Screen

Row = dict[str, Any]
PLACE = "_place"  # where a row stands in its file; no column of any table
_NOWHERE = Territory(shapely.box(-1e6, -1e6, 1e6, 1e6), "anywhere")
_AREAS = {"divisions": frozenset({"polygon"}), "grid": frozenset({"polygon"})}
_ANY = frozenset({"point", "line", "polygon"})


_POINTS = ("sites", "cameras", "devices")  # tables whose rows are at one point


@dataclass(frozen=True)
class TableFile:
    """One file of a table: its path, and how problems call it."""

    path: Path
    name: str
    table: str

    @property
    def geodata(self) -> bool:
        """Whether GDAL reads it."""
        return self.path.suffix.lower() in VECTOR_SUFFIXES


def is_readable(path: Path) -> bool:
    """Whether a file's suffix is one of those that are read."""
    return path.suffix.lower() in (*TABLE_SUFFIXES, *VECTOR_SUFFIXES)


def read_rows(
    file: TableFile, columns: Sequence[Column], config: CityConfig, territory: Territory, problems: Problems
) -> Iterator[Row]:
    """The good rows; :class:`FileUnreadable` for a file that is none of this table."""
    read = _features(file, columns, config, territory, problems) if file.geodata else _lines(
        file, columns, config, territory, problems
    )  # fmt: skip
    for row in read:
        if _well_placed(row, territory, problems):
            yield row


def _lines(
    file: TableFile, columns: Sequence[Column], config: CityConfig, territory: Territory, problems: Problems
) -> Iterator[Row]:
    placing = None
    if config.system not in {"wgs84", "cgcs2000"}:
        placing = of_values(None, config.system, np.empty((0, 2)), _NOWHERE, parameters=config.towgs84)
    if placing is not None and placing.transformer is not None and not _is_degrees(config.system):
        columns = [replace(c, kind="number") if c.kind in {"lon", "lat"} else c for c in columns]
    with file.path.open("rb") as data:
        for row in read_table(data, file.name, columns, problems, mapped=config.columns.get(file.table), strict=True):
            values = row.values
            if placing is not None and values.get("lon") is not None and values.get("lat") is not None:
                x, y = values["lon"], values["lat"]
                values["lon"], values["lat"] = placing.point(x, y)
                if placing.transformer is not None and _is_swapped(placing, x, y, values, territory):
                    problems.tell(
                        file.name, "axes_swapped", sheet=row.place.sheet, row=row.place.row, field="lon", x=x, y=y
                    )
                    continue
            values[PLACE] = row.place
            yield values


def _is_swapped(placing: Placing, x: float, y: float, placed: Row, territory: Territory) -> bool:
    """Whether northing stands before easting: outside as it is, in the district the other way round."""
    if territory.holds(placed["lon"], placed["lat"]):
        return False
    lon, lat = placing.point(y, x)
    return bool(np.isfinite((lon, lat)).all()) and territory.holds(lon, lat)


def _features(
    file: TableFile, columns: Sequence[Column], config: CityConfig, territory: Territory, problems: Problems
) -> Iterator[Row]:
    names = Names({c.name: c.also for c in columns}, config.columns.get(file.table))
    with open_vector(file.path) as opened:
        if opened.others:
            problems.tell(file.name, "layer_unread", names=", ".join(opened.others))
        found = _matched(opened, names, columns, file, problems)
        placing = placing_of(opened, config, territory, file.name, problems)
        unplaced = not any(c.name == "lon" for c in columns)
        families = _AREAS.get(file.table, _ANY)
        screen = Screen(placing, territory, families, refuse_outside=False, warn_outside=unplaced)
        for batch in opened.batches():
            for feature, shape in screen.pass_through(batch):
                yield from _feature_row(feature, shape, found, columns, file, problems)
            for flaw in screen.flaws:
                problems.tell(file.name, flaw.code, row=flaw.number, field="geometry", **flaw.values)
            screen.flaws.clear()


def placing_of(opened: VectorFile, config: CityConfig, territory: Territory, name: str, problems: Problems) -> Placing:
    """How the file's coordinates become WGS 84; what was decided is told.

    The folder's ``coordinates`` hold for files that are in degrees; a projected file goes by its own system.
    """
    wanted = config.system if config.system in {"gcj02", "bd09"} else "auto"
    own = opened.crs if opened.crs not in {None, "EPSG:4326", "EPSG:4490", "OGC:CRS84"} else None
    placing = of_values(
        opened.crs, "auto" if own and not _is_degrees(own) else wanted, sample_of(opened), territory,
        parameters=config.towgs84, file_name=name,
    )  # fmt: skip
    for code, values in placing.notes:
        problems.tell(name, code, field="crs", **values)
    return placing


def _is_degrees(crs: str) -> bool:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(crs).is_geographic)
    except CRSError:
        return False


def sample_of(opened: VectorFile, count: int = 1000) -> Any:
    """Middles of the first features, in the file's own coordinates (n × 2)."""
    for batch in opened.batches(count):
        shapes = [f.shape for f in batch if f.shape is not None and not f.shape.is_empty]
        return np.array([shapely.get_coordinates(s).mean(axis=0) for s in shapes]).reshape(-1, 2)
    return np.empty((0, 2))


def _matched(
    opened: VectorFile, names: Names, columns: Sequence[Column], file: TableFile, problems: Problems
) -> dict[str, str]:
    """The file's fields → our columns; required ones that are missing make it no file of this table."""
    found = {field: names.find(field) for field in opened.fields}
    for field, name in found.items():
        if name is None and not field.lower().endswith("_note") and field.lower() not in {"fid", "ogc_fid", "id"}:
            problems.tell(file.name, "column_unknown", field=field, known=", ".join(names.known))
    present = set(found.values()) | {"lon", "lat"}
    missing = [c.name for c in columns if c.required and c.name not in present]
    if missing:
        raise FileUnreadable("column_missing", field=missing[0], found=", ".join(opened.fields))
    return {field: name for field, name in found.items() if name}


def _feature_row(
    feature: Feature, shape: Any, found: dict[str, str], columns: Sequence[Column], file: TableFile, problems: Problems
) -> Iterator[Row]:
    place = Place(file.name, "", feature.number)
    texts = {c.name for c in columns if c.kind == "text"}
    raw: Row = {name: _cell(feature.values[field], name in texts) for field, name in found.items()}
    middle = shape if shape.geom_type == "Point" else shape.representative_point()
    if any(c.name == "lon" for c in columns):
        raw["lon"], raw["lat"] = middle.x, middle.y
    if file.table in _POINTS and shape.geom_type != "Point" and len(getattr(shape, "geoms", "12")) > 1:
        values = {"found": shape.geom_type, "x": round(middle.x, 6), "y": round(middle.y, 6)}
        problems.tell(file.name, "point_taken", row=feature.number, field="geometry", **values)
    row = parse_row(raw, columns, place, problems)
    if row is not None:
        row["geometry"] = shape
        row[PLACE] = place
        yield row


def _cell(value: Any, as_text: bool) -> Any:
    """A feature's value as a cell of a table: a list in a column of texts is its items with commas."""
    if isinstance(value, list) and as_text:
        return ", ".join(str(one) for one in value)
    return "" if value is None else value


def _well_placed(row: Row, territory: Territory, problems: Problems) -> bool:
    """Whether a row's longitude and latitude can be taken; exchanged, zero and half ones cannot."""
    lon, lat = row.get("lon"), row.get("lat")
    if lon is None and lat is None:
        return True
    place: Place = row[PLACE]
    shown = {"lon": lon if lon is None else round(lon, 6), "lat": lat if lat is None else round(lat, 6)}
    code, field = "", "lon"
    if lon is None or lat is None:
        code, field = "place_half", "lon" if lon is None else "lat"
    elif abs(lon) < 1e-6 and abs(lat) < 1e-6:
        code = "place_zero"
    elif not territory.holds(lon, lat):
        swapped = abs(lon) <= 90 and (abs(lat) > 90 or territory.holds(lat, lon))
        code = "lon_lat_swapped" if swapped else "place_outside" if abs(lat) <= 90 else "outside"
    if not code:
        return True
    limits = {"value": lat, "low": -90, "high": 90} if code == "outside" else shown
    problems.tell(place.file, code, sheet=place.sheet, row=place.row, field=field, **limits)
    return code == "place_outside"
