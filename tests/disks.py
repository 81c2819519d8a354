"""A small disk for tests: a tmpfs of its own, which can be filled, emptied and made read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, leave_bytes: int = 0) -> None:
        """Write until only ``leave_bytes`` are free."""
        with self._filler.open("ab") as file:
            while (free := shutil.disk_usage(self.path).free) > leave_bytes:
                try:
                    file.write(bytes(min(65536, max(4096, free - leave_bytes))))
                    file.flush()
                except OSError:
                    break

    def make_room(self) -> None:
        """Take away what :meth:`fill` wrote."""
        self._filler.unlink(missing_ok=True)

    def read_only(self, yes: bool = True) -> None:
        """Let nobody write to it, or let them again."""
        _mount("-o", "remount," + ("ro" if yes else "rw"), str(self.path))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[SmallDisk]:
    """A tmpfs of ``size`` (``32m``) at ``path``; skips where this account may not mount one."""
    path.mkdir(parents=True)
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)
