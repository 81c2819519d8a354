"""A second, magnified look at places that keep moving: small flames and thin plumes in a wide view.

On a whole picture shrunk to the model's input a flame at 40 m is a few pixels.  Where the picture stays lively
(:mod:`vision.judging.flicker`) a square around the place is cut out at full resolution and given to the same
detector, at most twice a second and two places at a time, so that a quiet camera costs nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.capture.frames import Frame
from vision.detections import Detections, Image, empty, merge
from vision.judging.findings import Need
from vision.judging.flicker import LivelyRegions, crop_around


class Looks(Protocol):
    """What is needed of :class:`vision.judging.detector_pool.DetectorPool`."""

    def detect(self, need: Need, images: Sequence[Image]) -> list[Detections]: ...


class SecondLook:
    """One camera's second looks with the detector of ``need``."""

    def __init__(self, pool: Looks, need: Need, every_s: float = 0.5, places: int = 2) -> None:
        self._pool = pool
        self._need = need
        self._every_s = every_s
        self._places = places
        self._lively = LivelyRegions()
        self._at = float("-inf")
        self.looks = 0

    def look(self, frame: Frame, now: float) -> Detections | None:
        """What the magnified cut-outs show, in pixels of the whole picture; None when it is not time to look."""
        self._lively.feed(frame.thumb)
        if now - self._at + 1e-6 < self._every_s:
            return None
        self._at = now
        regions = self._lively.regions(self._places)
        if not regions:
            return empty()
        self.looks += len(regions)
        places = [crop_around(r, frame.width, frame.height) for r in regions]
        crops = [np.ascontiguousarray(frame.image[y1:y2, x1:x2]) for x1, y1, x2, y2 in places]
        seen = self._pool.detect(self._need, crops)
        return merge([_shifted(s, p[0], p[1]) for s, p in zip(seen, places, strict=True)])


ZOOMS = (2.0, 3.5)  # how much of its surroundings is cut out with a place
LEAST_CUT = 0.15  # of the picture's width: what is cut out around a small place


def surest(pool: Looks, need: Need, frame: Frame, xyxy: NDArray[np.float32], name: str) -> float:
    """How sure the detector is of ``name`` on magnified cut-outs of a place (pixels of the picture); 0: not."""
    x1, y1, x2, y2 = (float(v) for v in xyxy)
    share = (x1 / frame.width, y1 / frame.height, x2 / frame.width, y2 / frame.height)
    least = int(frame.width * LEAST_CUT)
    places = [crop_around(share, frame.width, frame.height, zoom=zoom, least=least) for zoom in ZOOMS]
    cuts = [np.ascontiguousarray(frame.image[top:bottom, left:right]) for left, top, right, bottom in places]
    return max((float(c) for seen in pool.detect(need, cuts) for c in seen.of(name).confidence), default=0.0)


def _shifted(seen: Detections, left: int, top: int) -> Detections:
    moved = seen.xyxy + np.asarray([left, top, left, top], np.float32)
    return Detections(moved, seen.class_id, seen.confidence, seen.class_name, seen.models)
