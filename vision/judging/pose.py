"""MoveNet Lightning: 17 keypoints of one person.

The person's box is widened by a quarter, squared, warped to 192 pixels and given as RGB int32; the answer is (y, x,
score) per keypoint in shares of that square.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import ModelRef
from vision import weights
from vision.detections import Box, Image
from vision.detectors._base import open_session
from vision.errors import ModelInvalid

SIZE = 192
_SIDED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ["nose", *(f"{side}_{part}" for part in _SIDED for side in ("left", "right"))]


@dataclass(frozen=True)
class BodyPose:
    """Keypoints in pixels of the picture: ``points`` (17, 2) x, y; ``score`` (17,)."""

    points: NDArray[np.float32]
    score: NDArray[np.float32]

    def point(self, name: str, least: float = 0.3) -> NDArray[np.float32] | None:
        """The keypoint, or None when the model is not sure of it."""
        index = NAMES.index(name)
        return self.points[index] if self.score[index] >= least else None

    def middle(self, part: str, least: float = 0.3) -> NDArray[np.float32] | None:
        """Between left and right ``part``, or whichever of the two is seen."""
        found = [p for side in ("left", "right") if (p := self.point(f"{side}_{part}", least)) is not None]
        return np.mean(found, axis=0).astype(np.float32) if found else None


class MoveNet:
    """The model on one thread; safe to call from several."""

    def __init__(self, file: str = "movenet_lightning.onnx") -> None:
        path = weights.find(file)
        self._session = open_session(path, "cpu")
        self._input = self._session.get_inputs()[0].name
        self._lock = threading.Lock()
        self.model: ModelRef = weights.reference(path)
        try:
            out = self._session.run(None, {self._input: np.full((1, SIZE, SIZE, 3), 114, np.int32)})[0]
        except Exception as error:  # noqa: BLE001 — onnxruntime's errors share no base but Exception
            raise ModelInvalid(path=str(path), detail=str(error).splitlines()[0][:200]) from error
        if out.size != 17 * 3 or not np.isfinite(out).all():  # it would see nobody, and nobody would know
            detail = f"its output of the shape {out.shape} is not 17 finite keypoints"
            raise ModelInvalid(path=str(path), detail=detail)

    def look(self, image: Image, box: Box) -> BodyPose:
        """The pose of the person in ``box`` (pixels)."""
        x1, y1, x2, y2 = box
        side = max(x2 - x1, y2 - y1, 8.0) * 1.25
        left, top = (x1 + x2 - side) / 2, (y1 + y2 - side) / 2
        warp = np.array([[SIZE / side, 0, -left * SIZE / side], [0, SIZE / side, -top * SIZE / side]], np.float32)
        square = cv2.warpAffine(image, warp, (SIZE, SIZE), borderValue=(114, 114, 114))
        tensor = cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.int32)[None]
        with self._lock:
            out = self._session.run(None, {self._input: tensor})[0].reshape(17, 3)
        points = np.stack([left + out[:, 1] * side, top + out[:, 0] * side], axis=1).astype(np.float32)
        return BodyPose(points, out[:, 2].astype(np.float32))


@lru_cache(maxsize=2)
def movenet(file: str = "movenet_lightning.onnx") -> MoveNet:
    """The model, loaded once per process."""
    return MoveNet(file)
