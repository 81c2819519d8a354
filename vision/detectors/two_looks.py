"""A light first look at every picture, and a heavier second one where it suspects something.

The card beside the first model names the second (``second_look: {"file", "from"}``).  Two networks that were trained
apart, at two scales, are rarely wrong about the same thing: what both see keeps its certainty (the geometric mean of
the two), what one alone sees loses most of it.  The heavier network is in memory only while something is suspected.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections, Image
from vision.detectors._base import Detector, suppress
from vision.detectors.resting import RestingDetector

NOTHING = 0.02  # certainty of a look that sees nothing at a place
MOST = 60  # places of a picture that are compared, the surest first


class TwoLooks:
    """Both as one :class:`vision.detectors._base.Detector`; ``asked`` counts pictures that had a second look."""

    def __init__(self, first: Detector, second: Detector, suspicion: float, confidence: float) -> None:
        self.first, self.second = first, second
        self.model, self.class_name = first.model, first.class_name
        self.pictures = self.asked = 0
        self._suspicion, self._confidence = suspicion, confidence

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`Detector`.  Where nothing is suspected a sight counts half: it was not confirmed."""
        found = self.first.detect(frames)
        rows = [i for i, seen in enumerate(found) if float(seen.confidence.max(initial=0.0)) >= self._suspicion]
        again = self.second.detect([frames[i] for i in rows]) if rows else []
        if not rows and isinstance(self.second, RestingDetector):
            self.second.rest()
        self.pictures, self.asked = self.pictures + len(frames), self.asked + len(rows)
        out = [self._kept(_weakened(seen)) for seen in found]
        for i, seen in zip(rows, again, strict=True):
            out[i] = self._kept(both(found[i], seen))
        return out

    def _kept(self, seen: Detections) -> Detections:
        return seen.take(seen.confidence >= self._confidence)


def both(first: Detections, second: Detections) -> Detections:
    """What two looks at one picture say together; classes are matched by name."""
    xyxy, score, ids = [], [], []
    for number, name in enumerate(first.class_name):
        a, b = _surest(first.of(name)), _surest(second.of(name))
        for one, other in ((a, b), (b, a)):
            if len(one):
                xyxy.append(one.xyxy)
                score.append(np.sqrt(one.confidence * np.maximum(_best_at(one.xyxy, other), NOTHING)))
                ids.append(np.full(len(one), number, np.int32))
    if not xyxy:
        return first.take(np.zeros(len(first), np.bool_))
    merged = suppress(
        np.concatenate(xyxy), np.concatenate(score).astype(np.float32), np.concatenate(ids), first.class_name,
        first.models[0],
    )  # fmt: skip
    models = tuple(dict.fromkeys([*first.models, *second.models]))
    return Detections(merged.xyxy, merged.class_id, merged.confidence, merged.class_name, models)


def _surest(seen: Detections) -> Detections:
    return seen.take(np.arange(min(len(seen), MOST)))  # they are sorted


def _best_at(places: NDArray[np.float32], other: Detections) -> NDArray[np.float32]:
    """For each place the certainty of the surest of ``other`` that touches it; 0 where none does."""
    if not len(other):
        return np.zeros(len(places), np.float32)
    low = np.maximum(places[:, None, :2], other.xyxy[None, :, :2])
    high = np.minimum(places[:, None, 2:], other.xyxy[None, :, 2:])
    touches = (high > low).all(axis=2)
    return np.asarray(np.where(touches, other.confidence[None], 0.0).max(axis=1), np.float32)


def _weakened(seen: Detections) -> Detections:
    half = (seen.confidence / 2).astype(np.float32)
    return Detections(seen.xyxy, seen.class_id, half, seen.class_name, seen.models)
