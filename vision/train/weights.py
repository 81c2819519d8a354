"""Reading the COCO starting weights without running what a pickle asks for.

A ``.pt`` file is a pickle: loading one can run any code.  Only the classes a YOLOv5 checkpoint is made of are
let in, and its own model classes become empty modules from which the tensors are read.
"""

from __future__ import annotations

import pickle
import types
from pathlib import Path
from typing import Any

import torch

from core.errors import InputInvalid

ALLOWED = {
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch", "HalfStorage"),
    ("torch", "FloatStorage"),
    ("torch", "DoubleStorage"),
    ("torch", "LongStorage"),
    ("torch.nn.modules.container", "Sequential"),
    ("torch.nn.modules.container", "ModuleList"),
    ("torch.nn.modules.conv", "Conv2d"),
    ("torch.nn.modules.batchnorm", "BatchNorm2d"),
    ("torch.nn.modules.activation", "SiLU"),
    ("torch.nn.modules.pooling", "MaxPool2d"),
    ("torch.nn.modules.upsampling", "Upsample"),
}
BUILTINS = {"set": set, "dict": dict, "list": list}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("models.") and name.isidentifier():
            return type(name, (torch.nn.Module,), {})
        if module in {"__builtin__", "builtins"} and name in BUILTINS:
            return BUILTINS[name]
        if (module, name) in ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a YOLOv5 checkpoint")


def _load(file: Any, **options: Any) -> Any:
    return _Unpickler(file, **options).load()


def read_yolov5(path: Path) -> dict[str, torch.Tensor]:
    """The state dictionary of a YOLOv5 v6 checkpoint (float32), keys as in ultralytics' ``yolov5n`` graph.

    Raises:
        InputInvalid: unreadable, or the pickle asks for anything that such a checkpoint does not need.
    """
    gate = types.SimpleNamespace(Unpickler=_Unpickler, load=_load, __name__="gate")
    try:
        # pickle_module routes every class look-up through the allow-list above, in both of torch's file formats
        found = torch.load(path, map_location="cpu", weights_only=False, pickle_module=gate)
    except Exception as error:  # noqa: BLE001 - torch and pickle raise anything on a file that is none
        raise InputInvalid(field=str(path), detail=str(error), how="give a YOLOv5 v6 checkpoint (.pt)") from error
    model = found.get("model") if isinstance(found, dict) else None
    if not isinstance(model, torch.nn.Module):
        raise InputInvalid(field=str(path), detail="it holds no model", how="give a YOLOv5 v6 checkpoint (.pt)")
    return {k: v.float() if v.is_floating_point() else v for k, v in model.state_dict().items()}


def transfer(model: torch.nn.Module, state: dict[str, torch.Tensor]) -> int:
    """Copy every tensor of ``state`` whose name and shape fit ``model``; returns how many were copied."""
    own = model.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict({**own, **fitting})
    return len(fitting)
