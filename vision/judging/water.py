"""What of a dry road has vanished: the measure behind waterlogging.

Water hides lane marks, kerbs and joints.  A dry reference picture says where the road has such structure; where the
local correlation with it is gone, something covers it.  Correlation does not mind dimmer light or thin fog, and the
structure outside the road tells whether the camera still sees at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WINDOW = 9  # pixels of the local correlation
STRUCTURE = 60.0  # variance in grey levels² from which a place has structure
GONE = 0.4  # correlation below which it is no longer the same structure
BLOWN, BLACK = 251, 4  # grey levels that show nothing
WHOLE_SHARE = 0.85  # of the picture: such a zone has no surroundings


@dataclass(frozen=True)
class Covered:
    """``inside`` and ``outside``: share (0…1) of the structure of the zone, and of the rest, that is gone."""

    inside: float
    outside: float
    structure: int  # pixels with structure in the zone: with few, nothing can be said

    @property
    def excess(self) -> float:
        """The share of the road gone beyond what is gone around it; below 0 where the surroundings lost more."""
        return max(-1.0, (self.inside - self.outside) / max(1.0 - self.outside, 0.05))


def covered(reference: Grey, now: Grey, zone: Mask, reach: int = 2, hidden: Mask | None = None) -> Covered:
    """Compare two grey pictures of one size; the camera may have shaken by up to ``reach`` pixels."""
    kept, variance = correlation(reference, now, reach)
    return gone_of(kept, variance > STRUCTURE, now, zone, hidden)


def gone_of(kept: NDArray[np.float32], structured: Mask, now: Grey, zone: Mask, hidden: Mask | None = None) -> Covered:
    """Shares of ``structured`` that were not ``kept``.  What is ``hidden``, blown out or black is unknown."""
    known = structured & (now < BLOWN) & (now > BLACK)
    if hidden is not None:
        known &= ~hidden
    gone, inside = kept < GONE, zone
    if zone.mean() > WHOLE_SHARE:  # no zone was drawn: what is in its upper third is far, and counts as surroundings
        inside = zone.copy()
        inside[: zone.shape[0] // 3] = False
    within, around = known & inside, known & ~inside
    return Covered(_share(gone, within), _share(gone, around), int(within.sum()))


def correlation(a: Grey, b: Grey, reach: int = 2) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Local correlation (−1…1) of ``a`` with ``b``, the best over small shifts; and the local variance of ``a``."""
    first = a.astype(np.float32)
    mean_a, mean_aa = _mean(first), _mean(first * first)
    variance_a = np.maximum(mean_aa - mean_a * mean_a, 0)
    best = np.full(a.shape, -1, np.float32)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            second = np.roll(b, (dy, dx), (0, 1)).astype(np.float32)
            mean_b = _mean(second)
            variance_b = np.maximum(_mean(second * second) - mean_b * mean_b, 0)
            both = _mean(first * second) - mean_a * mean_b
            np.maximum(best, both / np.sqrt(np.maximum(variance_a, 1) * np.maximum(variance_b, 1)), out=best)
    return best, variance_a.astype(np.float32)


def mark_visible(reference: Grey, now: Grey, box: tuple[float, float, float, float], reach: int = 4) -> float:
    """How well (−1…1) the patch ``box`` (shares of the picture) of the reference is found again at its place.

    Use pictures at full size: a mark of a gauge is a few pixels high.
    """
    height, width = reference.shape
    x1, x2 = sorted((int(box[0] * width), int(np.ceil(box[2] * width))))
    y1, y2 = sorted((int(box[1] * height), int(np.ceil(box[3] * height))))
    patch = reference[y1:y2, x1:x2]
    around = now[max(0, y1 - reach) : y2 + reach, max(0, x1 - reach) : x2 + reach]
    if (
        patch.size < 16
        or float(patch.std()) < 1
        or around.shape[0] < patch.shape[0]
        or around.shape[1] < patch.shape[1]
    ):
        return -1.0
    return float(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED).max())


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.boxFilter(values, -1, (WINDOW, WINDOW)), np.float32)


def _share(gone: Mask, where: Mask) -> float:
    return float(gone[where].mean()) if where.any() else 0.0
