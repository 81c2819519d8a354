"""Which box of this picture is which of the last one: ByteTrack (Zhang et al., ECCV 2022).

Sure boxes are matched first, by overlap with where each known object should be now times their confidence; what is left
of the known objects is then looked for among the unsure boxes, so that an object half hidden is not lost.  A new object
counts once a second picture shows it (those of the very first picture count at once).

Own code since supervision 0.31 dropped its ByteTrack: the package that follows it brings a second OpenCV, and
supervision's needs scipy and matplotlib, 40 MB for a worker.  ``tests/unit/vision/judging/test_byte_track.py`` compares
both, identity by identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import lap
import numpy as np
from numpy.typing import NDArray

from vision.judging import box_motion, boxes
from vision.judging.box_motion import Floats

SURE = 0.25  # confidence from which a box is matched in the first round …
UNSURE = 0.1  # … and above which in the second
FRESH = SURE + 0.1  # from which one that nothing matches is a new object
SECOND_COST = 0.5  # 1 - overlap at most, unsure boxes
UNCONFIRMED_COST = 0.7  # the same times confidence, objects seen once
DUPLICATE_COST = 0.05  # nearer than this a lost and a followed object are one


@dataclass(eq=False)
class _Followed:
    """``number`` 0: seen once, not told yet; ``seen`` and ``since``: numbers of pictures; ``row`` of this picture."""

    mean: Floats
    covariance: Floats
    since: int
    seen: int
    number: int = 0
    lost: bool = False
    row: int = -1


class ByteTrack:
    """Identities of the boxes of one camera, picture by picture.

    ``forget_after``: pictures after which an unseen object is forgotten; ``most_cost``: 1 - overlap × confidence at
    most for a sure box.
    """

    def __init__(self, forget_after: int, most_cost: float = 0.85) -> None:
        self._forget_after = forget_after
        self._most_cost = most_cost
        self._picture = 0
        self._last_number = 0
        self._followed: list[_Followed] = []
        self._lost: list[_Followed] = []

    def update(self, xyxy: NDArray[np.float32], confidence: NDArray[np.float32]) -> NDArray[np.int64]:
        """The identity, from 1, of every box (n, 4), (n,) of the next picture; -1 where it has none (yet)."""
        self._picture += 1
        box, score = xyxy.astype(np.float64), confidence.astype(np.float64)
        valid = np.isfinite(box).all(axis=1) & np.isfinite(score) & (box[:, 2:] > box[:, :2]).all(axis=1)
        sure = np.flatnonzero(valid & (score >= SURE))
        unsure = np.flatnonzero(valid & (score > UNSURE) & (score < SURE))
        known = [f for f in self._followed if f.number] + self._lost
        self._predict(known)
        pairs, left, free = _matched(known, box[sure], score[sure], self._most_cost)
        self._see([known[i] for i, _ in pairs], sure[[j for _, j in pairs]], box)
        missed = [known[i] for i in left if not known[i].lost]
        pairs, left, _ = _matched(missed, box[unsure], None, SECOND_COST)
        self._see([missed[i] for i, _ in pairs], unsure[[j for _, j in pairs]], box)
        gone = [missed[i] for i in left]
        sure = sure[free]
        once = [f for f in self._followed if not f.number]
        pairs, _, free = _matched(once, box[sure], score[sure], UNCONFIRMED_COST)
        self._see([once[i] for i, _ in pairs], sure[[j for _, j in pairs]], box)
        fresh = self._begin(sure[free][score[sure[free]] >= FRESH], box)
        self._settle(gone, fresh)
        found = np.full(len(box), -1, np.int64)
        for one in self._followed:
            if one.number:
                found[one.row] = one.number
        return found

    def _predict(self, known: list[_Followed]) -> None:
        if not known:
            return
        mean = np.stack([f.mean for f in known])
        mean[[f.lost for f in known], 7] = 0.0  # nothing unseen grows
        moved = box_motion.predicted(mean, np.stack([f.covariance for f in known]))
        for one, mean_next, covariance in zip(known, *moved, strict=True):
            one.mean, one.covariance = mean_next, covariance

    def _see(self, matched: list[_Followed], rows: NDArray[np.intp], box: Floats) -> None:
        """These objects are the boxes of these rows."""
        if not matched:
            return
        mean, covariance = np.stack([f.mean for f in matched]), np.stack([f.covariance for f in matched])
        moved = box_motion.corrected(mean, covariance, box_motion.measured(box[rows]))
        for one, row, mean_now, covariance_now in zip(matched, rows, *moved, strict=True):
            one.mean, one.covariance, one.row, one.seen = mean_now, covariance_now, int(row), self._picture
            if not one.number:
                one.number = self._next()

    def _begin(self, rows: NDArray[np.intp], box: Floats) -> list[_Followed]:
        begun = []
        for row, mean, covariance in zip(rows, *box_motion.begun(box_motion.measured(box[rows])), strict=True):
            number = self._next() if self._picture == 1 else 0
            begun.append(_Followed(mean, covariance, self._picture, self._picture, number, row=int(row)))
        return begun

    def _settle(self, gone: list[_Followed], fresh: list[_Followed]) -> None:
        """Who is followed and who is lost from here on."""
        here = self._picture
        followed = [f for f in self._followed if f.seen == here] + fresh + [f for f in self._lost if f.seen == here]
        lost = [f for f in self._lost if f.seen != here and here - f.seen <= self._forget_after + 1] + gone
        shorter: set[int] = set()
        twice: set[int] = set()
        for i, j in np.argwhere(1 - _overlap(followed, _places(lost)) < DUPLICATE_COST):
            longer = followed[i].seen - followed[i].since > lost[j].seen - lost[j].since
            (twice if longer else shorter).add(int(j if longer else i))
        self._followed = [f for i, f in enumerate(followed) if i not in shorter]
        self._lost = [f for j, f in enumerate(lost) if j not in twice]
        for one in self._followed:
            one.lost = False
        for one in self._lost:
            one.lost = True

    def _next(self) -> int:
        self._last_number += 1
        return self._last_number


def _matched(
    known: list[_Followed], box: Floats, score: Floats | None, most: float
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs (object, box) of the least cost together, none above ``most``; objects and boxes that are left."""
    if not known or not len(box):
        return [], list(range(len(known))), list(range(len(box)))
    overlap = _overlap(known, box)
    cost = 1 - (overlap if score is None else overlap * score)
    _, column, _ = lap.lapjv(np.where(cost > most, most + 1e-4, cost), extend_cost=True)
    pairs = [(i, int(j)) for i, j in enumerate(column) if j >= 0 and cost[i, j] <= most]
    taken = {i for i, _ in pairs}, {j for _, j in pairs}
    return pairs, [i for i in range(len(known)) if i not in taken[0]], [j for j in range(len(box)) if j not in taken[1]]


def _places(known: list[_Followed]) -> Floats:
    return box_motion.corners(np.stack([f.mean for f in known])) if known else np.zeros((0, 4))


def _overlap(known: list[_Followed], box: Floats) -> Floats:
    """Intersection over union of where each object is with every box (m, 4): (n, m)."""
    return boxes.iou(_places(known).astype(np.float32), box.astype(np.float32)).astype(np.float64)
