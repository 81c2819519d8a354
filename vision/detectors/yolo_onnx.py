"""Any ultralytics detection export (YOLOv5u … YOLO26) on onnxruntime.

Class names, picture size and whether suppression is built in are read from the file.  Raw heads give
(batch, 4 + classes, cells) with centre, width and height; end-to-end heads give (batch, n, 6) with corners,
score and class.  A file exported with a dynamic batch takes several cameras in one call.
"""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from vision import weights
from vision.detectors._base import PROCESSOR_PIXELS, Detector, YoloHead, open_session
from vision.detectors.resting import RestingDetector
from vision.detectors.two_looks import TwoLooks
from vision.errors import ModelInvalid

FLOOR = 0.02

ABOUT = About(
    zh="YOLO（ONNX）",
    en="YOLO (ONNX)",
    params={
        "file": Words("模型文件", "Model file"),
        "confidence": Words("置信度", "Confidence"),
        "iou": Words("重叠阈值", "Overlap"),
        "size": Words("输入边长（像素）", "Input edge (px)"),
        "max_batch": Words("一批最多几张", "Pictures a batch"),
        "device": Words("运算设备", "Device"),
        "rect": Words("保持长宽比", "Keep the aspect"),
        "single": Words("只用第一眼", "First look only"),
    },
)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``file`` below the models folder or absolute; ``confidence`` the floor of what is returned.

    ``size`` 0 takes the file's own picture size; ``device``: ``auto`` takes CUDA where it works, ``cuda`` complains
    where it does not, ``cpu``; ``single`` leaves out the second look that the file's card names
    (:mod:`vision.detectors.two_looks`); ``rect`` spares a network of free size the padding of pictures that are not
    square.
    """

    file: str
    confidence: float = 0.1
    iou: float = 0.5
    size: int = 0
    max_batch: int = 16
    device: str = "auto"
    rect: bool = True
    single: bool = False


def build(params: Params) -> Detector:
    """The detector; :class:`ModelMissing` or :class:`ModelInvalid` when the file is not usable."""
    path = weights.find(params.file)
    again = None if params.single else weights.second_look(path)
    if again is None:
        return _one(path, params)
    floor = min(params.confidence, FLOOR)  # of each look: together they may still reach ``confidence``
    first = _one(path, msgspec.structs.replace(params, confidence=floor))
    heavy = msgspec.structs.replace(params, confidence=floor, size=0)
    second = RestingDetector(lambda: _one(again.path, heavy))
    missing = set(first.class_name) - set(second.class_name)
    if missing:
        raise ModelInvalid(path=str(again.path), detail=f"a second look must know {', '.join(sorted(missing))}")
    return TwoLooks(first, second, again.suspicion, params.confidence)


def _one(path: Path, params: Params) -> YoloHead:
    session = open_session(path, params.device)
    meta = session.get_modelmeta().custom_metadata_map
    given = session.get_inputs()[0]
    half = given.type == "tensor(float16)"
    if len(given.shape) != 4:
        raise ModelInvalid(path=str(path), detail=f"its input has the shape {given.shape}, not (n, 3, height, width)")
    batch, _, height, width = given.shape
    output = session.get_outputs()[0].name

    def run(blob: NDArray[np.float32]) -> NDArray[np.float32]:
        out = session.run([output], {given.name: blob.astype(np.float16) if half else blob})[0]
        return np.asarray(out, np.float32)

    return YoloHead(
        run,
        _names(meta.get("names", ""), str(path)),
        weights.reference(path, meta.get("version", "")),
        _size(params.size, height, width, meta.get("imgsz", "")),
        batch=batch if isinstance(batch, int) else params.max_batch,
        confidence=params.confidence,
        iou=params.iou,
        pixels=PROCESSOR_PIXELS if session.get_providers() == ["CPUExecutionProvider"] else 0,
        stride=_stride(meta.get("stride", "")) if params.rect and not isinstance(height, int) else 0,
    ).checked(path)


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


def _stride(text: str) -> int:
    """The network's coarsest stride; 32 where the file does not say."""
    try:
        return max(32, int(float(text)))
    except ValueError:
        return 32
