"""How much room a disk has left, and what may still be written to it.

Four levels, by what is free for us (not for root): ``ok``; ``low`` below :data:`WARN_SHARE` of the disk (people are
warned); ``reserve`` below the reserve (uploads are refused, so that alarms and their pictures find room); ``full`` when
a small file can no longer be written.  A disk that went read-only is ``readonly``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["ok", "low", "reserve", "full", "readonly", "missing"]

WARN_SHARE = 0.10  # of the disk
RESERVE_SHARE = 0.05  # of the disk, where no setting names the reserve
RESERVE_MOST = 5_000_000_000  # bytes: a share of a very large disk is more than alarms need
ROOMY_BYTES = 2_000_000_000  # with more than this free, nothing that is written next can fill the disk
_TRIAL_BYTES = 64 * 1024
_ORDER: tuple[Level, ...] = ("ok", "low", "reserve", "full", "readonly", "missing")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class DiskState:
    """One disk as it was when looked at; sizes in bytes."""

    path: Path
    total: int
    free: int
    reserve: int
    level: Level

    @property
    def takes_uploads(self) -> bool:
        """May somebody's file still be stored?"""
        return self.level in {"ok", "low"}

    @property
    def takes_alarms(self) -> bool:
        """Can anything be written at all?"""
        return self.level in {"ok", "low", "reserve"}

    @property
    def free_share(self) -> float:
        """Free part of the disk, 0…1."""
        return self.free / self.total if self.total else 0.0


def look(path: Path, reserve_bytes: int = 0) -> DiskState:
    """The disk that ``path`` (a folder) lies on, tried with a small file; ``reserve_bytes`` 0: the usual share."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return DiskState(path, 0, 0, reserve_bytes, "missing")
    reserve = reserve_bytes or min(int(usage.total * RESERVE_SHARE), RESERVE_MOST)
    level = _try_to_write(path)
    if level == "ok" and usage.free < reserve:
        level = "reserve"
    elif level == "ok" and usage.free < usage.total * WARN_SHARE:
        level = "low"
    return DiskState(path, usage.total, usage.free, reserve, level)


def look_at_all(paths: Iterable[Path], reserve_bytes: int = 0) -> DiskState:
    """The state of the disk that is worst off."""
    states = [look(path, reserve_bytes) for path in paths]
    return max(states, key=lambda s: (_ORDER.index(s.level), -s.free_share))


def _try_to_write(path: Path) -> Level:
    trial = path / f".room-{os.getpid()}.part"
    try:
        with trial.open("wb") as file:
            file.write(bytes(_TRIAL_BYTES))
        return "ok"
    except OSError as error:
        if is_no_room(error):
            return "full"
        return "missing" if error.errno == errno.ENOENT else "readonly"
    finally:
        with contextlib.suppress(OSError):
            trial.unlink()


def is_no_room(error: BaseException) -> bool:
    """Does ``error`` say that the disk (or the quota on it) is full?"""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def is_read_only(error: BaseException) -> bool:
    """Does ``error`` say that the disk takes no writes at all?"""
    return isinstance(error, OSError) and error.errno == errno.EROFS
