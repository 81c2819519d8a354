"""Dry ranges kept on disk, so that what took days to learn outlives a restart: one small file for a camera's zone.

The file is nobody's but the worker's; one that cannot be read is left aside and said, and learning begins anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from pathlib import Path

import numpy as np

from vision.judging.dry_range import DryRange, packed, unpacked

log = logging.getLogger("yiwang.vision")

MOST_BYTES = 8 * 1024 * 1024


class DryMemory:
    """Files in ``folder``; None: nothing is kept (a clip, a trial)."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, camera_id: str, zone_id: str, known: DryRange) -> bool:
        """Add what was kept of this camera's zone to ``known``; whether there was anything of this view."""
        path = self._path(camera_id, zone_id)
        if path is None or not path.is_file():
            return False
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError("too large")
            with np.load(path, allow_pickle=False) as arrays:
                return unpacked(known, {name: arrays[name] for name in ("looks", "days")})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning(
                "camera %s: its dry range %s cannot be read (%s); it is learnt anew", camera_id, path.name, error
            )
            return False

    def save(self, camera_id: str, zone_id: str, known: DryRange) -> None:
        """Write it in one go; a full disk costs the memory, not the camera."""
        path = self._path(camera_id, zone_id)
        if path is None:
            return
        known.changed = False
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                np.savez_compressed(out, **packed(known))
            part.replace(path)
        except OSError as error:
            log.warning("camera %s: its dry range is not kept: %s", camera_id, error)

    def _path(self, camera_id: str, zone_id: str) -> Path | None:
        if self._folder is None:
            return None
        name = hashlib.sha256(f"{camera_id}\0{zone_id}".encode()).hexdigest()[:24]
        return self._folder / f"{name}.npz"
