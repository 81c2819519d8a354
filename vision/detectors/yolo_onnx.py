"""Any ultralytics detection export (YOLOv5u … YOLO26) on onnxruntime.

Class names, picture size and whether suppression is built in are read from the file.  Raw heads give
(batch, 4 + classes, cells) with centre, width and height; end-to-end heads give (batch, n, 6) with corners,
score and class.  A file exported with a dynamic batch takes several cameras in one call.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from core.records import ModelRef
from vision import weights
from vision.detections import Detections, Image
from vision.detectors._base import letterbox, open_session, suppress, unletterbox
from vision.errors import ModelInvalid


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``file`` below the models folder or absolute; ``confidence`` the floor of what is returned.

    ``size`` 0 takes the file's own picture size; ``device`` ``cuda`` is used where onnxruntime has it.
    """

    file: str
    confidence: float = 0.1
    iou: float = 0.5
    size: int = 0
    max_batch: int = 16
    device: str = "cpu"


def build(params: Params) -> YoloOnnx:
    """The detector; typed errors when the file is not usable."""
    return YoloOnnx(params)


class YoloOnnx:
    """See the module's text."""

    def __init__(self, params: Params) -> None:
        path = weights.find(params.file)
        self._params = params
        self._session = open_session(path, params.device)
        meta = self._session.get_modelmeta().custom_metadata_map
        self.class_name = _names(meta.get("names", ""), str(path))
        self.model: ModelRef = weights.reference(path, meta.get("version", ""))
        given = self._session.get_inputs()[0]
        self._input = given.name
        self._half = given.type == "tensor(float16)"
        batch, _, height, width = given.shape
        self._batch = batch if isinstance(batch, int) else params.max_batch
        self._size = _size(params.size, height, width, meta.get("imgsz", ""))
        self._output = self._session.get_outputs()[0].name

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`vision.detectors._base.Detector`."""
        found: list[Detections] = []
        for start in range(0, len(frames), self._batch):
            found += self._some(frames[start : start + self._batch])
        return found

    def _some(self, frames: Sequence[Image]) -> list[Detections]:
        boxed = [letterbox(f, self._size) for f in frames]
        blob = cv2.dnn.blobFromImages([b[0] for b in boxed], 1 / 255.0, swapRB=True)
        out = self._session.run([self._output], {self._input: blob.astype(np.float16) if self._half else blob})[0]
        return [
            self._decode(out[i].astype(np.float32, copy=False), *boxed[i][1:], frames[i].shape)
            for i in range(len(frames))
        ]

    def _decode(
        self, head: NDArray[np.float32], scale: float, left: float, top: float, shape: tuple[int, ...]
    ) -> Detections:
        if head.shape[1] == 6 and head.shape[0] != 4 + len(self.class_name):  # end to end
            rows = head[head[:, 4] >= self._params.confidence]
            xyxy, score, ids = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32)
        else:
            classes = head[4 : 4 + len(self.class_name)]
            best = classes.max(axis=0)
            cells = np.flatnonzero(best >= self._params.confidence)
            score, ids = best[cells], classes[:, cells].argmax(axis=0).astype(np.int32)
            centre, half = head[:2, cells].T, head[2:4, cells].T / 2
            xyxy = np.concatenate([centre - half, centre + half], axis=1)
        xyxy = unletterbox(np.ascontiguousarray(xyxy, np.float32), scale, left, top, shape)
        return suppress(xyxy, score, ids, self.class_name, self.model, iou=self._params.iou)


def _names(text: str, path: str) -> tuple[str, ...]:
    try:
        names = ast.literal_eval(text)
        return tuple(str(names[i]) for i in range(len(names)))
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        raise ModelInvalid(path=path, detail="no class names in its metadata") from error


def _size(wanted: int, height: object, width: object, imgsz: str) -> tuple[int, int]:
    if isinstance(height, int) and isinstance(width, int):
        return height, width
    if wanted:
        return wanted, wanted
    try:
        h, w = ast.literal_eval(imgsz)
        return int(h), int(w)
    except (ValueError, SyntaxError, TypeError):
        return 640, 640
