"""Which runs, one after another, led to a checkpoint: each run folder remembers what it started from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vision.evaluate.cards import file_sha256

RECORD = "start.json"


def remember(run_folder: Path, start: Path, settings: dict[str, Any]) -> None:
    """Write ``start.json`` into ``run_folder``: what the run started from (with that file's own history)."""
    run_folder.mkdir(parents=True, exist_ok=True)
    before = _read(start.parent.parent / RECORD)
    entry = {"start": start.name, "start_sha256": file_sha256(start), **settings}
    (run_folder / RECORD).write_text(json.dumps([*before, entry], indent=1))


def history(checkpoint: Path, start: Path) -> list[dict[str, Any]]:
    """Runs that led to ``checkpoint`` (``<run>/weights/best.pt``), oldest first; what is known of ``start`` else."""
    return _read(checkpoint.parent.parent / RECORD) or [{"start": start.name, "start_sha256": file_sha256(start)}]


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found
