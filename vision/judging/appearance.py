"""Is it the same thing that stands here?  Compared by the direction of its edges, at one fixed place of the picture.

A detector says "a car" again and again where one car follows another; boxes at the same place prove nothing.  What
stands keeps its edges to the pixel, whatever the light does; another vehicle, even of the same make, does not.
Measured (and the limit chosen) on pairs of vehicles whose boxes overlap by half in pictures of two motorways
(``street/traffic_cam``): 95 % of 468 pairs of different vehicles are alike by less than 0.70, 99 % by less than 0.78;
the same vehicle in other light (gamma 0.5–2.2, gain 0.4–1.2, noise to 10 levels, JPEG 20–60, shaken by a pixel): 99 %
by more than 0.81.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Image

SIDE = 40  # to which a place is scaled
SHAKE = 5  # of these pixels may the camera have shaken
ALIKE = 0.75
LEAST = 2.0  # mean strength of its edges from which a look tells anything: below, noise is compared with noise


@dataclass(frozen=True)
class Appearance:
    """Edges of one place, (SIDE, SIDE, 2): direction, with the root of their strength, so that lamps do not decide."""

    edges: NDArray[np.float32]
    tells: bool


def appearance(image: Image, xyxy: NDArray[np.float32]) -> Appearance | None:
    """How the place ``xyxy`` (pixels) of ``image`` (BGR) looks; None where it lies outside or is a pixel wide."""
    height, width = image.shape[:2]
    x1, y1 = int(max(xyxy[0], 0)), int(max(xyxy[1], 0))
    x2, y2 = int(min(xyxy[2], width)), int(min(xyxy[3], height))
    if x2 - x1 < 4 or y2 - y1 < 4:
        return None
    step = max(1, min(x2 - x1, y2 - y1) // (2 * SIDE))  # a large place is thinned out first
    small = cv2.resize(image[y1:y2:step, x1:x2:step], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1.0)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.sqrt(dx * dx + dy * dy)
    weight = 1.0 / np.sqrt(strength + 4.0)
    return Appearance(np.dstack([dx * weight, dy * weight]), bool(strength.mean() >= LEAST))


def alike(a: Appearance, b: Appearance) -> float | None:
    """How alike (−1…1) two looks at one place are, at the best of small shifts; None: one of them tells nothing."""
    if not (a.tells and b.tells):
        return None
    inner = np.ascontiguousarray(a.edges[SHAKE:-SHAKE, SHAKE:-SHAKE])
    return float(cv2.matchTemplate(b.edges, inner, cv2.TM_CCORR_NORMED).max())
