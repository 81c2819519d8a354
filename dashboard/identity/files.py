"""Settings files of the data folder that a page may write, too: whole or not at all, readable by our own user only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from core.ids import new_id


def write_settings(path: Path, value: Any) -> None:
    """Put ``value`` (a struct) there as JSON in one step; it may hold a secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(value), indent=1)
    made = path.with_name(f".{path.name}.{new_id()}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError:
        made.unlink(missing_ok=True)
        raise
