"""A new model against the old one on what people said of the district's own alarms.

Both look at the same pictures (:mod:`core.sight.field_set`).  Of the confirmed alarms a model should still report as
many, of the false ones as few as it can.  The new one is better when the mean of the two shares rises and no more than
one in twenty of the confirmed alarms that the old one reported is lost.  The old model raised all these alarms itself,
so what the new one sees beyond them counts for nothing here; with fewer than :data:`LEAST_EACH` of either verdict
nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from core.errors import YiwangError
from core.sight.field_set import FieldPicture
from vision.detections import Detections, Image
from vision.detectors._base import Detector
from vision.evaluate.images import DEFAULT_THRESHOLD

LEAST_EACH = 5
ALLOWED = 20  # one in so many of the confirmed alarms may be lost
AROUND = 0.5  # of an alarm's box on each side still counts as its place

Verdict = Literal["better", "not_better", "too_few"]


class ModelNotBetter(YiwangError):
    code = "model_not_better"
    message = "{model} is not used: on {pictures} judged alarms of this district {figures}"
    remedy = "train it further (docs/models.md), or set YIWANG_MODEL_TRIAL=off to use it all the same"
    zh = "不使用 {model}：在本区 {pictures} 张已判定的告警上 {figures}"
    zh_remedy = "请继续训练（docs/models.md），或设 YIWANG_MODEL_TRIAL=off 仍然使用"


@dataclass
class TrialFigures:
    """What one model does with the pictures: ``kept`` of ``confirmed`` reported, ``dropped`` of ``wrong`` not."""

    kept: int = 0
    confirmed: int = 0
    dropped: int = 0
    wrong: int = 0

    @property
    def balanced(self) -> float:
        """Mean of the two shares."""
        return (self.kept / max(1, self.confirmed) + self.dropped / max(1, self.wrong)) / 2

    def count(self, confirmed: bool, reported: bool) -> None:
        """One picture."""
        if confirmed:
            self.confirmed, self.kept = self.confirmed + 1, self.kept + reported
        else:
            self.wrong, self.dropped = self.wrong + 1, self.dropped + (not reported)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kept": self.kept, "confirmed": self.confirmed, "dropped": self.dropped, "false": self.wrong,
            "balanced": round(self.balanced, 4),
        }  # fmt: skip


@dataclass
class ModelTrial:
    """Both models' figures; ``gone`` pictures could not be read any more."""

    before: TrialFigures = field(default_factory=TrialFigures)
    after: TrialFigures = field(default_factory=TrialFigures)
    gone: int = 0

    @property
    def verdict(self) -> Verdict:
        """Whether the new model is better."""
        b, a = self.before, self.after
        if min(b.confirmed, b.wrong) < LEAST_EACH:
            return "too_few"
        lost = b.kept - a.kept
        return "better" if a.balanced > b.balanced and lost <= b.kept // ALLOWED else "not_better"

    @property
    def words(self) -> str:
        """Both figures in words."""
        b, a = self.before, self.after
        return (
            f"it reports {a.kept} of {a.confirmed} confirmed alarms (the old one {b.kept}) and leaves out "
            f"{a.dropped} of {a.wrong} false ones (the old one {b.dropped})"
        )

    def plain(self) -> dict[str, Any]:
        """As JSON, for the page."""
        return {
            "verdict": self.verdict, "before": self.before.plain(), "after": self.after.plain(), "gone": self.gone,
        }  # fmt: skip


@dataclass(frozen=True)
class Contestant:
    """A model in a trial: its detector and from which confidence a class counts as reported."""

    detector: Detector
    thresholds: Mapping[str, float]

    def reports(self, image: Image, picture: FieldPicture, classes: Iterable[str]) -> bool:
        """Whether it sees one of ``classes`` where the alarm was."""
        (seen,) = self.detector.detect([image])
        wanted = set(picture.classes) & set(classes) or set(classes)
        sure = np.array(
            [
                seen.name(row) in wanted
                and seen.confidence[row] >= self.thresholds.get(seen.name(row), DEFAULT_THRESHOLD)
                for row in range(len(seen))
            ],
            np.bool_,
        )
        return bool((sure & _touching(seen, picture, image)).any())


def try_models(
    old: Contestant,
    new: Contestant,
    pictures: Iterable[FieldPicture],
    read: Callable[[FieldPicture], Image | None],
    classes: Iterable[str],
) -> ModelTrial:
    """Let both look at ``pictures``; ``read`` gives None for one that is gone."""
    trial, classes = ModelTrial(), tuple(classes)
    for picture in pictures:
        image = read(picture)
        if image is None:
            trial.gone += 1
            continue
        trial.before.count(picture.confirmed, old.reports(image, picture, classes))
        trial.after.count(picture.confirmed, new.reports(image, picture, classes))
    return trial


def _touching(seen: Detections, picture: FieldPicture, image: Image) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which detections touch the place of the alarm; all where it has none."""
    if picture.box is None:
        return np.ones(len(seen), np.bool_)
    height, width = image.shape[:2]
    x1, y1, x2, y2 = picture.box
    dx, dy = AROUND * (x2 - x1), AROUND * (y2 - y1)
    left, top, right, bottom = (x1 - dx) * width, (y1 - dy) * height, (x2 + dx) * width, (y2 + dy) * height
    boxes = seen.xyxy
    return np.asarray(
        (boxes[:, 0] < right) & (boxes[:, 2] > left) & (boxes[:, 1] < bottom) & (boxes[:, 3] > top), np.bool_
    )
