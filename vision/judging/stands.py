"""Who has stood at a place since when: one record for each thing that was seen standing there.

A place is not a thing: where traffic flows a box stands at the same place on every look, and it is another car each
time.  Time counts only for what is seen again as itself (:mod:`vision.judging.appearance`).  What is hidden for a while
(a bus before it) keeps its record for as long as the tracker's patience.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision.detections import Image
from vision.judging import boxes
from vision.judging.appearance import ALIKE, Appearance, alike, appearance

REST_S = 2.0  # standing for less than this may be a slow moment
PROVEN = 1 / 3  # of the looks at a place must show the thing itself
RIVALS = 3  # records kept of one place
FOLLOW_S = 30.0  # how often the look of what stands is renewed: the light changes over hours


@dataclass(eq=False)
class Stand:
    """One thing at rest: its place, since when, when it was last seen as itself, on how many of how many looks."""

    anchor: NDArray[np.float32]
    since_s: float
    proof_s: float
    shown: Appearance | None
    shown_s: float
    proofs: int = 1
    looks: int = 1

    def still_s(self, now: float) -> float:
        """For how long it has stood; unseen time counts only for what already stood when it was last seen."""
        stood = self.proof_s - self.since_s
        if self.proofs < PROVEN * self.looks:
            return 0.0
        return now - self.since_s if stood >= REST_S else stood


@dataclass(eq=False)
class StandingPlace:
    """What stands, and what else was seen, where one track is; the last that was seen as itself is ``now``."""

    now: Stand
    others: list[Stand] = field(default_factory=list)

    def count(self) -> None:
        """The place is looked at once more, whatever will be seen there."""
        for stand in (self.now, *self.others):
            stand.looks += 1

    def look(
        self, xyxy: NDArray[np.float32], image: Image | None, now: float, still_iou: float, patience_s: float
    ) -> None:
        """The track's box was seen at ``xyxy``: which of those that are known is it, or is it another?"""
        known = [s for s in (self.now, *self.others) if boxes.iou(s.anchor[None], xyxy[None])[0, 0] >= still_iou]
        again = [s for s in known if _itself(s, image, now)]
        for stand in again:
            stand.proofs += 1
            stand.proof_s = now
        if again:
            found = min(again, key=lambda s: s.since_s)
        else:
            found = first(xyxy, image, now)
        rest = [s for s in (self.now, *self.others) if s is not found and s in known and now - s.proof_s <= patience_s]
        self.now, self.others = found, sorted(rest, key=lambda s: s.since_s)[:RIVALS]

    def glance(self, image: Image, now: float) -> bool:
        """Nobody found a box there: whether what stands is seen all the same (detectors lose what is small or dim)."""
        stand = self.now
        shown = appearance(image, stand.anchor) if stand.shown is not None else None
        value = alike(stand.shown, shown) if stand.shown is not None and shown is not None else None
        if value is None:
            return False
        if value >= ALIKE:
            stand.proofs, stand.proof_s = stand.proofs + 1, now
        return value >= ALIKE


def first(xyxy: NDArray[np.float32], image: Image | None, now: float) -> Stand:
    """The record of what is seen for the first time at ``xyxy``."""
    shown = appearance(image, xyxy) if image is not None else None
    return Stand(xyxy, now, now, shown, now)


def _itself(stand: Stand, image: Image | None, now: float) -> bool:
    """Whether the place still shows what stood there; where nothing can be compared the box is believed."""
    if image is None or stand.shown is None:
        return True
    shown = appearance(image, stand.anchor)
    if shown is None:
        return True
    value = alike(stand.shown, shown)
    if value is None:
        return True
    if value >= ALIKE and now - stand.shown_s >= FOLLOW_S:
        stand.shown, stand.shown_s = shown, now
    return value >= ALIKE
