"""What most algorithms share: zones, a standing condition per zone, findings from its changes."""

from __future__ import annotations

from collections.abc import Callable

from core.records import Zone
from vision.detections import Box, Detections
from vision.findings import Finding, Need, Sight
from vision.frames import Frame
from vision.standing import Standing
from vision.zones import WHOLE, checked

__all__ = ["ZoneAlgorithm", "union"]


class ZoneAlgorithm:
    """Base: judges every zone, feeds a :class:`Standing` per zone, tells of changes.

    Subclasses set ``kind`` and ``needs`` and write ``judge``.
    """

    kind = ""
    unit = ""
    needs: tuple[Need, ...] = ()

    def __init__(self, zones: tuple[Zone, ...], standing: Callable[[], Standing]) -> None:
        self.zones = tuple(checked(z) for z in zones) or (WHOLE,)
        self.standing = {zone.zone_id: standing() for zone in self.zones}

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        raise NotImplementedError

    def update(self, seen: Detections, frame: Frame, now: float) -> list[Finding]:
        """See :class:`vision.findings.Algorithm`."""
        found = []
        for sight in self.judge(seen, frame):
            standing = self.standing[sight.zone.zone_id]
            lasted = standing.lasted(now)
            change = standing.feed(sight.present, now)
            if change:
                found.append(
                    Finding(
                        kind=self.kind,
                        state=change,
                        zone=sight.zone.zone_id or None,
                        value=sight.value,
                        unit=self.unit,
                        confidence=sight.confidence,
                        box=sight.box,
                        attributes={"detail": sight.detail, "lasted_s": round(lasted, 2)},
                    )
                )
        return found

    def restore(self, zone: str | None) -> None:
        """See :class:`vision.findings.Algorithm`."""
        standing = self.standing.get(zone or "")
        if standing is not None:
            standing.is_open = True


def union(boxes: list[Box]) -> Box | None:
    """The smallest box around ``boxes``."""
    if not boxes:
        return None
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)
