"""What most algorithms share: zones with their schedules, a standing condition per zone, findings from its changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from core.records import Zone
from vision.capture.frames import Frame
from vision.detections import Box, Detections
from vision.judging.arm_schedule import armed_at, check_schedule
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.tracking import Track
from vision.judging.zones import WHOLE, checked, contains

__all__ = ["PERSON", "VEHICLES", "ZoneAlgorithm", "standing_in", "union"]

PERSON = ("person",)
VEHICLES = ("car", "truck", "bus")


class ZoneAlgorithm:
    """Base: judges every zone, feeds a :class:`HeldState` per zone, tells of changes.

    Subclasses set ``kind`` and ``needs`` and write ``judge`` (one frame, no clocks); those that need memory over frames
    write ``observe`` too, which is called once per frame before its zones are judged.
    """

    kind = ""
    unit = ""
    needs: tuple[Need, ...] = ()
    pace = 0.0

    def __init__(self, zones: tuple[Zone, ...], standing: Callable[[], HeldState]) -> None:
        self.zones = tuple(checked(z) for z in zones) or (WHOLE,)
        for zone in self.zones:
            check_schedule(zone.schedule)
        self.standing = {zone.zone_id: standing() for zone in self.zones}

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        """Remember what later judgements need."""

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """See :class:`vision.judging.findings.Algorithm`."""
        raise NotImplementedError

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        """What feeds the standing conditions; by default what ``judge`` says."""
        return self.judge(seen, frame)

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]:
        """See :class:`vision.judging.findings.Algorithm`."""
        self.observe(seen, frame, now)
        found = []
        for sight in self.sights(seen, frame, now):
            armed = armed_at(sight.zone.schedule, frame.at)
            if not armed.armed:
                sight = replace(sight, present=False, detail=armed.reason)
            standing = self.standing[sight.zone.zone_id]
            lasted = standing.lasted(now)
            change = standing.feed(sight.present, now)
            if change:
                found.append(self._finding(change, sight, lasted))
        return found

    def restore(self, zone: str | None) -> None:
        """See :class:`vision.judging.findings.Algorithm`."""
        standing = self.standing.get(zone or "")
        if standing is not None:
            standing.is_open = True

    def refresh(self) -> None:
        """See :class:`vision.judging.findings.Algorithm`."""

    def _finding(self, change: Any, sight: Sight, lasted: float) -> VisionFinding:
        return VisionFinding(
            kind=self.kind,
            state=change,
            zone=sight.zone.zone_id or None,
            value=sight.value,
            unit=self.unit,
            confidence=sight.confidence,
            box=sight.box,
            attributes={"detail": sight.detail, "lasted_s": round(lasted, 2)},
        )


def union(boxes: list[Box]) -> Box | None:
    """The smallest box around ``boxes``."""
    if not boxes:
        return None
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def standing_in(zone: Zone, tracks: list[Track], frame: Frame) -> list[Track]:
    """The tracks whose foot (middle of the lower edge, a little raised: wheels and shoes) is in ``zone``."""
    if not tracks:
        return []
    xyxy = np.stack([t.xyxy for t in tracks])
    x = (xyxy[:, 0] + xyxy[:, 2]) / 2 / frame.width
    y = (xyxy[:, 3] - 0.1 * (xyxy[:, 3] - xyxy[:, 1])) / frame.height
    inside = contains(zone, np.stack([x.clip(0, 0.9999), y.clip(0, 0.9999)], axis=1))
    return [t for t, good in zip(tracks, inside, strict=True) if good]
