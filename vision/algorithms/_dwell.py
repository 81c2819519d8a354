"""Things that stay where they may not: the shared part of fire lane, stopped vehicle and wrong parking."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from core.records import Zone
from vision.algorithms._base import VEHICLES, ZoneAlgorithm, standing_in
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging import boxes
from vision.judging.findings import Need, Sight
from vision.judging.hysteresis import HeldState
from vision.judging.tracking import Track, Tracker, glimpsed
from vision.params import Seconds, Share


class DwellParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``after_s``: how long it must stand; ``patience_s``: how long it may be hidden meanwhile (passing traffic);
    ``min_area``: smallest share of the picture; ``passed``: how many others must have passed since it stopped
    (above 0 a red light is no stop)."""

    after_s: Seconds = 120.0
    clear_after_s: Seconds = 10.0
    confidence: Share = 0.4
    classes: tuple[str, ...] = VEHICLES
    patience_s: Seconds = 20.0
    still_iou: Share = 0.6
    min_area: Share = 0.0005
    passed: int = 0
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.after_s < 0 or self.clear_after_s < 0:
            raise ValueError("after_s and clear_after_s must not be negative")
        if not self.classes:
            raise ValueError("classes must name at least one class")


class Dwell(ZoneAlgorithm):
    """An object of the wanted classes stands in the zone for ``after_s``.  ``value``: seconds it has stood."""

    unit = "s"

    def __init__(self, params: DwellParams, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(0.0, params.clear_after_s, blink_s=1.0))
        self.params = params
        self.needs = (Need(params.detector, tuple(params.classes), params.detector_params),)
        self.tracker = Tracker(patience_s=params.patience_s, still_iou=params.still_iou)
        self._gone: dict[str, list[tuple[float, int]]] = {z.zone_id: [] for z in self.zones}

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        if frame.dark:
            return
        here = self.tracker.update(self._wanted(seen, frame), now, frame.image)
        for zone in self.zones:
            moving = [t for t in standing_in(zone, here, frame) if t.still_s(now) < 1.0 and t.hits > 1]
            known = {i for _, i in self._gone[zone.zone_id]}
            self._gone[zone.zone_id] += [(now, t.track_id) for t in moving if t.track_id not in known]
            self._gone[zone.zone_id] = [(at, i) for at, i in self._gone[zone.zone_id] if now - at < 3600]

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture: is anything of the wanted classes in the zone at all?"""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        wanted = self._wanted(seen, frame)
        now = frame.clock_s
        tracks = glimpsed(wanted, now)
        return [self._sight(zone, standing_in(zone, tracks, frame), frame, now) for zone in self.zones]

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        """Over time: those that stood long enough."""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        out = []
        for zone in self.zones:
            inside = standing_in(zone, list(self.tracker.tracks.values()), frame)
            # one that opened the condition and still stands keeps it open
            stays = [t for t in inside if t.still_s(now) >= self.params.after_s and self._others(zone, t)]
            out.append(self._sight(zone, stays, frame, now))
        return out

    def _others(self, zone: Zone, track: Track) -> bool:
        if self.params.passed == 0:
            return True
        since = [i for at, i in self._gone[zone.zone_id] if at > track.still_since_s and i != track.track_id]
        return len(since) >= self.params.passed

    def _wanted(self, seen: Detections, frame: Frame) -> Detections:
        found = seen.of(*self.params.classes, confidence=self.params.confidence)
        share = boxes.area(found.xyxy) / (frame.width * frame.height)
        return found.take(np.asarray(share >= self.params.min_area, np.bool_))

    def _sight(self, zone: Zone, stays: list[Track], frame: Frame, now: float) -> Sight:
        if not stays:
            return Sight(zone, False, value=0.0, detail="clear")
        longest = max(stays, key=lambda t: t.still_s(now))
        x1, y1, x2, y2 = (float(v) for v in longest.xyxy)
        names = ", ".join(sorted({t.name for t in stays}))
        return Sight(
            zone,
            True,
            value=round(longest.still_s(now), 1),
            confidence=round(longest.confidence, 3),
            box=frame.normalised((x1, y1, x2, y2)),
            detail=f"{len(stays)} standing: {names}",
        )
