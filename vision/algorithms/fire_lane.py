"""Fire lane or exit blocked (消防通道占用): a vehicle, or anything else that was not there before, stays.

Vehicles and bicycles are recognised; other objects (crates, furniture, rubbish) are found as what differs from the
learnt background and stays (only where a zone is drawn: the whole picture is no fire lane).  People are not obstacles;
passing traffic, shadows, rain and headlights do not stay or bring no texture of their own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._dwell import Dwell, DwellParams
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.findings import Need, Sight
from vision.judging.foreground import StaticForeground
from vision.judging.zones import WHOLE, mask
from vision.params import Seconds, Share

ABOUT = About(
    zh="消防通道占用",
    en="Fire lane blocked",
    params={
        "objects": Words("也找非车辆障碍物", "Other objects too"),
        "object_share": Words("障碍物占区域比例", "Object covers share of zone"),
    },
)


class Params(DwellParams, frozen=True, forbid_unknown_fields=True):
    """As every dwell algorithm.  ``objects``: also find what is no vehicle, from ``object_share`` of the zone on;
    ``learn_s``: the zone is taken to be clear for so long after the start."""

    after_s: Seconds = 120.0
    classes: tuple[str, ...] = ("car", "truck", "bus", "motorcycle", "bicycle")
    objects: bool = True
    object_share: Share = 0.02
    learn_s: Seconds = 5.0


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> FireLane:
    return FireLane(params, zones)


class FireLane(Dwell):
    """See the module's text.  ``value``: seconds the obstacle has stood."""

    kind = "fire_lane"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(params, zones)
        self.own = params
        self.needs = (Need(params.detector, (*params.classes, "person"), params.detector_params),)
        self._foreground: dict[str, StaticForeground] = {}
        self._people: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        super().observe(seen, frame, now)
        if not self.own.objects or frame.dark:
            return
        height, width = frame.thumb.shape
        self._people = np.zeros((height, width), np.uint8)
        scale = width / frame.width
        for box in seen.of("person", confidence=0.3).xyxy:
            x1, y1, x2, y2 = (int(v * scale) for v in box)
            self._people[max(y1 - 2, 0) : y2 + 3, max(x1 - 2, 0) : x2 + 3] = 255
        for zone in self.zones:
            if zone.polygon == WHOLE.polygon:
                continue
            known = self._foreground.get(zone.zone_id)
            if known is None or known.shape != (height, width):  # the stream changed its size: learnt anew
                self._foreground[zone.zone_id] = StaticForeground(mask(zone, width, height), self.own.learn_s)
            self._foreground[zone.zone_id].update(frame.thumb, now)

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        return [self._with_objects(sight, self.own.after_s) for sight in super().sights(seen, frame, now)]

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture: a vehicle in the zone, or an object that has already stayed for a while."""
        return [self._with_objects(sight, min(self.own.after_s, 3.0)) for sight in super().judge(seen, frame)]

    def _with_objects(self, sight: Sight, after_s: float) -> Sight:
        foreground = self._foreground.get(sight.zone.zone_id)
        if sight.present is not False or foreground is None:
            return sight
        stays = foreground.stays(after_s, self.own.object_share, self._people)
        if not stays:
            return sight
        largest = max(stays, key=lambda s: s.share)
        x1, y1, x2, y2 = (round(v, 4) for v in largest.box)
        return replace(
            sight,
            present=True,
            value=round(largest.seconds, 1),
            confidence=round(min(0.9, 0.4 + largest.share), 3),
            box=(x1, y1, x2, y2),
            detail=f"an object covers {largest.share:.0%} of the zone",
        )
