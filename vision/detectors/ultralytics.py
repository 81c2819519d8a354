"""Models that ultralytics runs itself: a user's ``.pt``, open-vocabulary YOLO-World and YOLOE, TensorRT engines.

Only for files that the operator trusts: a ``.pt`` is a pickle and can run code when it is loaded; one that names what a
detection network does not need is refused (:mod:`vision.detectors._pickles`).  Nothing is downloaded
unless ``download`` allows it (then ``yolo11n.pt`` and the like are fetched on first use).  ``classes`` names what an
open-vocabulary model shall look for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.plugins import About, Words
from core.records import ModelRef
from vision import weights
from vision.detections import Detections, Image
from vision.detectors._pickles import check_pickle
from vision.detectors.offline_torch import prepare_ultralytics
from vision.errors import ModelInvalid, ModelMissing

ABOUT = About(
    zh="Ultralytics 模型",
    en="Ultralytics models",
    params={
        "file": Words("模型文件", "Model file"),
        "confidence": Words("置信度", "Confidence"),
        "iou": Words("重叠阈值", "Overlap"),
        "size": Words("输入边长（像素）", "Input edge (px)"),
        "device": Words("运算设备", "Device"),
        "classes": Words("目标类别", "Classes"),
        "download": Words("允许下载", "May download"),
    },
)


PICKLED = {".pt", ".pth"}


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``device`` as ultralytics names it (``cpu``, ``0``); empty: CUDA when it is there."""

    file: str
    confidence: float = 0.1
    iou: float = 0.5
    size: int = 640
    device: str = ""
    classes: tuple[str, ...] = ()
    download: bool = False


def build(params: Params) -> Ultralytics:
    """The detector; typed errors when the file is not usable."""
    return Ultralytics(params)


class Ultralytics:
    """See the module's text."""

    def __init__(self, params: Params) -> None:
        try:
            path = str(weights.find(params.file))
        except ModelMissing:
            if not params.download:
                raise
            path = params.file
        if Path(path).suffix in PICKLED and Path(path).is_file():
            check_pickle(Path(path))
        prepare_ultralytics(Path(tempfile.gettempdir()) / "yiwang-ultralytics")
        if params.download:
            os.environ["YOLO_OFFLINE"] = "false"
        from ultralytics import YOLO

        try:
            self._model = YOLO(path, task="detect")
            if params.classes:
                self._model.set_classes(list(params.classes))
            names = self._model.names
        except Exception as error:  # noqa: BLE001 — torch, pickle and ultralytics raise anything here
            raise ModelInvalid(path=path, detail=str(error).splitlines()[0][:200]) from error
        self._params = params
        self.class_name = tuple(str(names[i]) for i in range(len(names)))
        self.model: ModelRef = weights.reference(Path(path)) if Path(path).is_file() else ModelRef(name=path, sha256="")

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`vision.detectors._base.Detector`."""
        if not frames:
            return []
        p = self._params
        wish: dict[str, Any] = {"conf": p.confidence, "iou": p.iou, "imgsz": p.size, "verbose": False}
        if p.device:
            wish["device"] = p.device
        return [self._columns(result.boxes) for result in self._model.predict(list(frames), **wish)]

    def _columns(self, found: Any) -> Detections:
        score = found.conf.cpu().numpy().astype(np.float32)
        rows = np.argsort(-score, kind="stable")
        return Detections(
            found.xyxy.cpu().numpy().astype(np.float32)[rows],
            found.cls.cpu().numpy().astype(np.int32)[rows],
            score[rows],
            self.class_name,
            (self.model,),
        )
