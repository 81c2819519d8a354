"""Any ultralytics ONNX or OpenVINO export on OpenVINO, where that library is installed (``pip install openvino``).

Faster than onnxruntime on some Intel processors; the answers differ in the last digits.  One thread, one stream.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import openvino
import yaml
from numpy.typing import NDArray

from core.plugins import About, Words
from vision import weights
from vision.detectors._base import YoloHead
from vision.errors import ModelInvalid

ABOUT = About(
    zh="OpenVINO 推理",
    en="OpenVINO run-time",
    params={
        "file": Words("模型文件", "Model file"),
        "confidence": Words("置信度", "Confidence"),
        "iou": Words("重叠阈值", "Overlap"),
        "size": Words("输入边长（像素）", "Input edge (px)"),
        "max_batch": Words("一批最多几张", "Pictures a batch"),
        "device": Words("运算设备", "Device"),
        "precision": Words("数值精度", "Precision"),
    },
)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``file`` an ``.onnx`` or ``.xml``; ``device`` as OpenVINO names it; ``precision`` hint ``f32`` keeps answers
    alike on processors with AMX."""

    file: str
    confidence: float = 0.1
    iou: float = 0.5
    size: int = 640
    max_batch: int = 16
    device: str = "CPU"
    precision: str = "f32"


def build(params: Params) -> YoloHead:
    """The detector; :class:`ModelMissing` or :class:`ModelInvalid` when the file is not usable."""
    path = weights.find(params.file)
    try:
        core = openvino.Core()
        core.set_property({"ENABLE_MMAP": False})  # a file that is replaced in place must not pull the rug away
        known = {d.split(".")[0] for d in core.available_devices} | {"AUTO", "HETERO", "MULTI"}
        if params.device.split(".")[0].split(":")[0] not in known:
            found = ", ".join(core.available_devices)
            raise ModelInvalid(path=str(path), detail=f"OpenVINO finds no device {params.device!r} here, only {found}")
        options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": params.precision}
        if params.device == "CPU":
            options |= {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
        model = core.compile_model(core.read_model(path), params.device, options)
    except ModelInvalid:
        raise
    except Exception as error:  # noqa: BLE001 — OpenVINO raises plain RuntimeError and its own kinds
        raise ModelInvalid(path=str(path), detail=" ".join(str(error).split())[:200]) from error
    names, size = _metadata(path)
    shape = model.input(0).partial_shape
    batch = 1 if shape[0].is_static and shape[0].get_length() == 1 else params.max_batch
    if shape[2].is_static and shape[3].is_static:
        size = (shape[2].get_length(), shape[3].get_length())
    output = model.output(0)

    def run(blob: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(model(blob)[output], np.float32)

    return YoloHead(
        run,
        names,
        weights.reference(path),
        size or (params.size, params.size),
        batch=batch,
        confidence=params.confidence,
        iou=params.iou,
        stride=0 if shape[2].is_static or shape[3].is_static else 32,
    ).checked(path)


def _metadata(path: Path) -> tuple[tuple[str, ...], tuple[int, int] | None]:
    """Class names and picture size: from the ONNX file itself, or from the ``metadata.yaml`` beside an ``.xml``."""
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        known: dict[str, Any] = dict(session.get_modelmeta().custom_metadata_map)
    else:
        beside = path.parent / "metadata.yaml"
        known = yaml.safe_load(beside.read_text()) if beside.exists() else {}
    try:
        names = known["names"] if isinstance(known["names"], dict) else ast.literal_eval(str(known["names"]))
        size = known.get("imgsz")
        size = ast.literal_eval(size) if isinstance(size, str) else size
        return tuple(str(names[i]) for i in range(len(names))), (int(size[0]), int(size[1])) if size else None
    except (KeyError, ValueError, SyntaxError, TypeError) as error:
        raise ModelInvalid(path=str(path), detail="no class names in its metadata") from error
