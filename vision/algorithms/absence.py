"""Absence from the duty zone (离岗): fewer than ``min_staff`` people for ``after_s``.

GB 25506-2010 §4.2.1: a fire-control room is staffed by at least two people at any hour; where the province allows
lone duty, set ``min_staff`` to 1, or per shift in the zone's schedule.  Leaving to confirm an alarm is normal (one
goes, one stays): ``lone_after_s`` gives a longer time while somebody is still there (suggested: 600 s).

A person counts from ``confidence`` on; one who was already there keeps counting from ``hold_confidence`` on
(sitting behind a monitor, bending down) for at most ``hold_s``.  In a dark room nothing is judged: the clock stops,
and camera health tells of the dark.  With the lights off and only monitors lit, people who are seen count, but that
nobody is seen proves nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import ZoneAlgorithm, union
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging import boxes
from vision.judging.arm_schedule import armed_at
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.zones import centre_points, contains, foot_points, mask
from vision.params import Seconds, Share

ABOUT = About(
    zh="离岗",
    en="Post left unattended",
    params={
        "min_staff": Words("最少人数", "People at least"),
        "lone_after_s": Words("单人在岗多久报警（秒）", "With one left: must last (s)"),
        "hold_s": Words("被遮挡时保留（秒）", "Hidden people count for (s)"),
    },
    expert={
        "hold_confidence": Words("保留目标的置信度", "Confidence to keep a person"),
        "anchor": Words("判定点", "Point that must lie in the zone"),
    },
)

DIM = 20.0  # grey level


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds unless named otherwise.  ``anchor``: which point of a person must lie in the zone."""

    min_staff: int = 2
    after_s: Seconds = 60.0
    lone_after_s: Seconds | None = None
    clear_after_s: Seconds = 0.5
    blink_s: Seconds = 0.8
    confidence: Share = 0.45
    hold_confidence: Share = 0.3
    hold_s: Seconds = 60.0
    anchor: Literal["foot", "centre"] = "foot"
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.min_staff < 1:
            raise ValueError("min_staff must be at least 1")
        if self.after_s < 0 or self.clear_after_s < 0:
            raise ValueError("after_s and clear_after_s must not be negative")
        if not 0 < self.hold_confidence <= self.confidence <= 1:
            raise ValueError("0 < hold_confidence ≤ confidence ≤ 1 must hold")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Absence:
    return Absence(params, zones)


class Absence(ZoneAlgorithm):
    """See the module's text.  ``value`` is the number of people in the zone."""

    kind = "absence"
    unit = "people"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(params.after_s, params.clear_after_s, params.blink_s))
        self.params = params
        self.needs = (Need(params.detector, ("person",), params.detector_params),)
        self._held: NDArray[np.float32] = np.zeros((0, 4), np.float32)
        self._held_since: NDArray[np.float64] = np.zeros(0)

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """People per zone; ``present`` means that too few are there."""
        if frame.dark:
            return [Sight(zone, None, detail="too dark to see people") for zone in self.zones]
        people = self._people(seen, frame.at.timestamp())
        points = (foot_points if self.params.anchor == "foot" else centre_points)(
            people.xyxy, frame.width, frame.height
        )
        sights = []
        for zone in self.zones:
            here = people.take(contains(zone, points))
            wanted = int(armed_at(zone.schedule, frame.at).shift.get("min_staff", self.params.min_staff))
            missing: bool | None = len(here) < wanted
            if missing and _lights_off(zone, frame):
                missing = None
            sights.append(
                Sight(
                    zone,
                    missing,
                    value=float(len(here)),
                    confidence=_certainty(seen, here),
                    box=union([frame.normalised(here.box(r)) for r in range(len(here))]),
                    detail=f"{len(here)} of {wanted} people",
                )
            )
        return sights

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]:
        """As the base, with more patience while somebody is still there."""
        p = self.params
        if p.lone_after_s is not None:
            for sight in self.judge(seen, frame):
                if not self.standing[sight.zone.zone_id].is_open:
                    self.standing[sight.zone.zone_id].after_s = p.lone_after_s if sight.value else p.after_s
        return super().update(seen, frame, now)

    def _people(self, seen: Detections, now: float) -> Detections:
        """Certain people, and uncertain ones where a certain one was a moment ago."""
        p = self.params
        people = seen.of("person", confidence=p.hold_confidence)
        certain = people.confidence >= p.confidence
        since = np.where(certain, now, -np.inf)
        if len(self._held) and len(people):
            overlap = boxes.iou(people.xyxy, self._held)
            best = overlap.argmax(axis=1)
            known = overlap[np.arange(len(people)), best] > 0.35
            since = np.where(~certain & known, self._held_since[best], since)
        keep = (since > now - p.hold_s) | certain
        people, since = people.take(keep), since[keep]
        recent = self._held_since > now - 2.0  # one who vanished may show again at the same place
        if len(people) and len(self._held):
            recent &= ~(boxes.iou(self._held, people.xyxy) > 0.35).any(axis=1)
        self._held = np.concatenate([people.xyxy, self._held[recent]])
        self._held_since = np.concatenate([since, self._held_since[recent]])
        return people


def _lights_off(zone: Zone, frame: Frame) -> bool:
    """Whether four fifths of the zone are too dark to see anybody in it."""
    height, width = frame.thumb.shape
    inside = frame.thumb[mask(zone, width, height) > 0]
    return bool(inside.size) and float(np.percentile(inside, 80)) < DIM


def _certainty(seen: Detections, here: Detections) -> float:
    """How sure the count is: that of the weakest person counted, or that nothing else resembles a person."""
    if len(here):
        return round(float(here.confidence.min()), 3)
    others = seen.of("person")
    return round(1.0 - (float(others.confidence.max()) if len(others) else 0.0), 3)
