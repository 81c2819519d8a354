"""Where model files are, and their seals."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from core.records import ModelRef
from vision.errors import ModelMissing

MODELS = Path(__file__).parent / "models"


def own_folder() -> Path:
    """Where an operator's own models are: ``YIWANG_MODELS_DIR``, else ``models`` in the data folder."""
    return Path(os.environ.get("YIWANG_MODELS_DIR") or Path(os.environ.get("YIWANG_DATA_DIR", "var")) / "models")


def find(name: str) -> Path:
    """The file ``name``: an absolute path, one in the operator's own folder, or one that ships with Yiwang."""
    given = Path(name).expanduser()
    places = [given] if given.is_absolute() else [own_folder() / name, MODELS / name]
    for place in places:
        if place.is_file():
            return place
    raise ModelMissing(path=str(places[0]))


def companions(path: Path) -> list[Path]:
    """``path`` and the files that belong to it: its card, and OpenVINO's weights beside an ``.xml``."""
    beside = [path.with_suffix(".json")]
    return [path, *([path.with_suffix(".bin")] if path.suffix == ".xml" else []), *beside]


def reference(path: Path, version: str = "") -> ModelRef:
    """File name and SHA-256 of a model file (of the ``.bin`` where an ``.xml`` only describes the graph)."""
    sealed = path.with_suffix(".bin") if path.suffix == ".xml" else path
    return ModelRef(name=path.name, sha256=sha256(sealed), version=version)


def sha256(path: Path) -> str:
    """The file's SHA-256, hexadecimal; computed again when the file changes."""
    return _sha256(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: str, _changed_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
