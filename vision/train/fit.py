"""Training with ultralytics on a plain processor or a GPU: bfloat16, channels last, time-boxed, resumable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputInvalid
from vision.detectors._base import letterbox
from vision.detectors.offline_torch import prepare_ultralytics
from vision.evaluate.dataset import read_set
from vision.train.fused import read_onnx, unfold
from vision.train.history import remember
from vision.train.weights import read_yolov5, transfer

GRAPH = "yolov5n.yaml"


@dataclass(frozen=True)
class FitPlan:
    """One call of training.  ``start`` is a YOLOv5 checkpoint, our own ``best.pt`` or an export (``.onnx``); ``hours``
    boxes the time; ``device`` as torch names it: cpu, cuda:0."""

    data_yaml: Path
    project: Path
    name: str
    start: Path
    seed: int
    size: int
    epochs: int
    hours: float | None
    batch: int = 16
    threads: int = 1
    freeze: int = 0
    rate: float = 0.001
    mosaic: float = 0.5
    resume: bool = False
    device: str = "cpu"


def fit(plan: FitPlan) -> Path:
    """Train and return the best checkpoint (``weights/best.pt``)."""
    import torch

    check_device(plan.device)
    torch.set_num_threads(plan.threads)
    prepare_ultralytics(plan.project / "ultralytics")
    trainer_class = _trainer_class(plan)
    overrides = _overrides(plan)
    if "resume" not in overrides:
        told = {"epochs": plan.epochs, "hours": plan.hours, "size": plan.size, "batch": plan.batch, "seed": plan.seed}
        remember(plan.project / plan.name, plan.start, {**told, "freeze": plan.freeze, "rate": plan.rate})
    trainer = trainer_class(overrides=overrides)
    trainer.args.workers = 1  # ultralytics sets 0 on processors; one reader beside the one computing thread pays
    torch.set_num_threads(plan.threads)
    trainer.train()
    return Path(trainer.best if Path(trainer.best).exists() else trainer.last)


def check_device(device: str) -> None:
    """:class:`InputInvalid` where torch has no such device here."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        detail = str(error).splitlines()[0][:200]
        raise InputInvalid(field="--device", detail=detail, how="give cpu, or install torch with CUDA") from error


def _overrides(plan: FitPlan) -> dict[str, Any]:
    last = plan.project / plan.name / "weights" / "last.pt"
    if plan.resume and last.exists():
        return {"resume": str(last), "model": str(last)}
    return {
        "model": GRAPH, "data": str(plan.data_yaml), "project": str(plan.project), "name": plan.name, "exist_ok": True,
        "seed": plan.seed, "deterministic": False, "imgsz": plan.size, "epochs": plan.epochs, "time": plan.hours,
        "batch": plan.batch, "workers": 1, "cache": "ram", "device": plan.device.removeprefix("cuda:"), "amp": False,
        "pretrained": False,
        "optimizer": "AdamW", "lr0": plan.rate, "lrf": 0.05, "cos_lr": True, "warmup_epochs": 0.3,
        "weight_decay": 0.001, "nbs": 2 * plan.batch,
        "freeze": plan.freeze or None, "mosaic": plan.mosaic, "close_mosaic": 3, "scale": 0.5, "translate": 0.15,
        "degrees": 4.0, "fliplr": 0.5, "hsv_h": 0.012, "hsv_s": 0.5, "hsv_v": 0.4, "plots": False, "save_period": -1,
        "patience": 0, "verbose": True,
    }  # fmt: skip


def _trainer_class(plan: FitPlan) -> Any:
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.nn.tasks import DetectionModel

    from vision.train.model import HalfModel

    class Trainer(DetectionTrainer):  # type: ignore[misc]
        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            model = HalfModel(GRAPH, nc=self.data["nc"], ch=self.data["channels"], verbose=verbose)
            if weights is not None:  # resuming
                model.load(weights)
            elif plan.start.suffix == ".onnx":
                copied = unfold(model, read_onnx(plan.start), _some_pictures(plan))
                print(f"took over {copied} tensors from {plan.start.name}", flush=True)
            else:
                copied = transfer(model, _start_state(plan.start))
                print(f"took over {copied} of {len(model.state_dict())} tensors from {plan.start.name}", flush=True)
            return model.to(memory_format=torch.channels_last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            torch.set_num_threads(plan.threads)  # ultralytics raises it again on its own
            batch = super().preprocess_batch(batch)
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            return batch

    def _start_state(path: Path) -> dict[str, Any]:
        if path.name.startswith("yolov5"):
            return read_yolov5(path)
        # our own checkpoint of an earlier run of this very command
        found = torch.load(path, map_location="cpu", weights_only=False)
        model = found.get("ema") or found["model"]
        assert isinstance(model, DetectionModel)
        return {k: v.float() if v.is_floating_point() else v for k, v in model.state_dict().items()}

    return Trainer


def _some_pictures(plan: FitPlan, number: int = 16) -> Any:
    """Pictures of the training set, (n, 3, size, size) in 0…1."""
    import cv2
    import numpy as np
    import torch

    images = read_set(plan.data_yaml, "train").images
    chosen = images[:: max(1, len(images) // number)][:number]
    read = [cv2.imread(str(i.path), cv2.IMREAD_COLOR) for i in chosen]
    boxed = [letterbox(np.asarray(p, np.uint8), (plan.size, plan.size))[0] for p in read if p is not None]
    return torch.from_numpy(np.stack(boxed)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255)
