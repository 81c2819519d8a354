"""Places that keep moving without going away: flames, smoke, fluttering things.

A person or a vehicle changes a pixel while passing it; a flame or a plume changes it again and again.  A pixel is
lively when it changed between most of the last pictures.  Lively regions are worth a closer look: a small flame or a
thin plume that a detector misses on the whole picture is seen on a magnified crop.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

Region = tuple[float, float, float, float]  # x1 y1 x2 y2 as shares of the picture


class LivelyRegions:
    """Feed it the 320-pixel thumbnails of one camera in order; ``regions`` are where it is lively now.

    ``window`` pictures are remembered (at 4 a second, 12 are 3 seconds); a pixel must have changed by more than
    ``level`` grey levels in ``share`` of the steps between them.  Nothing is reported while more than ``most`` of the
    picture is lively (a moving camera, heavy rain) or before the memory is half full.
    """

    def __init__(self, window: int = 12, share: float = 0.5, level: float = 4.0, most: float = 0.35) -> None:
        self.share = share
        self.level = level
        self.most = most
        self._changes: deque[NDArray[np.bool_]] = deque(maxlen=window)
        self._count: NDArray[np.int16] | None = None
        self._before: NDArray[np.uint8] | None = None

    def feed(self, thumb: NDArray[np.uint8]) -> None:
        """The next picture; another size starts afresh."""
        before, self._before = self._before, thumb
        if before is None or before.shape != thumb.shape:
            self._changes.clear()
            self._count = np.zeros(thumb.shape, np.int16)
            return
        assert self._count is not None
        difference = cv2.absdiff(before, thumb)
        noise = float(np.median(difference))
        changed = np.asarray(difference > max(self.level, 4.0 * noise), np.bool_)
        if len(self._changes) == self._changes.maxlen:
            self._count -= self._changes[0]
        self._changes.append(changed)
        self._count += changed

    def regions(self, limit: int = 2, least: int = 6) -> list[Region]:
        """At most ``limit`` regions of at least ``least`` lively pixels, the liveliest first."""
        steps = len(self._changes)
        if self._count is None or steps < (self._changes.maxlen or 1) // 2:
            return []
        lively = self._count >= max(2.0, self.share * steps)
        if not lively.any() or lively.mean() > self.most:
            return []
        joined = cv2.dilate(lively.astype(np.uint8), np.ones((9, 9), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        weight = np.bincount(labels[lively], minlength=count)
        height, width = lively.shape
        found = []
        for label in sorted(range(1, count), key=lambda n: -int(weight[n]))[:limit]:
            if weight[label] >= least:
                x, y, w, h = (int(v) for v in stats[label, :4])
                found.append((x / width, y / height, (x + w) / width, (y + h) / height))
        return found


def crop_around(
    region: Region, width: int, height: int, *, zoom: float = 1.6, least: int = 64
) -> tuple[int, int, int, int]:
    """A square around ``region`` × ``zoom``, at least ``least`` pixels, inside the picture: x1 y1 x2 y2."""
    x1, y1, x2, y2 = region[0] * width, region[1] * height, region[2] * width, region[3] * height
    side = int(min(max(zoom * max(x2 - x1, y2 - y1), least), width, height))
    left = int(min(max((x1 + x2 - side) / 2, 0), width - side))
    top = int(min(max((y1 + y2 - side) / 2, 0), height - side))
    return left, top, left + side, top + side
