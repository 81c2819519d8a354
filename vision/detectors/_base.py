"""The contract of a detector, and what the ONNX ones share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from core.records import ModelRef
from vision.detections import Detections, Image, empty
from vision.errors import ModelInvalid

log = logging.getLogger("yiwang.vision.detectors")

DEVICES = ("auto", "cpu", "cuda")
PROCESSOR_PIXELS = 250_000  # of all pictures of one run on a processor: two of 416×256, one of 640×384


class Detector(Protocol):
    """Finds objects in pictures.

    ``detect`` takes any number of BGR pictures of any sizes (several cameras share a call) and returns one
    :class:`Detections` each, in order, boxes in pixels of the picture given, sorted by falling confidence.
    It is called from one thread at a time.
    """

    model: ModelRef
    class_name: tuple[str, ...]

    def detect(self, frames: Sequence[Image]) -> list[Detections]: ...


def open_session(path: Path, device: str = "auto") -> onnxruntime.InferenceSession:
    """A session on one thread that never spins: many workers share few cores (spinning took 60× longer there).

    ``device``: ``auto`` takes CUDA where onnxruntime has it and it starts, ``cuda`` says so where it does not (the
    processor serves all the same: a camera that is analysed slowly beats one that is not), ``cpu`` never asks.
    """
    if device not in DEVICES:
        raise ModelInvalid(path=str(path), detail=f"device {device!r} is not one of {', '.join(DEVICES)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # each graph would keep the most that it ever took
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    wanted = ["CPUExecutionProvider"]
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device != "cpu" and has_cuda:
        wanted.insert(0, "CUDAExecutionProvider")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # noqa: BLE001 — onnxruntime's errors share no base but Exception
        raise ModelInvalid(path=str(path), detail=str(error).splitlines()[0][:200]) from error
    runs_on = session.get_providers()[0]
    if runs_on != wanted[0] or (device == "cuda" and not has_cuda):
        why = "it does not start (driver or CUDA libraries)" if has_cuda else "this onnxruntime was built without it"
        log.warning("%s: CUDA is not used: %s; the processor serves (pip install onnxruntime-gpu)", path.name, why)
    else:
        log.info("%s runs on %s", path.name, runs_on.removesuffix("ExecutionProvider"))
    return session


def letterbox(image: Image, size: tuple[int, int], pad: int = 114) -> tuple[Image, float, float, float]:
    """``image`` scaled into ``size`` (height, width), centred on grey; with scale, left and top offset in pixels."""
    height, width = image.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    new_w, new_h = round(width * scale), round(height * scale)
    top, left = (size[0] - new_h) // 2, (size[1] - new_w) // 2
    canvas = np.full((size[0], size[1], 3), pad, np.uint8)
    if (new_w, new_h) == (width, height):
        canvas[top : top + new_h, left : left + new_w] = image
    else:
        # area would be more exact when shrinking a lot; linear is what the models were trained with
        canvas[top : top + new_h, left : left + new_w] = cv2.resize(
            image, (new_w, new_h), interpolation=cv2.INTER_LINEAR
        )
    return canvas, scale, float(left), float(top)


def unletterbox(
    xyxy: NDArray[np.float32], scale: float, left: float, top: float, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Boxes of the letter-boxed picture as boxes of the original of ``shape``, clipped to it."""
    out = (xyxy - np.array([left, top, left, top], np.float32)) / np.float32(scale)
    out[:, 0::2] = out[:, 0::2].clip(0, shape[1])
    out[:, 1::2] = out[:, 1::2].clip(0, shape[0])
    return out.astype(np.float32)


def suppress(
    xyxy: NDArray[np.float32],
    score: NDArray[np.float32],
    class_id: NDArray[np.int32],
    class_name: tuple[str, ...],
    model: ModelRef,
    *,
    iou: float = 0.5,
    limit: int = 300,
) -> Detections:
    """Class-wise non-maximum suppression of candidate boxes."""
    if len(score) == 0:
        return empty(class_name, (model,))
    xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    kept: Any = cv2.dnn.NMSBoxesBatched(
        xywh.tolist(), score.tolist(), class_id.tolist(), float(score.min()) - 1e-6, iou
    )
    rows = np.asarray(kept, np.intp).reshape(-1)
    rows = rows[np.argsort(-score[rows], kind="stable")][:limit]
    return Detections(xyxy[rows], class_id[rows], score[rows], class_name, (model,))


class YoloHead:
    """What ultralytics exports have in common, whatever runs them.

    ``run`` takes (batch, 3, height, width) RGB in 0…1 and gives a raw head (batch, 4 + classes, cells) with centre,
    width and height, or an end-to-end head (batch, n, 6) with corners, score and class.  A network that takes any size
    (``stride`` > 0) is not fed the grey above and below a wide picture: 640×360 at 320 becomes 320×192, 40 % cheaper.
    ``pixels`` limits what one run takes beside ``batch`` (0: it does not).
    """

    def __init__(
        self,
        run: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        class_name: tuple[str, ...],
        model: ModelRef,
        size: tuple[int, int],
        *,
        batch: int,
        confidence: float,
        iou: float,
        stride: int = 0,
        pixels: int = 0,
    ) -> None:
        self._stride = stride
        self._pixels = pixels
        self._run = run
        self.class_name = class_name
        self.model = model
        self.size = size
        self._batch = batch
        self._confidence = confidence
        self._iou = iou

    def checked(self, path: Path) -> YoloHead:
        """Itself, after a first run on an empty picture; :class:`ModelInvalid` when what comes out is no such head."""
        rows = 4 + len(self.class_name)
        try:
            out = self._run(np.full((1, 3, *self.size), 114 / 255, np.float32))
        except Exception as error:  # noqa: BLE001 — run-times raise plain exceptions of their own
            raise ModelInvalid(path=str(path), detail=str(error).splitlines()[0][:200]) from error
        if out.ndim != 3 or (out.shape[1] != rows and out.shape[2] != 6):
            detail = f"its output has the shape {out.shape}, not (1, {rows}, cells) or (1, n, 6)"
            raise ModelInvalid(path=str(path), detail=detail)
        if not np.isfinite(out).all():
            raise ModelInvalid(path=str(path), detail="its output is not finite: damaged weights")
        return self

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`Detector`."""
        found: dict[int, Detections] = {}
        shapes: dict[tuple[int, int], list[int]] = {}
        for row, frame in enumerate(frames):
            shapes.setdefault(self._shape(frame), []).append(row)
        for shape, rows in shapes.items():
            at_once = self._at_once(shape)
            for start in range(0, len(rows), at_once):
                some = rows[start : start + at_once]
                found.update(zip(some, self._some([frames[row] for row in some], shape), strict=True))
        return [found[row] for row in range(len(frames))]

    def _at_once(self, shape: tuple[int, int]) -> int:
        """Pictures a run: a processor is no faster with many large ones, and holds the scratch memory of all."""
        return max(1, min(self._batch, self._pixels // (shape[0] * shape[1]))) if self._pixels else self._batch

    def _shape(self, frame: Image) -> tuple[int, int]:
        """The smallest input that holds the picture at the network's scale: whole strides, no more than ``size``."""
        if not self._stride:
            return self.size
        height, width = frame.shape[:2]
        scale = min(self.size[0] / height, self.size[1] / width)
        whole = [-(-round(side * scale) // self._stride) * self._stride for side in (height, width)]
        return min(whole[0], self.size[0]), min(whole[1], self.size[1])

    def _some(self, frames: Sequence[Image], shape: tuple[int, int]) -> list[Detections]:
        boxed = [letterbox(f, shape) for f in frames]
        blob = np.asarray(cv2.dnn.blobFromImages([b[0] for b in boxed], 1 / 255.0, swapRB=True), np.float32)
        out = self._run(blob)
        return [self._decode(out[i], *boxed[i][1:], frames[i].shape) for i in range(len(frames))]

    def _decode(
        self, head: NDArray[np.float32], scale: float, left: float, top: float, shape: tuple[int, ...]
    ) -> Detections:
        if head.shape[1] == 6 and head.shape[0] != 4 + len(self.class_name):  # end to end
            rows = head[head[:, 4] >= self._confidence]
            xyxy, score, ids = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32)
        else:
            classes = head[4 : 4 + len(self.class_name)]
            best = classes.max(axis=0)
            cells = np.flatnonzero(best >= self._confidence)
            score, ids = best[cells], classes[:, cells].argmax(axis=0).astype(np.int32)
            centre, half = head[:2, cells].T, head[2:4, cells].T / 2
            xyxy = np.concatenate([centre - half, centre + half], axis=1)
        xyxy = unletterbox(np.ascontiguousarray(xyxy, np.float32), scale, left, top, shape)
        return suppress(xyxy, score, ids, self.class_name, self.model, iou=self._iou)
