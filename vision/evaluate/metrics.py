"""Detection metrics: average precision, and whether an image was reported at all.

``AveragePrecision`` follows COCO's matching (detections by falling confidence, one truth each, IoU 0.50…0.95) and
101-point interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision.judging.boxes import iou

IOU_LEVELS = np.arange(0.5, 0.96, 0.05)

Floats = NDArray[np.float32]


@dataclass
class ClassTally:
    """Everything needed to judge one class over a set of images.

    ``add`` once an image; confidences are kept, so that thresholds can be chosen afterwards.
    """

    truths: int = 0
    confidence: list[Floats] = field(default_factory=list)
    hits: list[NDArray[np.bool_]] = field(default_factory=list)  # (n, 10) true positive at each IoU level
    best_with: list[float] = field(default_factory=list)  # best confidence on images with the class
    best_without: list[float] = field(default_factory=list)

    def add(self, truth: Floats, found: Floats, confidence: Floats) -> None:
        """One image: ``truth`` (m, 4) and ``found`` (n, 4) boxes of this class in pixels, ``confidence`` (n,)."""
        self.truths += len(truth)
        order = np.argsort(-confidence, kind="stable")
        self.confidence.append(confidence[order])
        self.hits.append(match(truth, found[order]))
        best = float(confidence.max()) if len(confidence) else 0.0
        (self.best_with if len(truth) else self.best_without).append(best)

    def image_recall(self, threshold: float) -> float | None:
        """Share of the images with the class on which it is reported; None without such images."""
        return _share(self.best_with, threshold)

    def image_false_rate(self, threshold: float) -> float | None:
        """Share of the images without the class on which it is reported; None without such images."""
        return _share(self.best_without, threshold)

    def curve(self) -> Curve:
        """Precision and recall over all confidences."""
        confidence = np.concatenate([np.zeros(0, np.float32), *self.confidence])
        hits = np.concatenate([np.zeros((0, len(IOU_LEVELS)), np.bool_), *self.hits])
        order = np.argsort(-confidence, kind="stable")
        return Curve(confidence[order], hits[order], self.truths)


@dataclass(frozen=True)
class Curve:
    """Detections of one class by falling confidence, with their hits."""

    confidence: Floats
    hits: NDArray[np.bool_]
    truths: int

    def average_precision(self) -> NDArray[np.float64]:
        """AP at each of the IoU levels; zeros when nothing is found."""
        if not self.truths or not len(self.hits):
            return np.zeros(len(IOU_LEVELS))
        found = self.hits.cumsum(0)
        recall = found / self.truths
        precision = found / np.arange(1, len(found) + 1)[:, None]
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        steps = np.linspace(0, 1, 101)
        out = np.zeros(len(IOU_LEVELS))
        for level in range(len(IOU_LEVELS)):
            index = np.searchsorted(recall[:, level], steps, side="left")
            out[level] = np.append(envelope[:, level], 0.0)[index].mean()
        return out

    def at(self, threshold: float) -> tuple[float, float]:
        """(precision, recall) at IoU 0.5 of detections with at least ``threshold``."""
        kept = int((self.confidence >= threshold).sum())
        hits = int(self.hits[:kept, 0].sum())
        return hits / kept if kept else 0.0, hits / self.truths if self.truths else 0.0

    def best(self) -> tuple[float, float, float]:
        """(precision, recall, threshold) at IoU 0.5 where F1 is highest."""
        if not self.truths or not len(self.hits):
            return 0.0, 0.0, 0.0
        found = self.hits[:, 0].cumsum()
        precision, recall = found / np.arange(1, len(found) + 1), found / self.truths
        top = int(np.argmax(2 * precision * recall / np.maximum(precision + recall, 1e-9)))
        return float(precision[top]), float(recall[top]), float(self.confidence[top])


def match(truth: Floats, found: Floats) -> NDArray[np.bool_]:
    """(n, 10): whether each of ``found`` (by falling confidence) hits a truth not yet taken, per IoU level."""
    hits = np.zeros((len(found), len(IOU_LEVELS)), np.bool_)
    if not len(truth) or not len(found):
        return hits
    overlap = iou(found, truth)
    for level, least in enumerate(IOU_LEVELS):
        free = np.ones(len(truth), np.bool_)
        for row in range(len(found)):
            candidates = np.where(free, overlap[row], 0.0)
            best = int(candidates.argmax())
            if candidates[best] >= least:
                free[best] = False
                hits[row, level] = True
    return hits


def poisson_upper(count: int, exposure: float) -> float | None:
    """One-sided 95 % upper bound of a Poisson rate after ``count`` events in ``exposure``; None without exposure."""
    if exposure <= 0:
        return None
    from scipy.stats import chi2

    return float(chi2.ppf(0.95, 2 * (count + 1)) / 2 / exposure)


def _share(best: Sequence[float], threshold: float) -> float | None:
    return float(np.mean([b >= threshold for b in best])) if best else None
