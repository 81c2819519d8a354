"""YOLO-format sets: ``data.yaml``, image lists and label files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from core.errors import InputInvalid

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


@dataclass(frozen=True)
class LabelledImage:
    """One image: ``boxes`` is (n, 5) ``class cx cy w h``, normalised to 0…1."""

    path: Path
    boxes: NDArray[np.float32]


@dataclass(frozen=True)
class LabelledSet:
    """A set's class names by number and its images; ``skipped`` counts unreadable label lines, ``bad_labels`` names
    their files, ``missing`` the pictures that a list names and that are not there."""

    names: dict[int, str]
    images: tuple[LabelledImage, ...]
    split: str
    skipped: int = 0
    bad_labels: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_set(data_yaml: Path, split: str | None = None) -> LabelledSet:
    """Read ``split`` (default: the first of val, test, train that the file names).

    ``path`` is taken relative to the file; a split is a folder, a ``.txt`` list or several of them.  What a set
    looked like on another machine is forgiven: a ``path`` that is not here, Roboflow's ``../train/images`` beside the
    file, ``valid`` for ``val``, the split's folder instead of its ``images``.

    An image without a label file, or with an empty one, is a negative.

    Raises:
        InputInvalid: no such file, no names, no such split, or no images in it.
    """
    try:
        spec = yaml.safe_load(data_yaml.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputInvalid(field=str(data_yaml), detail=str(error), how="name a readable YOLO data.yaml") from error
    if not isinstance(spec, dict) or not spec.get("names"):
        raise InputInvalid(field=str(data_yaml), detail="it has no `names`", how="list the classes under `names`")
    names = _names(spec["names"])
    spec = {"val": spec.get("valid") or spec.get("validation"), **{k: v for k, v in spec.items() if v}}
    found = split or next((s for s in ("val", "test", "train") if spec.get(s)), "")
    if not spec.get(found):
        raise InputInvalid(
            field=str(data_yaml), detail=f"it has no split {split or 'val, test or train'!r}", how="name one it has"
        )
    root = (data_yaml.parent / str(spec.get("path") or ".")).resolve()
    wanted = spec[found] if isinstance(spec[found], list) else [spec[found]]
    paths = list(dict.fromkeys(p for e in wanted for p in _image_paths(root, str(e), data_yaml.parent.resolve())))
    images, skipped, bad_labels, missing = [], 0, [], []
    for path in paths:
        if not path.is_file():
            missing.append(path.name)
            continue
        boxes, bad = read_labels(label_path(path), set(names))
        images.append(LabelledImage(path, boxes))
        skipped += bad
        if bad:
            bad_labels.append(label_path(path).name)
    if not images:
        raise InputInvalid(
            field=str(data_yaml), detail=f"split {found!r} holds no images", how="check `path` and the lists"
        )
    return LabelledSet(names, tuple(images), found, skipped, tuple(bad_labels), tuple(missing))


def label_path(image: Path) -> Path:
    """The label file of ``image``: the last ``images`` folder becomes ``labels``, the suffix ``.txt``."""
    parts = list(image.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def read_labels(path: Path, classes: set[int]) -> tuple[NDArray[np.float32], int]:
    """The (n, 5) boxes of a label file and how many lines were unreadable (polygons become their bounding box)."""
    rows: list[list[float]] = []
    bad = 0
    if not path.is_file():
        return np.zeros((0, 5), np.float32), 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.strip():
            continue
        row = _label_row(line)
        if row is None or int(row[0]) not in classes:
            bad += 1
        else:
            rows.append(row)
    return np.asarray(rows, np.float32).reshape(-1, 5), bad


def _label_row(line: str) -> list[float] | None:
    try:
        values = [float(v) for v in line.split()]
    except ValueError:
        return None
    if len(values) >= 7 and len(values) % 2 == 1:
        x, y = values[1::2], values[2::2]
        values = [values[0], (min(x) + max(x)) / 2, (min(y) + max(y)) / 2, max(x) - min(x), max(y) - min(y)]
    if len(values) < 5 or not np.isfinite(values).all() or values[3] <= 0 or values[4] <= 0:
        return None
    return values[:5]


def _names(names: object) -> dict[int, str]:
    if isinstance(names, dict):
        return {int(k): str(v) for k, v in names.items()}
    if isinstance(names, list):
        return {k: str(v) for k, v in enumerate(names)}
    raise InputInvalid(field="names", detail="neither a list nor a mapping", how="write names: {0: fire, 1: smoke}")


def _image_paths(root: Path, entry: str, beside: Path) -> Iterator[Path]:
    inner = Path(*[part for part in Path(entry).parts if part not in ("..", ".", "/")])
    tried = [root / entry, beside / entry, root / inner, beside / inner, root.parent / inner]
    if len(inner.parts) > 1:  # an absolute path of another machine: its last folders may be here
        tried += [beside / Path(*inner.parts[-2:]), beside / inner.name]
    place = next((p for p in tried if p.exists()), None)
    if place is None:
        raise InputInvalid(field=entry, detail=f"not found below {root}", how="check `path` in data.yaml")
    if place.is_dir():
        yield from sorted(p for p in place.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        return
    if place.suffix.lower() in IMAGE_SUFFIXES:
        yield place
        return
    for line in place.read_text(encoding="utf-8").splitlines():
        if line.strip():
            name = line.strip()
            yield (place.parent / name).resolve() if not Path(name).is_absolute() else Path(name)
