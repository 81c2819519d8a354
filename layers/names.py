"""Names of streets with a place to fly to, from the city's own layers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.late import Late
from layers.catalogue.record import FEATURES, RECORD, LayerRecord

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


def street_files(data_dir: Path) -> list[Path]:
    """Files of streets: the layers of kind ``roads`` that everybody may see, and the city's own ``city/roads.fgb``."""
    found = []
    for said in sorted((data_dir / "layers").glob(f"*/{RECORD}")):
        try:
            layer = msgspec.json.decode(said.read_bytes(), type=LayerRecord)
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("layer %s: %s", said.parent.name, error)
            continue
        if layer.kind == "roads" and not layer.roles:
            found.append(said.parent / FEATURES)
    return [file for file in [*found, data_dir / "city" / "roads.fgb"] if file.is_file()]


def _rows(data_dir: Path) -> Iterator[dict[str, Any]]:
    for file in street_files(data_dir):
        try:
            yield from pyogrio.read_dataframe(file).to_dict("records")
        except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
            log.warning("names of streets: %s", error)


def road_names(data_dir: Path) -> list[RoadName]:
    """The named streets of :func:`street_files`, each once; [] where there is none."""
    best: dict[str, tuple[float, RoadName]] = {}
    for row in _rows(data_dir):
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
