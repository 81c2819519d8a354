"""So many objects in a zone for so long: the shared part of intrusion, crowding and e-bikes."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import numpy as np

from core.records import Zone
from vision.algorithms._base import PERSON, ZoneAlgorithm, union
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.findings import Need, Sight
from vision.judging.hysteresis import HeldState
from vision.judging.zones import contains, foot_points
from vision.params import Seconds, Share


class CountParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At least ``limit`` objects of ``classes`` for ``after_s``; the count is the median of ``window_s``."""

    limit: int = 1
    after_s: Seconds = 2.0
    clear_after_s: Seconds = 5.0
    blink_s: Seconds = 0.8
    window_s: Seconds = 0.0
    confidence: Share = 0.45
    classes: tuple[str, ...] = PERSON
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit must be at least 1")
        if self.after_s < 0 or self.clear_after_s < 0 or self.window_s < 0:
            raise ValueError("times must not be negative")


class Count(ZoneAlgorithm):
    """``value``: the number of objects in the zone."""

    def __init__(self, params: CountParams, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(params.after_s, params.clear_after_s, params.blink_s))
        self.params = params
        self.needs = (Need(params.detector, tuple(params.classes), params.detector_params),)
        self._counts: dict[str, deque[tuple[float, int]]] = {z.zone_id: deque() for z in self.zones}

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture: are there so many?"""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        found = seen.of(*self.params.classes, confidence=self.params.confidence)
        points = foot_points(found.xyxy, frame.width, frame.height)
        return [self._sight(zone, found.take(contains(zone, points)), frame) for zone in self.zones]

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        out = []
        for sight in self.judge(seen, frame):
            counts = self._counts[sight.zone.zone_id]
            if sight.present is not None and self.params.window_s > 0:
                counts.append((now, int(sight.value or 0)))
                while counts[0][0] < now - self.params.window_s:
                    counts.popleft()
                usual = float(np.median([c for _, c in counts]))
                sight = recounted(sight, usual >= self.params.limit, usual)
            out.append(sight)
        return out

    def _sight(self, zone: Zone, here: Detections, frame: Frame) -> Sight:
        names = ", ".join(sorted({here.name(r) for r in range(len(here))}))
        return Sight(
            zone,
            len(here) >= self.params.limit,
            value=float(len(here)),
            confidence=round(float(here.confidence.max()), 3) if len(here) else None,
            box=union([frame.normalised(here.box(r)) for r in range(len(here))]),
            detail=f"{len(here)} seen{': ' + names if names else ''}",
        )


def recounted(sight: Sight, present: bool, value: float) -> Sight:
    """``sight`` with another count."""
    return Sight(sight.zone, present, value, sight.confidence, sight.box, sight.detail)
