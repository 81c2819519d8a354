"""A light first look at every picture, and a heavier second one where it suspects something.

The card beside the first model names the second (``second_look: {"file", "from"}``).  Two networks that were trained
apart, at two scales, are rarely wrong about the same thing: what both see keeps its certainty (the geometric mean of
the two), what one alone sees loses most of it.  The heavier network is in memory only while something is suspected.

A camera's second look holds for a moment (:data:`HOLDS_S`; longer where it saw nothing): what is suspected at the same
places is not looked at again until then, unless the first look has become much surer or something else is suspected.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections, Image
from vision.detectors._base import Detector, suppress
from vision.detectors.resting import RestingDetector

NOTHING = 0.02  # certainty of a look that sees nothing at a place
HOLDS_S, DENIED_S, SURE_S = 1.9, 3.4, 4.5  # how long a second look holds, one that saw nothing, a sure one
SURE = 0.6
SURER = 0.15  # by which a first look must rise to be looked at again before that
CAMERAS = 2048  # that are remembered
MOST = 60  # places of a picture that are compared, the surest first


@dataclass(frozen=True)
class _Remembered:
    """A camera's last second look: at what it was asked (``suspected``), what it saw, when."""

    at: float
    shape: tuple[int, ...]
    suspected: Detections
    seen: Detections

    def holds(self, suspected: Detections, shape: tuple[int, ...], now: float) -> bool:
        """Whether it answers for what is suspected now."""
        top = float(self.seen.confidence.max(initial=0.0))
        saw = top > float(self.suspected.confidence.min(initial=1.0))
        patience = SURE_S if top >= SURE else HOLDS_S if saw else DENIED_S
        if shape != self.shape or not 0 <= now - self.at < patience:
            return False
        for name in suspected.class_name:
            mine, then = suspected.of(name), self.suspected.of(name)
            if len(mine) and bool((_best_at(mine.xyxy, then) <= np.maximum(mine.confidence - SURER, 0.0)).any()):
                return False
        return True


class TwoLooks:
    """Both as one :class:`vision.detectors._base.Detector`; ``asked`` counts pictures that had a second look."""

    def __init__(self, first: Detector, second: Detector, suspicion: float, confidence: float) -> None:
        self.first, self.second = first, second
        self.model, self.class_name = first.model, first.class_name
        self.pictures = self.asked = 0
        self._suspicion, self._confidence = suspicion, confidence
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """See :class:`Detector`.  Where nothing is suspected a sight counts half: it was not confirmed."""
        return self.detect_of(frames, ("",) * len(frames), (0.0,) * len(frames))

    def detect_of(self, frames: Sequence[Image], whose: Sequence[str], at: Sequence[float]) -> list[Detections]:
        """As :meth:`detect`, with the camera of each picture ("": none, nothing is remembered) and its seconds."""
        found = self.first.detect(frames)
        out = [self._kept(_weakened(seen)) for seen in found]
        asked: list[tuple[int, Detections]] = []
        for i, seen in enumerate(found):
            suspected = seen.take(seen.confidence >= self._suspicion)
            if not len(suspected):
                continue
            known = self._remembered.get(whose[i])
            if known is not None and known.holds(suspected, frames[i].shape, at[i]):
                out[i] = self._kept(both(seen, known.seen))
            else:
                asked.append((i, suspected))
        again = self.second.detect([frames[i] for i, _ in asked]) if asked else []
        if not asked and isinstance(self.second, RestingDetector):
            self.second.rest()
        self.pictures, self.asked = self.pictures + len(frames), self.asked + len(asked)
        for (i, suspected), seen in zip(asked, again, strict=True):
            out[i] = self._kept(both(found[i], seen))
            self._remember(whose[i], _Remembered(at[i], frames[i].shape, suspected, seen))
        return out

    def _remember(self, whose: str, look: _Remembered) -> None:
        if not whose:
            return
        self._remembered[whose] = look
        self._remembered.move_to_end(whose)
        if len(self._remembered) > CAMERAS:
            self._remembered.popitem(last=False)

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
