"""The evaluation set as a folder: for ``app evaluate``, for fine-tuning, for another platform's trainer.

``images/<sha256>.jpg``, ``labels/<sha256>.txt`` (YOLO; the box of a confirmed alarm that says what it saw, none for a
false one), ``verdicts.json``, and ``data.yaml`` whose split ``train`` and ``val`` hold different cameras: what is
learnt from one must be judged on the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import yaml

from core.errors import YiwangError
from core.media import MediaStore
from core.sight.field_set import FieldPicture, FieldSet


def part_of(camera_id: str) -> str:
    """``train`` or ``val``: half of the cameras each, always the same."""
    return "train" if hashlib.sha256(camera_id.encode()).digest()[0] % 2 else "val"


def export(found: FieldSet, media: MediaStore, out: Path, classes: Sequence[str]) -> dict[str, int]:
    """Write the set below ``out``; counts by part, ``gone`` pictures that could not be read, and ``unlabelled``
    confirmed ones, which no training can use because nothing says what of is where."""
    counts = {"train": 0, "val": 0, "gone": 0, "unlabelled": 0}
    lists: dict[str, list[str]] = {"train": [], "val": []}
    for name in ("images", "labels"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for picture in found.pictures:
        try:
            data = media.read(picture.uri)
        except (YiwangError, OSError):
            counts["gone"] += 1
            continue
        labels = _labels(picture, classes)
        if labels is None:
            counts["unlabelled"] += 1
        part = part_of(picture.camera_id) if labels is not None else "val"
        (out / "images" / f"{picture.sha256}.jpg").write_bytes(data)
        if labels is not None:
            (out / "labels" / f"{picture.sha256}.txt").write_text(labels)
            lists[part].append(f"./images/{picture.sha256}.jpg\n")
            counts[part] += 1
    for part, lines in lists.items():
        (out / f"{part}.txt").write_text("".join(lines))
    spec = {"path": ".", "train": "train.txt", "val": "val.txt", "names": dict(enumerate(classes))}
    (out / "data.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True))
    told = [msgspec.to_builtins(p) | {"part": part_of(p.camera_id)} for p in found.pictures]
    (out / "verdicts.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))
    return counts


def _labels(picture: FieldPicture, classes: Sequence[str]) -> str | None:
    """YOLO lines; "" for a false alarm, None where a confirmed one does not say what stands where."""
    if not picture.confirmed:
        return ""
    known = [c for c in picture.classes if c in classes] or (list(classes) if len(classes) == 1 else [])
    if picture.box is None or len(known) != 1:
        return None
    x1, y1, x2, y2 = picture.box
    values = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    return f"{list(classes).index(known[0])} " + " ".join(f"{v:.5f}" for v in values) + "\n"
