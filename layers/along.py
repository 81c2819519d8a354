"""Places along a street, in the order in which one passes them."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.late import Late
from layers.names import street_files

if TYPE_CHECKING:
    import numpy
    import pyogrio
    import shapely
else:
    numpy = Late("numpy")
    pyogrio = Late("pyogrio")
    shapely = Late("shapely")

log = logging.getLogger("yiwang.layers")
M_PER_DEGREE = 111_320.0


def street_lines(data_dir: Path, name: str) -> list[Any]:
    """The pieces of the street called ``name``, as lines in WGS 84, from the first file of streets that has it."""
    quoted = name.replace("'", "''")
    for file in street_files(data_dir) if name else []:
        try:
            frame = pyogrio.read_dataframe(file, where=f"name = '{quoted}'")
        except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
            log.warning("the street %r: %s", name, error)
            continue
        lines = [shape for shape in frame.geometry if shape is not None and not shape.is_empty]
        if lines:
            return lines
    return []


def along(lines: Sequence[Any], places: Sequence[tuple[str, float, float]], within_m: float) -> list[str]:
    """Ids of ``places`` (id, lon, lat) at most ``within_m`` from ``lines``, in the order along them.

    One continuous line is followed with its bends; several pieces (two carriageways, a gap) by their long direction.
    """
    if not lines or not places:
        return []
    middle = shapely.union_all(list(lines)).centroid
    east = M_PER_DEGREE * math.cos(math.radians(middle.y))
    flat = shapely.transform(list(lines), lambda at: (at - (middle.x, middle.y)) * (east, M_PER_DEGREE))
    whole = shapely.line_merge(shapely.union_all(flat))
    spots = shapely.points([((lon - middle.x) * east, (lat - middle.y) * M_PER_DEGREE) for _, lon, lat in places])
    near = shapely.distance(spots, whole) <= within_m
    where = shapely.line_locate_point(whole, spots) if whole.geom_type == "LineString" else _by_direction(whole, spots)
    order = sorted((float(where[n]), places[n][0]) for n in range(len(places)) if near[n])
    return [key for _, key in order]


def _by_direction(whole: Any, spots: Any) -> Any:
    """Positions on the axis along which the pieces spread most."""
    points = shapely.get_coordinates(shapely.segmentize(whole, 50.0))
    _, axes = numpy.linalg.eigh(numpy.cov((points - points.mean(axis=0)).T))
    axis = axes[:, -1]
    axis = axis if axis[numpy.argmax(numpy.abs(axis))] > 0 else -axis  # from west to east, from south to north
    return shapely.get_coordinates(spots) @ axis
