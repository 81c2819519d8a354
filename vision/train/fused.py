"""Training on from a shipped ONNX file.

An export has its batch normalisation folded into the convolutions.  To train on, it is taken out again: the weights go
back as they are, and each normalisation is set to what some pictures show at its place, so that the network answers
exactly as before, in training as in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from core.errors import InputInvalid

EPS = 1e-4  # of a variance: a channel that never changes


def read_onnx(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of an export by their names in the graph they came from (``model.0.conv.weight`` …).

    Raises:
        InputInvalid: it is no ONNX file, or not the export of a network of ours.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # noqa: BLE001 - protobuf raises errors of its own
        raise InputInvalid(field=str(path), detail=str(error)[:200], how="give an .onnx of `app train`") from error
    found = {t.name: torch.from_numpy(np.array(numpy_helper.to_array(t), np.float32)) for t in graph.initializer
             if t.name.startswith("model.")}  # fmt: skip
    if not any(name.endswith(".conv.weight") for name in found):
        how = "start from the first look's file, or from a checkpoint"
        raise InputInvalid(field=str(path), detail="its weights bear other names (quantised?)", how=how)
    return found


def unfold(model: Any, state: dict[str, torch.Tensor], pictures: torch.Tensor) -> int:
    """Give ``model`` (with batch normalisation) the folded weights ``state``; how many tensors it took.

    ``pictures`` (n, 3, h, w) in 0…1 show what each normalisation sees.
    """
    own = model.state_dict()
    taken = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict({**own, **taken})
    hooks = []
    for name, module in model.named_modules():
        folded = state.get(f"{name}.conv.bias")
        if folded is not None and hasattr(module, "bn"):
            hooks.append(module.conv.register_forward_hook(_setter(module.bn, folded)))
    training, count = model.training, len(taken) + len(hooks)
    model.eval()
    with torch.no_grad():
        model(pictures)
    for hook in hooks:
        hook.remove()
    model.train(training)
    return count


def _setter(norm: Any, folded: torch.Tensor) -> Any:
    """A hook that makes ``norm`` add ``folded`` to what it is given, and nothing else."""

    def set_to(_module: Any, _given: Any, out: torch.Tensor) -> None:
        mean, var = out.float().mean((0, 2, 3)), out.float().var((0, 2, 3)).clamp_min(EPS)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)
        norm.weight.data.copy_((var + norm.eps).sqrt())
        norm.bias.data.copy_(folded + mean)

    return set_to
