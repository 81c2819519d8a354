"""Drawn tiles are kept on the disk below ``tiles/drawn``, under a mark of the archives that they were drawn from."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

from layers.ground.drawing import MAX_ZOOM, MIN_ZOOM, draw_ground
from layers.tiles import TileSet

SOURCES = ("divisions", "water", "green", "roads", "buildings")
_FORMAT = "1"  # raise when the pictures of the same archives would differ


class DrawnGround:
    """Tiles of the ground in one state of the archives; two threads may ask for the same one."""

    def __init__(self, folder: Path, tilesets: Mapping[str, TileSet]) -> None:
        self._tilesets = {name: tilesets[name] for name in SOURCES if name in tilesets}
        self.mark = _mark(self._tilesets)
        self._folder = folder / "drawn" / self.mark
        self._drawing = threading.Lock()  # one at a time: drawing is work for a core, and half a second at most

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of what is drawn; None without any archive."""
        boxes = [tiles.bounds for tiles in self._tilesets.values()]
        if not boxes:
            return None
        west, south, east, north = zip(*boxes, strict=True)
        return min(west), min(south), max(east), max(north)

    def tile(self, theme: str, z: int, x: int, y: int) -> bytes | None:
        """The picture as WebP; None beyond the zooms that are drawn."""
        if not MIN_ZOOM <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z or not self._tilesets:
            return None
        file = self._folder / theme / str(z) / str(x) / f"{y}.webp"
        if not file.is_file():
            with self._drawing:
                if not file.is_file():
                    self._put(file, draw_ground(self._tilesets, theme, z, x, y))
        return file.read_bytes()

    def _put(self, file: Path, data: bytes) -> None:
        if not self._folder.is_dir() and self._folder.parent.is_dir():
            shutil.rmtree(self._folder.parent, ignore_errors=True)  # drawn from archives that are no more
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_bytes(data)
        partial.replace(file)


def _mark(tilesets: Mapping[str, TileSet]) -> str:
    digest = hashlib.sha256(_FORMAT.encode())
    for name, tiles in sorted(tilesets.items()):
        at = tiles.path.stat()
        digest.update(f"{name} {at.st_size} {at.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]
