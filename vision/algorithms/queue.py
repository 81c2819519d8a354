"""Queue onto the road (排队溢出): at least ``limit`` vehicles stand one behind the other in the zone.

For a fuel station the zone is drawn on the public road before its entrance.
"""

from __future__ import annotations

from dataclasses import replace

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import VEHICLES, standing_in, union
from vision.algorithms._count import Count, CountParams
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.findings import Sight
from vision.judging.tracking import Tracker
from vision.params import Seconds, Share

ABOUT = About(
    zh="排队占道",
    en="Queue onto the road",
    params={
        "still_s": Words("静止多久算停（秒）", "Still for (s) counts as standing"),
    },
)


class Params(CountParams, frozen=True, forbid_unknown_fields=True):
    """As every counting algorithm; ``still_s``: a vehicle stands when it has not moved for so long."""

    limit: int = 3
    after_s: Seconds = 30.0
    clear_after_s: Seconds = 20.0
    blink_s: Seconds = 3.0
    confidence: Share = 0.4
    classes: tuple[str, ...] = VEHICLES
    still_s: Seconds = 3.0


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Queue:
    return Queue(params, zones)


class Queue(Count):
    """See the module's text.  ``value``: standing vehicles."""

    kind = "queue"
    unit = "vehicles"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(params, zones)
        self.own = params
        self.tracker = Tracker()

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        if not frame.dark:
            self.tracker.update(seen.of(*self.own.classes, confidence=self.own.confidence), now, frame.image)

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        out = []
        for sight in super().sights(seen, frame, now):
            if sight.present is None:
                out.append(sight)
                continue
            inside = standing_in(sight.zone, list(self.tracker.tracks.values()), frame)
            still = [t for t in inside if t.still_s(now) >= self.own.still_s]
            corners = [tuple(float(v) for v in t.xyxy) for t in still]
            out.append(
                replace(
                    sight,
                    present=len(still) >= self.own.limit,
                    value=float(len(still)),
                    box=union([frame.normalised((c[0], c[1], c[2], c[3])) for c in corners]),
                    detail=f"{len(still)} vehicles stand in the zone",
                )
            )
        return out
