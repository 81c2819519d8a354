"""Averaging the weights of runs that went on from one another: often better than each of them, at no cost in use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import InputInvalid


def average(checkpoints: Sequence[Path], target: Path) -> Path:
    """Write ``target``: the first of our own ``checkpoints`` with the mean of all their weights.

    Raises:
        InputInvalid: their weights do not have the same shapes.
    """
    import torch

    found = [_state(path) for path in checkpoints]
    first, model = found[0]
    states = [m.state_dict() for _, m in found]
    own = states[0]
    for path, state in zip(checkpoints, states, strict=True):
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in own.items()}:
            raise InputInvalid(field=str(path), detail="other shapes than the first", how="average runs of one model")
    mean = {
        key: torch.stack([s[key] for s in states]).mean(0) if value.is_floating_point() else value
        for key, value in own.items()
    }
    model.load_state_dict(mean)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**first, "model": model.half(), "ema": None}, target)
    return target


def _state(path: Path) -> tuple[dict[str, Any], Any]:
    import torch

    # our own checkpoints of earlier runs of this very command
    found = torch.load(path, map_location="cpu", weights_only=False)
    return found, (found.get("ema") or found["model"]).float()
