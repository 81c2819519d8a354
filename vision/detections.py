"""What a detector returns: boxes in columns, one row an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import ModelRef

Image = NDArray[np.uint8]  # height × width × 3, BGR
Box = tuple[float, float, float, float]  # x1, y1, x2, y2


@dataclass(frozen=True)
class Detections:
    """Objects in one picture.

    ``xyxy`` float32 (n, 4) in pixels of the picture given to ``detect``; ``class_id`` int32 (n,) indexes
    ``class_name``; ``confidence`` float32 (n,) in 0…1; ``models`` names who looked (merged results have several).
    """

    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int32]
    confidence: NDArray[np.float32]
    class_name: tuple[str, ...]
    models: tuple[ModelRef, ...] = ()

    def __len__(self) -> int:
        return len(self.class_id)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
        """The given rows (mask or indices)."""
        return Detections(self.xyxy[rows], self.class_id[rows], self.confidence[rows], self.class_name, self.models)

    def of(self, *names: str, confidence: float = 0.0) -> Detections:
        """Rows of the named classes with at least ``confidence``."""
        wanted = [i for i, name in enumerate(self.class_name) if name in names]
        return self.take(np.isin(self.class_id, wanted) & (self.confidence >= confidence))

    def name(self, row: int) -> str:
        """Class name of a row."""
        return self.class_name[int(self.class_id[row])]

    def box(self, row: int) -> Box:
        """Box of a row in pixels."""
        x1, y1, x2, y2 = (float(v) for v in self.xyxy[row])
        return x1, y1, x2, y2


def empty(class_name: tuple[str, ...] = (), models: tuple[ModelRef, ...] = ()) -> Detections:
    """No objects."""
    return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, np.float32), class_name, models)


def merge(parts: Sequence[Detections]) -> Detections:
    """The results of several detectors on one picture as one; classes of the same name become one class."""
    if len(parts) == 1:
        return parts[0]
    names: list[str] = []
    for part in parts:
        names.extend(n for n in part.class_name if n not in names)
    ids = [np.array([names.index(part.name(r)) for r in range(len(part))], np.int32) for part in parts]
    if not parts:
        return empty()
    return Detections(
        np.concatenate([p.xyxy for p in parts]),
        np.concatenate(ids),
        np.concatenate([p.confidence for p in parts]),
        tuple(names),
        tuple(dict.fromkeys(m for p in parts for m in p.models)),
    )
