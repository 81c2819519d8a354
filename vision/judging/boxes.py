"""Geometry of boxes in columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every box of ``a`` (n, 4) with every box of ``b`` (m, 4): (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clip(0).prod(axis=2)
    total = area(a)[:, None] + area(b)[None, :] - inter
    out: NDArray[np.float32] = (inter / np.maximum(total, 1e-9)).astype(np.float32)
    return out


def inside(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of every box of ``a`` that lies in every box of ``b``: (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    out: NDArray[np.float32] = ((high - low).clip(0).prod(axis=2) / np.maximum(area(a)[:, None], 1e-9)).astype(
        np.float32
    )
    return out


def area(a: NDArray[np.float32]) -> NDArray[np.float32]:
    """Areas of boxes (n, 4) in square pixels."""
    out: NDArray[np.float32] = (a[:, 2:] - a[:, :2]).clip(0).prod(axis=1)
    return out
