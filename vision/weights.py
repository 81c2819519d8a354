"""Where model files are, and their seals."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from core.records import ModelRef
from vision.errors import ModelMissing

MODELS = Path(__file__).parent / "models"


def find(name: str) -> Path:
    """The file ``name``: an absolute path, one below ``YIWANG_MODELS_DIR``, or one that ships with Yiwang."""
    given = Path(name).expanduser()
    own = os.environ.get("YIWANG_MODELS_DIR")
    places = [given] if given.is_absolute() else [*([Path(own) / name] if own else []), MODELS / name]
    for place in places:
        if place.is_file():
            return place
    raise ModelMissing(path=str(places[-1]))


def reference(path: Path, version: str = "") -> ModelRef:
    """File name and SHA-256 of a model file."""
    return ModelRef(name=path.name, sha256=_sha256(str(path), path.stat().st_mtime_ns), version=version)


@lru_cache(maxsize=64)
def _sha256(path: str, _changed_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
