"""The motion gate: is there anything new to detect?"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Image

WIDTH = 320
QUIET = 4


def thumbnail(image: Image) -> NDArray[np.uint8]:
    """The picture in grey, 320 pixels wide, slightly smoothed: all that gate and health need."""
    height = max(1, round(image.shape[0] * WIDTH / image.shape[1]))
    # shrink first (nearest rows and columns cost nothing), then average: 0.3 ms on a 1080p picture
    step = max(1, image.shape[1] // (2 * WIDTH))
    small = cv2.resize(image[::step, ::step], (WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


class MotionGate:
    """Open when enough of the picture differs from the picture of the last detection.

    Comparing with the last *detected* picture lets slow changes (smoke, a person drifting) add up.  The level at
    which a pixel counts as changed follows the picture's noise, so that a night camera does not keep it open.
    After ``refresh_s`` it opens anyway, where nothing moves for long after up to :data:`QUIET` times as much.
    """

    def __init__(self, share: float = 0.0008, refresh_s: float = 10.0) -> None:
        self.share = share
        self.refresh_s = refresh_s
        self._reference: NDArray[np.uint8] | None = None
        self._at = 0.0
        self._pauses = 1  # how many times ``refresh_s`` is waited for now

    def moved(self, thumb: NDArray[np.uint8], now: float) -> tuple[bool, float]:
        """Whether to detect now, and the share of pixels that changed."""
        if self._reference is None or self._reference.shape != thumb.shape:
            self._take(thumb, now)
            return True, 1.0
        difference = cv2.absdiff(self._reference, thumb)
        level = max(12.0, 4.0 * float(np.median(difference[::2, ::2])))
        changed = float(np.count_nonzero(difference > level)) / difference.size
        if changed >= self.share:
            self._pauses = 1
            self._take(thumb, now)
            return True, changed
        if now - self._at >= self.refresh_s * self._pauses:
            self._pauses = min(self._pauses + 1, QUIET)
            self._take(thumb, now)
            return True, changed
        return False, changed

    def _take(self, thumb: NDArray[np.uint8], now: float) -> None:
        self._reference = thumb
        self._at = now
