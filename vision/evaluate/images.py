"""A detector over a YOLO-format set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core import plugins
from core.errors import InputInvalid
from vision.detectors._base import Detector
from vision.evaluate.cards import Card
from vision.evaluate.dataset import LabelledImage, LabelledSet
from vision.evaluate.metrics import ClassTally

DEFAULT_THRESHOLD = 0.25
FLOOR = 0.001  # below this a detection no longer moves average precision
BATCH = 8

Report = Callable[[int, int], None]


def load_detector(model: str, confidence: float = FLOOR, single: bool = False) -> Detector:
    """The detector for a model's name (``flame_smoke``) or file (``.onnx``), with the second look that its card names
    unless ``single``."""
    file = model if Path(model).suffix else f"{model}.onnx"
    kind = "nanodet" if Path(file).name.startswith("nanodet") else "yolo_onnx"
    path = Path(file)
    params = {"file": str(path.resolve()) if path.exists() else file, "confidence": confidence}
    detector: Detector = plugins.build("detector", kind, params | ({"single": True} if single else {}))
    return detector


def tally(
    detector: Detector, data: LabelledSet, report: Report | None = None, broken: list[str] | None = None
) -> dict[str, ClassTally]:
    """A tally per class name that both the set and the model know; case and outer blanks do not matter.

    The names of pictures that cannot be decoded are added to ``broken``; without it they end the run.

    Raises:
        InputInvalid: they share no class name.
    """
    known = {_plain(name): name for name in detector.class_name}
    numbers: dict[str, list[int]] = {}  # a set may write one class in two ways
    for number, name in data.names.items():
        if _plain(name) in known:
            numbers.setdefault(known[_plain(name)], []).append(number)
    shared = list(numbers)
    if not shared:
        raise InputInvalid(
            field="--data",
            detail=f"the set has {', '.join(data.names.values())}; the model has {', '.join(detector.class_name[:12])}",
            how="classes are matched by name: rename them in data.yaml, or evaluate another model",
        )
    tallies = {name: ClassTally() for name in shared}
    done = 0
    for batch in _batches(data.images, broken):
        frames = [frame for _, frame in batch]
        for (image, frame), seen in zip(batch, detector.detect(frames), strict=True):
            for name, kept in tallies.items():
                mine = seen.of(name)
                kept.add(_pixels(image, numbers[name], frame), mine.xyxy, mine.confidence)
        done += len(batch)
        if report:
            report(done, len(data.images))
    return tallies


def summary(tallies: dict[str, ClassTally], card: Card | None, threshold: float | None = None) -> dict[str, Any]:
    """``precision``, ``recall`` (at the best F1), ``map50``, ``map50_95`` overall and per class.

    Per class also what counts for an alarm: precision and recall of boxes, ``image_recall`` and ``image_false_rate``
    at the card's threshold (``threshold`` overrides it).
    """
    classes = {name: _class_summary(t, _threshold(name, card, threshold)) for name, t in tallies.items()}
    judged = [c for name, c in classes.items() if tallies[name].truths]
    overall = {
        key: _rounded(float(np.mean([c[key] for c in judged]))) if judged else None
        for key in ("precision", "recall", "map50", "map50_95")
    }
    return {**overall, "classes": classes}


def _class_summary(kept: ClassTally, threshold: float) -> dict[str, Any]:
    curve = kept.curve()
    precision, recall, best = curve.best()
    ap = curve.average_precision()
    boxes_precision, boxes_recall = curve.at(threshold)
    return {
        "precision": _rounded(precision),
        "recall": _rounded(recall),
        "map50": _rounded(float(ap[0])),
        "map50_95": _rounded(float(ap.mean())),
        "best_f1_threshold": _rounded(best),
        "threshold": threshold,
        "precision_at_threshold": _rounded(boxes_precision),
        "recall_at_threshold": _rounded(boxes_recall),
        "image_recall": _rounded(kept.image_recall(threshold)),
        "image_false_rate": _rounded(kept.image_false_rate(threshold)),
        "boxes": kept.truths,
        "images_with": len(kept.best_with),
        "images_without": len(kept.best_without),
    }


def _threshold(name: str, card: Card | None, given: float | None) -> float:
    if given is not None:
        return given
    return card.thresholds.get(name, DEFAULT_THRESHOLD) if card else DEFAULT_THRESHOLD


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _plain(name: str) -> str:
    return name.strip().casefold()


def _pixels(image: LabelledImage, numbers: list[int], frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = frame.shape[:2]
    rows = image.boxes[np.isin(image.boxes[:, 0], numbers)][:, 1:]
    centre, half = rows[:, :2], rows[:, 2:] / 2
    scale = np.asarray([width, height, width, height], np.float32)
    return (np.concatenate([centre - half, centre + half], axis=1) * scale).astype(np.float32)


def _batches(
    images: Sequence[LabelledImage], broken: list[str] | None
) -> Iterator[list[tuple[LabelledImage, NDArray[np.uint8]]]]:
    for start in range(0, len(images), BATCH):
        batch = []
        for image in images[start : start + BATCH]:
            frame = cv2.imread(str(image.path), cv2.IMREAD_COLOR)
            if frame is not None:
                batch.append((image, np.asarray(frame, np.uint8)))
            elif broken is not None:
                broken.append(image.path.name)
            else:
                raise InputInvalid(field=str(image.path), detail="not a readable picture", how="remove it from the set")
        if batch:
            yield batch
