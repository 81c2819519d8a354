"""NanoDet-Plus-m 416 (COCO-80) on onnxruntime: people, vehicles, phones, bags.

Input 1×3×416×416 BGR, normalised by mean and deviation.  Outputs for the strides 8, 16 and 32: a class map
(n², 80) of sigmoid scores and a box map (n², 4 × bins); the expectation over the bins times the stride is the
distance left, top, right, bottom from the cell's centre.  The graph takes one picture at a time: on one core
a batch of these costs the same as its pictures one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import ModelRef
from vision import weights
from vision.detections import Detections, Image, empty
from vision.detectors._base import letterbox, open_session, suppress, unletterbox
from vision.detectors._coco import COCO_80
from vision.errors import ModelInvalid

ABOUT = About(
    zh="NanoDet（80 类）",
    en="NanoDet (80 classes)",
    params={
        "file": Words("模型文件", "Model file"),
        "confidence": Words("置信度", "Confidence"),
        "iou": Words("重叠阈值", "Overlap"),
        "device": Words("运算设备", "Device"),
    },
)

SIZE = 416
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_STD = np.array([57.375, 57.12, 58.395], np.float32)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``confidence`` is the floor of what is returned; algorithms ask for more (0.45 keeps traffic cones out)."""

    file: str = "nanodet_coco_416.onnx"
    confidence: float = 0.25
    iou: float = 0.5
    device: str = "auto"


def build(params: Params) -> NanoDet:
    """The detector; :class:`ModelMissing` or :class:`ModelInvalid` when the file is not usable."""
    return NanoDet(params)


class NanoDet:
    """See the module's text."""

    class_name = COCO_80

    def __init__(self, params: Params) -> None:
        path = weights.find(params.file)
        self._params = params
        self._session = open_session(path, params.device)
        self.model: ModelRef = weights.reference(path)
        self._input = self._session.get_inputs()[0].name
        shapes = {o.name: tuple(o.shape) for o in self._session.get_outputs() if len(o.shape) == 3}
        self._outputs: list[str] = []
        self._levels: list[tuple[int, NDArray[np.float32]]] = []
        for stride in (8, 16, 32):
            cells = (SIZE // stride) ** 2
            pair = sorted((s[2], name) for name, s in shapes.items() if s[1] == cells)
            if len(pair) != 2 or (pair[0][0] == 80) == (pair[1][0] == 80):
                raise ModelInvalid(path=str(path), detail=f"no class and box map for stride {stride}")
            self._outputs += [next(n for w, n in pair if w == 80), next(n for w, n in pair if w != 80)]
            self._levels.append((stride, _centres(stride)))
        self._check(path)

    def _check(self, path: Path) -> None:
        """A first run on an empty picture: damaged weights would see nothing at all, and nobody would know."""
        try:
            maps = self._session.run(self._outputs, {self._input: np.zeros((1, 3, SIZE, SIZE), np.float32)})
        except Exception as error:  # noqa: BLE001 — onnxruntime's errors share no base but Exception
            raise ModelInvalid(path=str(path), detail=str(error).splitlines()[0][:200]) from error
        if not all(np.isfinite(m).all() for m in maps):
            raise ModelInvalid(path=str(path), detail="its output is not finite: damaged weights")

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`vision.detectors._base.Detector`."""
        return [self._one(frame) for frame in frames]

    def _one(self, image: Image) -> Detections:
        boxed, scale, left, top = letterbox(image, (SIZE, SIZE))
        tensor = ((boxed.astype(np.float32) - _MEAN) / _STD).transpose(2, 0, 1)[None]
        maps = self._session.run(self._outputs, {self._input: np.ascontiguousarray(tensor)})
        boxes, scores, ids = [], [], []
        for level, (stride, centres) in enumerate(self._levels):
            classes, distances = maps[2 * level][0], maps[2 * level + 1][0]
            best = classes.max(axis=1)
            rows = np.flatnonzero(best >= self._params.confidence)
            if len(rows) == 0:
                continue
            reach = _expectation(distances[rows]) * stride
            boxes.append(np.concatenate([centres[rows] - reach[:, :2], centres[rows] + reach[:, 2:]], axis=1))
            scores.append(best[rows])
            ids.append(classes[rows].argmax(axis=1).astype(np.int32))
        if not boxes:
            return empty(COCO_80, (self.model,))
        xyxy = unletterbox(np.concatenate(boxes).astype(np.float32), scale, left, top, image.shape)
        return suppress(xyxy, np.concatenate(scores), np.concatenate(ids), COCO_80, self.model, iou=self._params.iou)


def _centres(stride: int) -> NDArray[np.float32]:
    n = SIZE // stride
    x, y = np.meshgrid(np.arange(n), np.arange(n))
    return ((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride).astype(np.float32)


def _expectation(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4 × bins) logits → (n, 4) expected distance in strides."""
    bins = distances.reshape(len(distances), 4, -1)
    weight = np.exp(bins - bins.max(axis=2, keepdims=True))
    weight /= weight.sum(axis=2, keepdims=True)
    out: NDArray[np.float32] = (weight * np.arange(bins.shape[2], dtype=np.float32)).sum(axis=2)
    return out
