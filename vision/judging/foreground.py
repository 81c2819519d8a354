"""Things that were not there before and stay: found without knowing what they are.

The background is the median of the first ``learn_s`` seconds (the place is taken to be clear then; who passes leaves
no ghost) and follows slow changes of light, but never what stays.  A shadow, a headlight or a change of light keeps
the background's texture; an object brings its own.  Passing traffic, rain and headlights do not stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
MOST_LEARNT = 60  # pictures held while learning
GLARE = 248.0  # grey level
FINE = 1.0  # grey levels of fine texture that stand out from the mean of noise
ALIKE = 0.5  # correlation of fine texture from which it is the same
LEAST_LEVEL, OF_LIGHT, OF_NOISE = 7.0, 0.28, 4.5  # grey levels; shares of what is there; times the sensor's noise


@dataclass(frozen=True)
class Stay:
    """Something that stays: its box in shares of the picture, its share of the zone, and for how long."""

    box: tuple[float, float, float, float]
    share: float
    seconds: float


class StaticForeground:
    """One zone's background and what stays in front of it; works on the 320-pixel grey picture.

    ``level`` is by how many grey levels an object differs by day.  In the dark an object differs by less: a share of
    the light there is, but no less than the sensor's noise allows.
    """

    def __init__(self, zone_mask: Grey, learn_s: float = 5.0, level: int = 28) -> None:
        self._zone = zone_mask > 0
        self._learn_s = learn_s
        self._level = level
        self._background: NDArray[np.float32] | None = None
        self._since: NDArray[np.float32] | None = None  # seconds a pixel has differed and kept its value
        self._before: Grey | None = None
        self._learnt = 0.0
        self._noise = 0.0
        self._learning: list[Grey] = []
        self._at: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width of the pictures that it takes."""
        return self._zone.shape

    def update(self, thumb: Grey, now: float) -> None:
        """Take the next picture."""
        if self._background is None or self._background.shape != thumb.shape:
            self._background = thumb.astype(np.float32)
            self._since = np.zeros(thumb.shape, np.float32)
            self._before, self._at, self._learnt, self._learning = thumb, now, 0.0, [thumb]
            return
        assert self._since is not None and self._before is not None and self._at is not None
        gap = min(max(now - self._at, 0.0), 10.0)
        self._at = now
        self._learnt += gap
        if self._learning:
            self._learn(thumb)
            return
        weight = min(1.0, gap / 300.0)
        corrected = self._background * self._gain(thumb)
        differs = np.abs(thumb.astype(np.float32) - corrected) > self._levels(thumb, corrected)
        kept = cv2.absdiff(thumb, self._before) < 14
        self._since = np.where(differs & kept, self._since + gap, 0.0).astype(np.float32)
        rate = np.where(differs, 0.0, weight).astype(np.float32)
        self._background = (1 - rate) * self._background + rate * thumb
        self._before = thumb

    def _learn(self, thumb: Grey) -> None:
        self._learning = [*self._learning[-(MOST_LEARNT - 1) :], thumb]
        self._before = thumb
        self._background = np.median(np.stack(self._learning), axis=0).astype(np.float32)
        if self._learnt >= self._learn_s:
            self._learning = []

    def stays(self, after_s: float, least: float, ignore: Grey | None = None) -> list[Stay]:
        """What has stayed for ``after_s`` and covers at least ``least`` of the zone; ``ignore`` masks people."""
        if self._since is None or self._background is None or self._before is None:
            return []
        stayed = (self._since >= after_s) & self._zone
        if ignore is not None:
            stayed &= ignore == 0
        mask = cv2.morphologyEx(stayed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        total, found = max(int(self._zone.sum()), 1), []
        height, width = mask.shape
        for label in range(1, count):
            x, y, w, h, size = (int(v) for v in stats[label])
            if size / total < least or self._is_light(labels == label):
                continue
            box = (x / width, y / height, (x + w) / width, (y + h) / height)
            found.append(Stay(box, size / total, float(np.median(self._since[labels == label]))))
        return found

    def _levels(self, thumb: Grey, corrected: NDArray[np.float32]) -> NDArray[np.float32]:
        """By how much each pixel must differ."""
        assert self._before is not None
        fresh = cv2.absdiff(thumb[::2, ::2], self._before[::2, ::2])
        self._noise = 0.8 * self._noise + 0.2 * float(fresh.mean())  # of two pictures: 1.13 σ where nothing moves
        least = max(LEAST_LEVEL, OF_NOISE * self._noise)
        return np.asarray(np.clip(OF_LIGHT * corrected, least, self._level), np.float32)

    def _gain(self, thumb: Grey) -> float:
        """How much brighter the whole picture is than the background."""
        assert self._background is not None
        ratio = (thumb[::4, ::4].astype(np.float32) + 4) / (self._background[::4, ::4] + 4)
        return float(np.clip(np.median(ratio), 0.5, 2.0))

    def _is_light(self, region: NDArray[np.bool_]) -> bool:
        """Whether the region is the background itself, only darker or brighter (shadow, headlight on the road).

        An even change scales it; an uneven one (the cone of a headlight) leaves its fine texture, which an object
        hides; glare shows nothing at all.
        """
        assert self._background is not None and self._before is not None
        inner = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        inner = inner if inner.sum() > 20 else region
        ratio = (self._before[inner].astype(np.float32) + 4) / (self._background[inner] + 4)
        if float(np.median(self._before[inner])) >= GLARE:
            return True
        was, now = _fine(self._background)[inner], _fine(self._before.astype(np.float32))[inner]
        alike = float((was * now).sum() / max(float(np.sqrt((was * was).sum() * (now * now).sum())), 1e-6))
        if float(was.std()) > FINE and alike > ALIKE:
            return True
        texture = float(self._background[inner].std())
        spread = float(ratio.std() / max(float(ratio.mean()), 1e-3))
        return texture > 6.0 and spread < 0.10


def _fine(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is finer than seven pixels."""
    return np.asarray(picture - cv2.blur(picture, (7, 7)), np.float32)
