"""Writes features batch by batch: gathered in a GeoPackage on disk, then turned into what the map reads.

GDAL's FlatGeobuf and PMTiles drivers take a data set at once; from the GeoPackage they stream it, so that memory stays
bounded whatever the size.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np
import shapely

from core.errors import InputInvalid

_KINDS: dict[type, type] = {bool: bool, int: int, float: float, str: str}


class Writer:
    """Gathers features with WGS 84 shapes; ``fields``: their attributes and types (bool, int, float, str)."""

    def __init__(self, fields: dict[str, type]) -> None:
        self._fields = fields
        self._folder = tempfile.TemporaryDirectory(prefix="yiwang-layer-")
        self.path = Path(self._folder.name) / "layer.gpkg"
        self.count = 0
        self._bounds = [np.inf, np.inf, -np.inf, -np.inf]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    @property
    def bbox(self) -> list[float] | None:
        """West, south, east, north; None while there is nothing."""
        return [round(float(v), 7) for v in self._bounds] if self.count else None

    def add(self, features: list[tuple[dict[str, Any], Any]]) -> None:
        """Append ``(attributes, shape)``; unknown attributes are left out, missing ones null."""
        import pyogrio

        if not features:
            return
        shapes = np.array([shape for _, shape in features], dtype=object)
        west, south, east, north = shapely.total_bounds(shapes)
        old = self._bounds
        self._bounds = [min(old[0], west), min(old[1], south), max(old[2], east), max(old[3], north)]
        columns, masks = [], []
        for name, kind in self._fields.items():
            values = [values.get(name) for values, _ in features]
            masks.append(np.array([v is None for v in values]))
            columns.append(_column(values, kind))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyogrio.raw.write(
                self.path, shapely.to_wkb(shapes), columns, np.array(list(self._fields), dtype=object),
                field_mask=masks, driver="GPKG", layer="layer", geometry_type="Unknown", crs="EPSG:4326",
                append=self.count > 0,
            )  # fmt: skip
        self.count += len(features)

    def finish(self, target: Path, driver: str, layer: str, **options: str) -> None:
        """Turn what was gathered into ``target``; nothing half-written is left there."""
        import pyogrio

        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.stem}-part{target.suffix}")
        partial.unlink(missing_ok=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with pyogrio.open_arrow(self.path, layer="layer", use_pyarrow=False) as (meta, stream):
                    pyogrio.write_arrow(
                        stream, partial, driver=driver, layer=layer, geometry_type="Unknown", crs="EPSG:4326",
                        geometry_name=meta["geometry_name"], **options,
                    )  # fmt: skip
        except (pyogrio.errors.DataSourceError, RuntimeError) as error:
            partial.unlink(missing_ok=True)
            how = "is the disk full? otherwise send the file with the error"
            raise InputInvalid(field=str(target), detail=f"cannot be written ({error})", how=how) from error
        partial.replace(target)


def _column(values: list[Any], kind: type) -> Any:
    if kind is str:
        return np.array([None if v is None else str(v) for v in values], dtype=object)
    dtype = {bool: np.bool_, int: np.int64, float: np.float64}[kind]
    return np.array([kind() if v is None else v for v in values], dtype=dtype)


def types_of(rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, type]:
    """The type of each attribute by its values: text where they differ."""
    found: dict[str, type] = {}
    for name in names:
        kinds = {type(r[name]) for r in rows if r.get(name) is not None}
        kinds = {float} if kinds == {int, float} else kinds
        only = next(iter(kinds)) if len(kinds) == 1 else str
        found[name] = _KINDS.get(only, str)
    return found
