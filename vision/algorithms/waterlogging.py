"""Waterlogging (道路积水): how much of the dry road has vanished under water, how deep, and who stands in it.

*Area*: the share of the zone's structure (lane marks, kerbs, joints) that is gone against a dry reference picture,
taken as the median of ``window_s``, so that passing vehicles and wipers of rain do not count.  *Depth*: marks of a
gauge or of the surroundings (``marks``: depth in cm and where it is on the picture) that are drowned; without marks the
depth is unknown.  *Vehicles*: how many are in the zone meanwhile.  When the structure outside the zone is gone as well
(fog, rain on the lens, a covered or moved camera) nothing is said.

The reference is a picture (``reference``); without one the first ``learn_s`` seconds are taken as dry.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import VEHICLES, ZoneAlgorithm
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.errors import ClipInvalid
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.motion_gate import thumbnail
from vision.judging.water import Covered, covered, mark_visible
from vision.judging.zones import contains, foot_points, mask
from vision.params import Seconds, Share

ABOUT = About(
    zh="道路积水",
    en="Waterlogging",
    params={
        "reference": Words("干燥参考图", "Dry reference picture"),
        "zone_area_m2": Words("区域面积（平方米）", "Area of the zone (m²)"),
        "marks": Words("水深标志", "Depth marks"),
        "least_cm": Words("报警水深（厘米）", "Depth from (cm)"),
        "vehicles": Words("统计水中车辆", "Count vehicles in water"),
    },
    expert={
        "every_s": Words("每隔多久看一次（秒）", "Looks every (s)"),
        "blind": Words("看不清的比例", "Share from which it is blind"),
        "mark_kept": Words("标尺保留比例", "Share of a mark that is kept"),
    },
)

CLASSES_CM = (5.0, 15.0, 27.0, 40.0)  # attention, case, close the lane, block the road
LEAST_STRUCTURE = 60  # pixels
WEATHER = 0.5  # what takes twice as much of the surroundings as of the road is no water


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place that water of ``depth_cm`` just covers; ``box`` x1 y1 x2 y2 in shares of the picture."""

    depth_cm: float
    box: tuple[float, float, float, float]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``share`` of the zone from which it counts as flooded; it clears ``hysteresis`` below that.

    ``zone_area_m2`` turns shares into square metres; ``blind`` is the share of lost structure outside the zone from
    which nothing is judged; ``least_cm`` the depth from which marks alone open a finding.
    """

    reference: str = ""
    learn_s: Seconds = 10.0
    share: Share = 0.12
    hysteresis: Share = 0.04
    after_s: Seconds = 30.0
    clear_after_s: Seconds = 60.0
    window_s: Seconds = 20.0
    every_s: Seconds = 2.0
    blind: Share = 0.6
    zone_area_m2: float = 0.0
    marks: tuple[Mark, ...] = ()
    mark_kept: Share = 0.5
    least_cm: float = 5.0
    confidence: Share = 0.35
    vehicles: bool = True
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if not 0 < self.hysteresis < self.share < 1:
            raise ValueError("0 < hysteresis < share < 1 must hold")
        if min(self.learn_s, self.window_s, self.every_s) <= 0:
            raise ValueError("learn_s, window_s and every_s must be above 0")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Waterlogging:
    return Waterlogging(params, zones)


@dataclass
class _Road:
    """What is remembered of one zone."""

    history: deque[tuple[float, Covered]] = field(default_factory=deque)
    flooded: bool = False
    vehicles: int = 0
    depth_cm: float | None = None


class Waterlogging(ZoneAlgorithm):
    """See the module's text.  ``value``: the covered share of the zone."""

    kind = "waterlogging"
    unit = "share"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(params.after_s, params.clear_after_s, blink_s=2 * params.every_s))
        self.params = params
        self.needs = (Need(params.detector, VEHICLES, params.detector_params),) if params.vehicles else ()
        self._roads = {z.zone_id: _Road() for z in self.zones}
        self._dry: NDArray[np.uint8] | None = None  # grey, full size
        self._dry_thumb: NDArray[np.uint8] | None = None
        self._learning: list[NDArray[np.uint8]] = []
        self._since: float | None = None
        self._at = float("-inf")
        if params.reference:
            self._take(_picture(params.reference))

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture against the dry reference."""
        if frame.dark or self._dry_thumb is None:
            why = "too dark to see" if frame.dark else "no dry reference yet"
            return [Sight(z, None, detail=why) for z in self.zones]
        out = []
        for zone in self.zones:
            flooded = self.standing[zone.zone_id].is_open
            road = _Road(flooded=flooded, vehicles=self._count(zone, seen, frame))  # what stays remembered is untouched
            out.append(self._sight(zone, self._measure(zone, frame), frame, road))
        return out

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        if self._since is None:
            self._since = now
        if self._dry_thumb is None:
            self._learn(frame, now)
        if self._dry_thumb is None or frame.dark:
            return self.judge(seen, frame)
        fresh = now - self._at + 1e-6 >= self.params.every_s
        out = []
        for zone in self.zones:
            road = self._roads[zone.zone_id]
            if fresh:
                road.history.append((now, self._measure(zone, frame)))
                road.vehicles = self._count(zone, seen, frame)
            while road.history and road.history[0][0] < now - self.params.window_s:
                road.history.popleft()
            measured = [m for _, m in road.history]
            out.append(self._sight(zone, _median(measured), frame, road))
        if fresh:
            self._at = now
        return out

    def _sight(self, zone: Zone, found: Covered, frame: Frame, road: _Road) -> Sight:
        p = self.params
        if found.outside > p.blind:
            return Sight(
                zone, None, detail=f"the camera sees too little ({found.outside:.0%} of the surroundings gone)"
            )
        depth = road.depth_cm = self.depth_cm(frame)
        known = found.structure >= LEAST_STRUCTURE
        if not known and depth is None:
            return Sight(zone, None, detail="the zone shows too little structure when dry: draw it larger or add marks")
        weather = found.inside < WEATHER * found.outside  # rain on the lens hides the surroundings as well as the road
        road.flooded = known and not weather and found.inside >= p.share - (p.hysteresis if road.flooded else 0.0)
        deep = depth is not None and depth >= p.least_cm
        sure = min(1.0, found.inside / p.share) if road.flooded else (1.0 if deep else 0.0)
        words = f"{found.inside:.0%} of the road covered"
        words += f", {depth:g} cm or more" if depth else ""
        words += f", {road.vehicles} vehicles" if road.vehicles and (road.flooded or deep) else ""
        return Sight(zone, road.flooded or deep, round(found.inside, 3), round(sure, 3), _bounds(zone), words)

    def depth_cm(self, frame: Frame) -> float | None:
        """The deepest mark that is drowned together with all lower ones; 0 when none is; None without marks."""
        if not self.params.marks or self._dry is None:
            return None
        grey = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
        dry = self._dry
        if grey.shape != dry.shape:  # the reference came from the main stream, say
            dry = np.asarray(cv2.resize(dry, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)
        depth = 0.0
        for mark in sorted(self.params.marks, key=lambda m: m.depth_cm):
            if mark_visible(dry, grey, mark.box) >= self.params.mark_kept:
                break
            depth = mark.depth_cm
        return depth

    def _finding(self, change: Any, sight: Sight, lasted: float) -> VisionFinding:
        finding = super()._finding(change, sight, lasted)
        share = sight.value or 0.0
        road = self._roads[sight.zone.zone_id]
        finding.attributes["vehicles"] = road.vehicles
        if self.params.zone_area_m2:
            finding.attributes["area_m2"] = round(share * self.params.zone_area_m2, 1)
        if road.depth_cm is not None:
            finding.attributes.update(depth_cm=road.depth_cm, depth_level=depth_level(road.depth_cm))
        return finding

    def _measure(self, zone: Zone, frame: Frame) -> Covered:
        assert self._dry_thumb is not None
        if frame.thumb.shape != self._dry_thumb.shape:
            return Covered(0.0, 1.0, 0)  # another view: nothing can be compared
        inside = mask(zone, frame.thumb.shape[1], frame.thumb.shape[0]) > 0
        return covered(self._dry_thumb, frame.thumb, inside)

    def _count(self, zone: Zone, seen: Detections, frame: Frame) -> int:
        found = seen.of(*VEHICLES, confidence=self.params.confidence)
        return int(contains(zone, foot_points(found.xyxy, frame.width, frame.height)).sum()) if len(found) else 0

    def _learn(self, frame: Frame, now: float) -> None:
        """Collect pictures for ``learn_s`` and take their median as the dry road: passing vehicles vanish."""
        if frame.dark or (self._learning and now - self._at < self.params.learn_s / 12):
            return
        self._at = now
        self._learning.append(np.asarray(frame.image, np.uint8))
        assert self._since is not None
        if now - self._since + 1e-6 >= self.params.learn_s:
            same = [i for i in self._learning if i.shape == frame.image.shape]
            self._take(np.asarray(np.median(np.stack(same), axis=0), np.uint8))
            self._learning.clear()
            self._at = float("-inf")

    def _take(self, picture: NDArray[np.uint8]) -> None:
        self._dry = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        self._dry_thumb = thumbnail(picture)


def depth_level(depth_cm: float) -> int:
    """0 below 5 cm, 1 attention, 2 a case (15 cm), 3 close the lane (27 cm), 4 block the road (40 cm)."""
    return sum(depth_cm >= step for step in CLASSES_CM)


def _median(measured: list[Covered]) -> Covered:
    if not measured:
        return Covered(0.0, 0.0, 0)
    return Covered(
        float(np.median([m.inside for m in measured])),
        float(np.median([m.outside for m in measured])),
        int(np.median([m.structure for m in measured])),
    )


def _bounds(zone: Zone) -> tuple[float, float, float, float]:
    x, y = [p[0] for p in zone.polygon], [p[1] for p in zone.polygon]
    return min(x), min(y), max(x), max(y)


def _picture(path: str) -> NDArray[np.uint8]:
    picture = cv2.imread(str(Path(path).expanduser()), cv2.IMREAD_COLOR)
    if picture is None:
        raise ClipInvalid(path=path, detail="the dry reference is not a readable picture")
    return np.asarray(picture, np.uint8)
