"""Lamps mirrored on wet ground: light that flickers like a flame because ripples tear it, and burns nowhere.

A reflection betrays itself by where it stands: below its lamp, in the same column, dimmer than the lamp, no broader
than such an image is, while the lamp itself shines steadily (or, a beacon, beats in step with it).  A fire below a
street lamp is as bright as the lamp or broader; where it is neither, it is one as soon as the detector is sure of it
or it grows (:mod:`vision.algorithms.flame_smoke`).

Ripples tear light sideways: what changes on water is alike some pixels across and unlike as many pixels below (the
glitter under a low sun, a lamp's broken image).  Tongues of flame stand: of 280 pairs of pictures of real fires one in
a hundred is nearly as unlike downwards (0.2 and less), of the drawn glitter all are (below 0.1).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TALL, SQUARE = 1.15, 0.6  # times as high as wide: a streak, a patch; what is flatter is no image of a lamp
DIMMER, PATCH_DIMMER = 0.94, 0.9  # of the lamp's light at most, for either
LAMP = 150.0  # grey levels of the strongest channel that a lamp has at least
STEADY = 0.1  # of its light by which a lamp changes from look to look
IN_STEP = 0.6  # correlation of a beacon with its mirror image
CORE = 0.85  # of its brightest light: what counts as the lamp itself, without its halo
WIDEST, PATCH_WIDEST, SMALLEST = 3.0, 1.2, 12.0  # times the image's width, and pixels, that a lamp may measure across
ASIDE, LEAST_ASIDE = 0.4, 4.0  # of the reflection's width, and pixels, that a lamp may stand beside its middle

APART = 3  # pixels, at 320 across the picture
UNLIKE, MORE_ACROSS = 0.15, 0.25  # correlation downwards at most, and by how much it is higher across
LEAST_SIDE = 9  # pixels of a place whose texture can be judged

Floats = NDArray[np.float32]


def mirrors_a_lamp(looks: NDArray[np.uint8], xyxy: Floats) -> bool:
    """Whether what flickers at ``xyxy`` (pixels of ``looks``: n, h, w, BGR) is the mirror image of a lamp above it."""
    height, width = looks.shape[1:3]
    x1, y1 = max(0, int(xyxy[0])), max(0, int(xyxy[1]))
    x2, y2 = min(width, round(float(xyxy[2]))), min(height, round(float(xyxy[3])))
    if len(looks) < 3 or x2 - x1 < 2 or y2 - y1 < SQUARE * (x2 - x1) or y1 < 4:
        return False
    streak = y2 - y1 >= TALL * (x2 - x1)
    dimmer, widest = (DIMMER, WIDEST) if streak else (PATCH_DIMMER, PATCH_WIDEST)
    light = looks.max(axis=3)  # a red lamp is as bright as a white one
    usual = np.asarray(light.mean(0), np.float32)
    wide, middle = x2 - x1, (x1 + x2) / 2
    own = float(np.quantile(usual[y1:y2, x1:x2], 0.95))
    aside = max(ASIDE * wide, LEAST_ASIDE)
    left, right = max(0, int(middle - aside)), min(width, int(middle + aside) + 1)
    above = usual[:y1, left:right]
    if above.max() < max(LAMP, own / dimmer):
        return False
    bright = np.asarray(usual[:y1] >= max(own / dimmer, CORE * float(above.max())), np.uint8)
    row, column = (int(v) for v in np.unravel_index(int(above.argmax()), above.shape))
    _, labels, stats, middles = cv2.connectedComponentsWithStats(bright, connectivity=8)
    label = int(labels[row, left + column])
    if label == 0 or stats[label, 2] > max(widest * wide, SMALLEST) or abs(float(middles[label, 0]) - middle) > aside:
        return False
    lamp = light[:, :y1][:, labels == label].astype(np.float32).mean(1)
    mirror = light[:, y1:y2, x1:x2].astype(np.float32).mean((1, 2))
    return _steady(lamp) or _in_step(lamp, mirror)


def torn_by_ripples(looks: NDArray[np.uint8], xyxy: Floats) -> bool:
    """Whether what changes at ``xyxy`` (pixels of ``looks``) is torn sideways, as light on water is."""
    height, width = looks.shape[1:3]
    x1, y1 = max(0, int(xyxy[0])), max(0, int(xyxy[1]))
    x2, y2 = min(width, int(xyxy[2]) + 1), min(height, int(xyxy[3]) + 1)
    if len(looks) < 3 or min(x2 - x1, y2 - y1) < LEAST_SIDE:
        return False
    changes = np.diff(looks[:, y1:y2, x1:x2, 1].astype(np.float32), axis=0)
    changes -= changes.mean((1, 2), keepdims=True)
    down = _alike(changes[:, :-APART], changes[:, APART:])
    across = _alike(changes[:, :, :-APART], changes[:, :, APART:])
    return down <= UNLIKE and across - down >= MORE_ACROSS


def _alike(a: Floats, b: Floats) -> float:
    """Correlation of what changes with what changes some pixels away, over all looks."""
    return float((a * b).sum()) / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6)


def _steady(lamp: Floats) -> bool:
    return float(np.abs(np.diff(lamp)).mean()) <= STEADY * float(lamp.mean())


def _in_step(lamp: Floats, mirror: Floats) -> bool:
    a, b = lamp - lamp.mean(), mirror - mirror.mean()
    return float((a * b).sum()) >= IN_STEP * max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6)
