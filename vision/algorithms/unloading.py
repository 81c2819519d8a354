"""Unloading without guard (卸油无人监护): a tanker stands in the bay and nobody is with it, or safety gear is missing.

AQ 3010-2022: driver and station supervisor stay throughout (absence over 60 s is an alarm), wheel chocks, cones and
extinguishers are set out first.  A truck counts as unloading once it has stood for ``settle_s``.

COCO has neither cone nor extinguisher: ``equipment_detector`` may name a model of the station's own with the classes in
``equipment``; without one only the people are judged, and the detail says so.
"""

from __future__ import annotations

from typing import Any

import msgspec

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import ZoneAlgorithm, standing_in
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.findings import Need, Sight
from vision.judging.hysteresis import HeldState
from vision.judging.tracking import Track, Tracker
from vision.judging.zones import contains, foot_points
from vision.params import Seconds, Share

ABOUT = About(
    zh="卸油违规",
    en="Unloading violation",
    params={
        "min_people": Words("最少监护人数", "People with it at least"),
        "settle_s": Words("停稳多久算卸油（秒）", "Standing for (s) counts as unloading"),
        "equipment": Words("须有的器材类别", "Equipment classes"),
    },
    expert={
        "equipment_confidence": Words("器材置信度", "Confidence: equipment"),
        "equipment_detector": Words("器材检测器", "Equipment detector"),
        "equipment_params": Words("器材检测器参数", "Equipment detector's parameters"),
    },
)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds unless named otherwise; ``min_people`` in the zone while a tanker stands there."""

    min_people: int = 1
    after_s: Seconds = 60.0
    clear_after_s: Seconds = 3.0
    settle_s: Seconds = 30.0
    confidence: Share = 0.4
    person_confidence: Share = 0.4
    classes: tuple[str, ...] = ("truck", "bus")  # tankers are taken for buses now and then
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}
    equipment: tuple[str, ...] = ()
    equipment_confidence: Share = 0.4
    equipment_detector: str = "yolo_onnx"
    equipment_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.min_people < 1 or self.after_s < 0 or self.settle_s < 0:
            raise ValueError("min_people ≥ 1 and times ≥ 0 must hold")
        if self.equipment and not self.equipment_params:
            raise ValueError("equipment needs equipment_params naming the model file")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Unloading:
    return Unloading(params, zones)


class Unloading(ZoneAlgorithm):
    """See the module's text.  ``value``: people with the tanker."""

    kind = "unloading"
    unit = "people"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(params.after_s, params.clear_after_s, blink_s=2.0))
        self.params = params
        self.needs = (Need(params.detector, (*params.classes, "person"), params.detector_params),)
        if params.equipment:
            self.needs += (Need(params.equipment_detector, params.equipment, params.equipment_params),)
        self.tracker = Tracker(patience_s=30.0)

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        if not frame.dark:
            wanted = seen.of(*self.params.classes, confidence=self.params.confidence)
            self.tracker.update(wanted, now, frame.image)

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture: is a tanker there that has stood long enough, and who and what is with it?"""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        return [self._sight(zone, seen, frame) for zone in self.zones]

    def _sight(self, zone: Zone, seen: Detections, frame: Frame) -> Sight:
        p = self.params
        now = frame.clock_s
        standing = standing_in(zone, list(self.tracker.tracks.values()), frame)
        tankers: list[Track] = [t for t in standing if t.still_s(now) >= p.settle_s]
        if not tankers:
            return Sight(zone, False, value=None, detail="no tanker unloads")
        people = seen.of("person", confidence=p.person_confidence)
        near = int(contains(zone, foot_points(people.xyxy, frame.width, frame.height)).sum())
        missing = [n for n in p.equipment if len(seen.of(n, confidence=p.equipment_confidence)) == 0]
        words = [f"{near} of {p.min_people} people with the tanker"]
        words += [f"missing: {', '.join(missing)}"] if missing else []
        words += [] if p.equipment else ["safety gear not judged: no model for it"]
        x1, y1, x2, y2 = (float(v) for v in tankers[0].xyxy)
        return Sight(
            zone,
            near < p.min_people or bool(missing),
            value=float(near),
            confidence=round(tankers[0].confidence, 3),
            box=frame.normalised((x1, y1, x2, y2)),
            detail="; ".join(words),
        )
