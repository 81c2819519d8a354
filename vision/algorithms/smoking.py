"""Smoking (吸烟): a cigarette at the mouth or in the hand, seen on the person's own crop again and again.

A cigarette is a few pixels long: the camera must be near (``min_height``), and one picture proves nothing.  The model
is ours (``cigarette.onnx``, class ``cigarette``; its card says how little material it saw).
"""

from __future__ import annotations

from typing import Any

import msgspec

from core.plugins import About, Words
from core.records import Zone
from vision import weights
from vision.algorithms._acts import Act, ActParams, PersonActs, crop, upper
from vision.capture.frames import Frame
from vision.evaluate.cards import read_card
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need
from vision.judging.tracking import Track
from vision.params import Seconds, Share

ABOUT = About(
    zh="吸烟",
    en="Smoking",
    params={
        "cigarette_confidence": Words("香烟置信度", "Confidence: cigarette"),
    },
    expert={
        "cigarette_detector": Words("香烟检测器", "Cigarette detector"),
        "cigarette_params": Words("香烟检测器参数", "Cigarette detector's parameters"),
    },
)


class Params(ActParams, frozen=True, forbid_unknown_fields=True):
    """As every act; ``cigarette_confidence`` None: the threshold on the model's card."""

    after_s: Seconds = 4.0
    share: Share = 0.4
    min_height: Share = 0.25
    cigarette_confidence: Share | None = None
    cigarette_detector: str = "yolo_onnx"
    cigarette_params: dict[str, Any] = msgspec.field(default_factory=lambda: {"file": "cigarette.onnx"})


def build(params: Params, zones: tuple[Zone, ...] = (), pool: DetectorPool | None = None, **_: object) -> Smoking:
    return Smoking(params, zones, pool)


class Smoking(PersonActs):
    """See the module's text."""

    kind = "smoking"

    def __init__(self, params: Params, zones: tuple[Zone, ...], pool: DetectorPool | None) -> None:
        super().__init__(params, zones, pool)
        self._cigarette = Need(params.cigarette_detector, ("cigarette",), params.cigarette_params)
        self.pool.get(self._cigarette, self.kind)
        self._params = params
        self._confidence = threshold(params)

    def refresh(self) -> None:
        """The new model's card has a threshold of its own."""
        self._confidence = threshold(self._params)

    def look(self, frame: Frame, person: Track, now: float) -> Act | None:
        x1, y1, x2, y2 = (float(v) for v in person.xyxy)
        part, left, top = crop(frame.image, upper((x1, y1, x2, y2), 0.5), 0.15)
        if part.size == 0:
            return None
        found = self.pool.detect(self._cigarette, [part])[0].of("cigarette", confidence=self._confidence)
        for row in range(len(found)):
            a, b, c, d = found.box(row)
            if (c - a) * (d - b) > 0.12 * part.shape[0] * part.shape[1]:
                continue
            return Act(float(found.confidence[row]), (a + left, b + top, c + left, d + top), "a cigarette")
        return None


def threshold(params: Params) -> float:
    """What counts as a cigarette: the parameter, else the model's card, else 0.4."""
    if params.cigarette_confidence is not None:
        return params.cigarette_confidence
    file = params.cigarette_params.get("file")
    card = read_card(weights.find(str(file))) if file else None
    return (card.thresholds if card else {}).get("cigarette", 0.4)
