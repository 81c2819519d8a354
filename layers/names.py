"""Names of streets with a place to fly to, from the city's own layers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.late import Late

if TYPE_CHECKING:
    import pyogrio
    import shapely
else:
    pyogrio = Late("pyogrio")
    shapely = Late("shapely")


log = logging.getLogger("yiwang.layers")


@dataclass(frozen=True, slots=True)
class RoadName:
    """A named street; ``lon``, ``lat`` lie on its longest piece (WGS 84)."""

    name: str
    name_en: str
    kind: str
    lon: float
    lat: float


def road_names(data_dir: Path) -> list[RoadName]:
    """The named streets of ``<data_dir>/city/roads.fgb``, each once; [] where there is no such file."""
    file = data_dir / "city" / "roads.fgb"
    if not file.is_file():
        return []
    try:
        frame = pyogrio.read_dataframe(file)
    except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
        log.warning("names of streets: %s", error)
        return []
    best: dict[str, tuple[float, RoadName]] = {}
    for row in frame.to_dict("records"):
        name, shape = row.get("name"), row.get("geometry")
        if not isinstance(name, str) or not name or shape is None or shape.is_empty:
            continue
        length = shapely.length(shape)
        if name in best and best[name][0] >= length:
            continue
        middle = (
            shapely.line_interpolate_point(shape, 0.5, normalized=True)
            if shape.geom_type == "LineString"
            else shape.centroid
        )
        english = row.get("name_en")
        kind = str(row.get("class") or row.get("kind") or "")
        best[name] = (length, RoadName(name, english if isinstance(english, str) else "", kind, middle.x, middle.y))
    return [found for _, found in best.values()]
