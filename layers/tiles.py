"""Tiles in memory: a PMTiles archive read once into a dict, because a look-up then costs nothing."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputInvalid

log = logging.getLogger("yiwang.layers")

MAX_ARCHIVE_BYTES = 512 << 20  # a district's tiles are tens of megabytes; more does not belong in memory


@dataclass
class TileSet:
    """One tileset: ``get(z, x, y)`` gives a gzipped Mapbox vector tile, or None where nothing lies.

    ``encoding`` is what belongs into ``Content-Encoding``.
    """

    path: Path
    name: str = ""
    encoding: str = "gzip"
    min_zoom: int = 0
    max_zoom: int = 0
    bounds: tuple[float, float, float, float] = (-180.0, -85.0, 180.0, 85.0)
    metadata: dict[str, Any] = field(default_factory=dict)
    _tiles: dict[tuple[int, int, int], bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.path.stem
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - the reader raises whatever a broken archive makes it stumble over
            how = "delete it and run python -m app import"
            raise InputInvalid(
                field=str(self.path), detail=f"is no readable tile archive ({error!r})", how=how
            ) from error

    def _read(self) -> None:
        from pmtiles.reader import MmapSource, Reader, all_tiles
        from pmtiles.tile import Compression

        if self.path.stat().st_size > MAX_ARCHIVE_BYTES:
            raise ValueError(f"larger than {MAX_ARCHIVE_BYTES} bytes")
        with self.path.open("rb") as file:
            source = MmapSource(file)
            reader = Reader(source)
            header = reader.header()
            self.metadata = json.loads(json.dumps(reader.metadata()))
            self._tiles = {tuple(zxy): bytes(data) for zxy, data in all_tiles(source)}
        self.encoding = "gzip" if header["tile_compression"] == Compression.GZIP else ""
        self.min_zoom, self.max_zoom = int(header["min_zoom"]), int(header["max_zoom"])
        self.bounds = tuple(header[f"{k}_e7"] / 1e7 for k in ("min_lon", "min_lat", "max_lon", "max_lat"))

    def get(self, z: int, x: int, y: int) -> bytes | None:
        """The tile's bytes (``encoding`` says how packed), None where there is none."""
        return self._tiles.get((z, x, y))

    def __len__(self) -> int:
        return len(self._tiles)


def load_tilesets(folder: Path) -> dict[str, TileSet]:
    """Every ``*.pmtiles`` in ``folder`` by name; a broken one is logged and left out, the map works without it."""
    found: dict[str, TileSet] = {}
    for path in sorted(folder.glob("*.pmtiles")) if folder.is_dir() else ():
        if path.stem.endswith("-part"):
            continue
        try:
            found[path.stem] = TileSet(path)
        except InputInvalid as error:
            log.warning("%s", error)
    return found
