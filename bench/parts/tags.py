"""Places of photographs beside exiftool: CPU seconds of reading a folder, once a file and once as a batch."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ingest.drones.locate import locate, locate_all


def tags(paths: Sequence[Path]) -> dict[str, Any]:
    """``{"files", "ours_s", "ours_with_copies_s", "exiftool_each_s", "exiftool_batch_s", "times_faster"}``, CPU s.

    Ours reads the tags and computes footprints, exiftool reads tags alone.  ``ours_with_copies_s``: also compares the
    pixels of neighbours where a program has written the pictures anew (they may be turned by 180°).
    """
    locate_all(paths[:1])  # imports
    ours = _spent(lambda: [locate(path) for path in paths])
    whole = _spent(lambda: locate_all(paths))
    found = shutil.which("exiftool")
    told: dict[str, Any] = {"files": len(paths), "ours_s": round(ours, 3), "ours_with_copies_s": round(whole, 3)}
    if found is None:
        return told | {"exiftool": "is not on this machine (apt-get install libimage-exiftool-perl)"}
    quiet: dict[str, Any] = {"check": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    each = _spent(lambda: [subprocess.run([found, str(path)], **quiet) for path in paths])
    batch = _spent(lambda: subprocess.run([found, "-json", *map(str, paths)], **quiet))
    faster = {"each": round(each / ours, 1), "batch": round(batch / ours, 1)}
    return told | {"exiftool_each_s": round(each, 2), "exiftool_batch_s": round(batch, 2), "times_faster": faster}


def _spent(work: Callable[[], Any]) -> float:
    """CPU seconds of this process and of the children that it waited for."""
    before = os.times()
    began = time.process_time()
    work()
    after = os.times()
    children = after.children_user + after.children_system - before.children_user - before.children_system
    return time.process_time() - began + children
