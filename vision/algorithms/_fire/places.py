"""Candidates that return at one place: how often, how surely, how lively.

A camera that pans takes its places along: by how much the picture moved since the look before (phase correlation of the
thumbnails), the places move, and a place is compared with where it was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging import boxes

SURE_OF_MOTION = 0.2  # of the phase correlation's peak
MEAN_OF_NOISE = 1.18  # times its median
LEAST_MOTION = 1.5  # pixels of the thumbnail; less is a tremble
STILL: NDArray[np.float32] = np.zeros(2, np.float32)


@dataclass(frozen=True)
class Hit:
    """One sight of a candidate; ``flicker`` in grey levels, ``area`` as share of the picture, ``rest`` the grey levels
    by which the picture changes where nothing happens: noise, rain, exposure."""

    at: float
    confidence: float
    flicker: float
    area: float
    rest: float = 0.0


@dataclass(eq=False)
class WatchedPlace:
    """A candidate: where it was last, and its hits of the last ``window_s`` seconds."""

    name: str
    xyxy: NDArray[np.float32]
    hits: deque[Hit] = field(default_factory=deque)

    @property
    def flicker(self) -> float:
        """Median change of the pixels in it from look to look."""
        return float(np.median([hit.flicker for hit in self.hits]))

    @property
    def own_flicker(self) -> float:
        """Median change of the pixels in it beyond what the whole picture changes."""
        return float(np.median([hit.flicker - hit.rest for hit in self.hits]))

    @property
    def confidence(self) -> float:
        """Mean confidence of its hits."""
        return float(np.mean([hit.confidence for hit in self.hits]))

    @property
    def growth(self) -> float:
        """Last area over first area."""
        return self.hits[-1].area / max(self.hits[0].area, 1e-6)


class WatchedPlaces:
    """The candidates of one camera over the last ``window_s`` seconds.  ``looks`` is how often it was looked."""

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self.places: list[WatchedPlace] = []
        self._looks: deque[float] = deque()
        self._grey: NDArray[np.uint8] | None = None  # of the look before, while there is anything to watch
        self._thumb: NDArray[np.uint8] | None = None

    @property
    def looks(self) -> int:
        return len(self._looks)

    def add(self, found: Detections, frame: Frame, now: float) -> None:
        """One look: what was found in the picture of that moment, in its pixels."""
        thumb, self._thumb = self._thumb, frame.thumb
        self._looks.append(now)
        while self._looks[0] < now - self.window_s:
            self._looks.popleft()
        if not len(found) and not self.places:
            self._grey = None
            return
        grey = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
        before, self._grey = self._grey, grey
        scale = frame.thumb.shape[1] / grey.shape[1]
        shift = moved(thumb, frame.thumb) / np.float32(scale)
        for place in self.places:
            place.xyxy = place.xyxy + np.tile(shift, 2)
        for row in range(len(found)):
            xyxy = found.xyxy[row]
            place = self._place(found.name(row), xyxy)
            if place.hits and place.hits[-1].at == now:
                continue  # a second box at the same place on the same picture is no second hit
            place.xyxy = xyxy
            area = float(boxes.area(xyxy[None])[0]) / grey.size
            if before is not None and before.shape == grey.shape:
                flicker, rest = change(before, grey, xyxy, shift), restless(before, grey, shift)
            elif thumb is not None and thumb.shape == frame.thumb.shape:  # the look before was not kept in full
                small = shift * np.float32(scale)
                flicker = change(thumb, frame.thumb, xyxy * np.float32(scale), small)
                rest = restless(thumb, frame.thumb, small)
            else:
                flicker = rest = 0.0
            place.hits.append(Hit(now, float(found.confidence[row]), flicker, area, rest))
        for place in self.places:
            while place.hits and place.hits[0].at < now - self.window_s:
                place.hits.popleft()
        self.places = [p for p in self.places if p.hits]

    def lasting(self, min_hits: int, share: float) -> list[WatchedPlace]:
        """Places hit at least ``min_hits`` times and on ``share`` of the looks."""
        least = max(min_hits, share * self.looks)
        return [p for p in self.places if len(p.hits) >= least]

    def _place(self, name: str, xyxy: NDArray[np.float32]) -> WatchedPlace:
        for place in self.places:
            if place.name == name and near(place.xyxy, xyxy):
                return place
        self.places.append(WatchedPlace(name, xyxy))
        return self.places[-1]


def near(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    """Whether two boxes are the same place: they overlap, or their centres are closer than half their size."""
    if boxes.iou(a[None], b[None])[0, 0] > 0.1:
        return True
    size = max(float((a[2:] - a[:2]).max()), float((b[2:] - b[:2]).max()))
    return bool(np.abs((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2).max() < size / 2)


def moved(before: NDArray[np.uint8] | None, now: NDArray[np.uint8]) -> NDArray[np.float32]:
    """By how many pixels (x, y) the whole picture moved; nought where that cannot be told."""
    still = np.zeros(2, np.float32)
    if before is None or before.shape != now.shape or min(now.shape) < 32:
        return still
    window = cv2.createHanningWindow((now.shape[1], now.shape[0]), cv2.CV_32F)
    (dx, dy), sure = cv2.phaseCorrelate(before.astype(np.float32), now.astype(np.float32), window)
    far = max(abs(dx), abs(dy))
    if sure < SURE_OF_MOTION or far < LEAST_MOTION or far > 0.4 * min(now.shape):
        return still
    return np.asarray([dx, dy], np.float32)


def restless(before: NDArray[np.uint8], now: NDArray[np.uint8], shift: NDArray[np.float32]) -> float:
    """Grey levels by which most of the picture changed since the look before, when it lay ``shift`` pixels back."""
    dx, dy = round(float(shift[0])), round(float(shift[1]))
    height, width = now.shape[:2]
    x1, y1, x2, y2 = max(dx, 0), max(dy, 0), min(width, width + dx), min(height, height + dy)
    old, new = before[y1 - dy : y2 - dy : 4, x1 - dx : x2 - dx : 4], now[y1:y2:4, x1:x2:4]
    return MEAN_OF_NOISE * float(np.median(cv2.absdiff(old, new))) if old.size and old.shape == new.shape else 0.0


def change(
    before: NDArray[np.uint8], now: NDArray[np.uint8], xyxy: NDArray[np.float32], shift: NDArray[np.float32] = STILL
) -> float:
    """Mean absolute change of grey levels inside the box since the look before, when it lay ``shift`` pixels back."""
    height, width = now.shape[:2]
    dx, dy = round(float(shift[0])), round(float(shift[1]))
    x1, y1 = int(max(xyxy[0], dx, 0)), int(max(xyxy[1], dy, 0))
    x2, y2 = int(min(xyxy[2], width, width + dx)), int(min(xyxy[3], height, height + dy))
    if x2 - x1 < 2 or y2 - y1 < 2:
        return 0.0
    return float(cv2.absdiff(before[y1 - dy : y2 - dy, x1 - dx : x2 - dx], now[y1:y2, x1:x2]).mean())
