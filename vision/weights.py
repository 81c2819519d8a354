"""Where model files are, and their seals."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.records import ModelRef
from vision.errors import ModelInvalid, ModelMissing

MODELS = Path(__file__).parent / "models"
REFUSED = "refused.json"


def own_folder() -> Path:
    """Where an operator's own models are: ``YIWANG_MODELS_DIR``, else ``models`` in the data folder."""
    return Path(os.environ.get("YIWANG_MODELS_DIR") or Path(os.environ.get("YIWANG_DATA_DIR", "var")) / "models")


def find(name: str, refused_too: bool = False) -> Path:
    """The file ``name``: an absolute path, one in the operator's own folder, or one that ships with Yiwang.

    One in the operator's folder that lost its trial against the model in use (:func:`refuse`) is passed over.
    """
    given = Path(name).expanduser()
    places = [given] if given.is_absolute() else [own_folder() / name, MODELS / name]
    for place in places:
        if place.is_file() and (given.is_absolute() or is_inside(place)):
            if place != places[-1] and not refused_too and is_refused(place):
                continue
            return place
    raise ModelMissing(path=str(places[0]))


def trials_wanted() -> bool:
    """Whether a new model must beat the one in use on the district's judged alarms (``YIWANG_MODEL_TRIAL=off``: no)."""
    return os.environ.get("YIWANG_MODEL_TRIAL", "on").strip().lower() not in {"off", "0", "no", "false"}


def refuse(path: Path, why: str) -> None:
    """Remember that this very file lost its trial, so that the next start does not use it either."""
    if path.is_relative_to(own_folder()):
        _write_refused(_refused() | {sha256(path): {"file": path.name, "why": why}})


def accept(path: Path) -> None:
    """Forget that it was refused: it is tried again."""
    known = _refused()
    if known.pop(sha256(path), None):
        _write_refused(known)


def is_refused(path: Path) -> bool:
    """Whether :func:`refuse` was told of the file as it is."""
    known = _refused() if trials_wanted() else {}
    return bool(known) and sha256(path) in known


def _refused() -> dict[str, dict[str, str]]:
    try:
        known = json.loads((own_folder() / REFUSED).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_refused(known: dict[str, dict[str, str]]) -> None:
    target = own_folder() / REFUSED
    try:
        partial = target.with_suffix(".part")
        partial.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(target)
    except OSError:  # a folder that may only be read: the next start uses the file
        return


def is_inside(path: Path) -> bool:
    """Whether ``path`` lies in the operator's own folder or among the models that ship with Yiwang."""
    plain = Path(os.path.normpath(path.absolute()))
    return any(plain.is_relative_to(os.path.normpath(root.absolute())) for root in (own_folder(), MODELS))


def check_named(params: Mapping[str, Any]) -> None:
    """What a camera's settings, which come over the network, may ask of a detector.

    :class:`ModelMissing` for a file outside the two folders (an uploaded one, say: a ``.pt`` is a pickle and runs code
    when it is loaded), and for a download that ``YIWANG_MODEL_DOWNLOADS=1`` does not allow.
    """
    for value in params.values():
        given = Path(value).expanduser() if isinstance(value, str) and "\0" not in value else None
        if given is not None and given.is_absolute() and not is_inside(given):
            raise ModelMissing(path=str(given))
    if params.get("download") and os.environ.get("YIWANG_MODEL_DOWNLOADS") != "1":
        raise ModelMissing(path=f"{params.get('file', '')} (no download: YIWANG_MODEL_DOWNLOADS is not 1)")


def companions(path: Path) -> list[Path]:
    """``path`` and the files that belong to it: its card, and OpenVINO's weights beside an ``.xml``."""
    beside = [path.with_suffix(".json")]
    with suppress(ModelInvalid):  # a damaged card is told where the model is built; it is a companion all the same
        second = second_look(path)
        beside += [second.path] if second is not None else []
    return [path, *([path.with_suffix(".bin")] if path.suffix == ".xml" else []), *beside]


@dataclass(frozen=True)
class SecondLookModel:
    """The model that looks again (``path``) where the first one is at least ``suspicion`` sure of something."""

    path: Path
    suspicion: float


def second_look(path: Path) -> SecondLookModel | None:
    """What the card beside ``path`` names as its second look; None without one.

    Raises:
        ModelInvalid: the card is damaged there, or the second model is not beside it.
    """
    card = path.with_suffix(".json")
    if path.suffix != ".onnx" or not card.is_file():
        return None
    try:
        named = json.loads(card.read_bytes()).get("second_look") or None
        if named is None:
            return None
        second, suspicion = path.parent / Path(named["file"]).name, float(named["from"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelInvalid(path=str(card), detail=f"second_look: {error!r}") from error
    if not second.is_file():
        raise ModelInvalid(path=str(card), detail=f"its second look {second.name} is not beside it")
    return SecondLookModel(second, suspicion)


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
