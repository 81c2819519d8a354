"""E-bike where it may not be (电动自行车进楼/充电): in a lift, corridor, stairwell or lobby.

COCO has no e-bike: motorcycles and bicycles count (a pedal cycle cannot be told apart; ``classes`` may be narrowed).
``mode`` in the detail says whether somebody is with it (entering) or not (left there, perhaps charging).
"""

from __future__ import annotations

from dataclasses import replace

from core.plugins import About
from core.records import Zone
from vision.algorithms._count import Count, CountParams
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging import boxes
from vision.judging.findings import Need, Sight
from vision.params import Seconds, Share

ABOUT = About(zh="电动车入楼", en="E-bike inside")


class Params(CountParams, frozen=True, forbid_unknown_fields=True):
    """As every counting algorithm."""

    after_s: Seconds = 2.0
    clear_after_s: Seconds = 10.0
    confidence: Share = 0.4
    classes: tuple[str, ...] = ("motorcycle", "bicycle")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> EBike:
    return EBike(params, zones)


class EBike(Count):
    """See the module's text.  ``value``: how many."""

    kind = "ebike"
    unit = "objects"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(params, zones)
        self.needs = (Need(params.detector, (*params.classes, "person"), params.detector_params),)

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        people, bikes = seen.of("person", confidence=0.4), seen.of(*self.params.classes, confidence=0.3)
        beside = len(people) and len(bikes) and (boxes.iou(people.xyxy, bikes.xyxy) > 0.02).any()
        mode = "entering, somebody is with it" if beside else "left there, nobody is with it"
        return [replace(s, detail=f"{s.detail}; {mode}") if s.present else s for s in super().judge(seen, frame)]
