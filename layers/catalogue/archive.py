"""Tiles of a layer: small archives lie in memory, large ones (orthophotos) are read tile by tile from a mapped file."""

from __future__ import annotations

import mmap
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from layers.tiles import TileSet

IN_MEMORY = 48 << 20
KEPT = 64


class Tiles(Protocol):
    """Anything that gives tiles: bytes as stored, ``encoding`` for Content-Encoding."""

    encoding: str

    def get(self, z: int, x: int, y: int) -> bytes | None:
        """The tile, None where there is none."""


class Mapped:
    """A PMTiles archive read through the page cache; closed with the process."""

    encoding = ""

    def __init__(self, path: Path) -> None:
        from pmtiles.reader import Reader
        from pmtiles.tile import Compression

        with path.open("rb") as file:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._reader = Reader(lambda offset, length: view[offset : offset + length])
        self._gzipped = self._reader.header()["tile_compression"] == Compression.GZIP
        self.encoding = "gzip" if self._gzipped else ""

    def get(self, z: int, x: int, y: int) -> bytes | None:
        """The tile's bytes."""
        found: bytes | None = self._reader.get(z, x, y)
        return found


@dataclass
class Archives:
    """Open archives by path; one that was written anew is opened anew."""

    def __post_init__(self) -> None:
        self._held: OrderedDict[Path, tuple[tuple[int, int], Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path) -> Tiles:
        """The archive at ``path``; ``OSError`` where there is none, ``InputInvalid`` for a broken one."""
        stat = path.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
        with self._lock:
            held = self._held.get(path)
            if held is None or held[0] != mark:
                tiles: Tiles = TileSet(path) if stat.st_size <= IN_MEMORY else Mapped(path)
                held = self._held[path] = (mark, tiles)
                while len(self._held) > KEPT:
                    self._held.popitem(last=False)
            self._held.move_to_end(path)
        found: Tiles = held[1]
        return found
