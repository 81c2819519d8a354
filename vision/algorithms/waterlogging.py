"""Waterlogging (道路积水): how much of the dry road has vanished under water, how deep, and who stands in it.

*Area*: the share of the zone's structure (lane marks, kerbs, joints) that is gone against what the camera has seen of
the dry road in all weathers (:mod:`vision.judging.dry_range`), vehicles left out, taken as the median of ``window_s``.
Rain on the lens, haze and dusk take structure from the surroundings as well: what counts is what the road lost beyond
them.  Far above the camera's own dry range it is water (``waterlogging`` opens); a little above, ``water_suspected``
opens, which opens no case by itself: a gauge that agrees does, or a person who is asked.  When the surroundings are
gone (fog, a covered or moved camera) nothing is said.  *Depth*: marks of a gauge or of the surroundings (``marks``:
depth in cm and where it is on the picture) that are drowned; without marks the depth is unknown.  *Vehicles*: how many
are in the zone meanwhile.

The first dry look is a picture (``reference``); without one the first ``learn_s`` seconds are taken as dry.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import VEHICLES, ZoneAlgorithm
from vision.algorithms._water import bounds, depth_level, hidden, median, picture_at
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.detector_pool import DetectorPool
from vision.judging.dry_memory import DryMemory
from vision.judging.dry_range import NEW, DryRange
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.motion_gate import thumbnail
from vision.judging.water import Covered, mark_visible
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

LEAST_STRUCTURE = 60  # pixels
WEATHER = 0.5  # of what the surroundings lost: from here on a road in rain may as well be under water
SAVE_S = 600.0
SUSPECTED = "water_suspected"


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place that water of ``depth_cm`` just covers; ``box`` x1 y1 x2 y2 in shares of the picture."""

    depth_cm: float
    box: tuple[float, float, float, float]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``share`` of the zone that must be gone at least; it clears ``hysteresis`` below the limit that opened it.

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


def build(params: Params, zones: tuple[Zone, ...] = (), pool: DetectorPool | None = None, **_: object) -> Waterlogging:
    return Waterlogging(params, zones, DryMemory(pool.memory if pool else None))


@dataclass
class _Road:
    """What is remembered of one zone."""

    history: deque[tuple[float, Covered]] = field(default_factory=deque)
    dry: DryRange | None = None
    flooded: bool = False
    suspected: bool = False
    vehicles: int = 0
    depth_cm: float | None = None
    saved_s: float = 0.0


class Waterlogging(ZoneAlgorithm):
    """See the module's text.  ``value``: the covered share of the zone."""

    kind = "waterlogging"
    unit = "share"

    def __init__(self, params: Params, zones: tuple[Zone, ...], memory: DryMemory | None = None) -> None:
        def held() -> HeldState:
            return HeldState(params.after_s, params.clear_after_s, blink_s=2 * params.every_s)

        super().__init__(zones, held)
        self.params = params
        self.needs = (Need(params.detector, VEHICLES, params.detector_params),) if params.vehicles else ()
        self._suspected = {z.zone_id: held() for z in self.zones}
        self._roads = {z.zone_id: _Road() for z in self.zones}
        self._memory = memory or DryMemory(None)
        self._dry: NDArray[np.uint8] | None = None  # grey, full size
        self._dry_thumb: NDArray[np.uint8] | None = None
        self._learning: list[NDArray[np.uint8]] = []
        self._since: float | None = None
        self._at = float("-inf")
        if params.reference:
            self._take(picture_at(params.reference))

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture against the camera's dry looks."""
        if frame.dark or self._dry_thumb is None:
            why = "too dark to see" if frame.dark else "no dry reference yet"
            return [Sight(z, None, detail=why) for z in self.zones]
        out = []
        for zone in self.zones:
            dry = self._range(zone, frame)
            found = dry.nearest(frame.thumb, hidden(seen, frame)) if dry else Covered(0.0, 1.0, 0)
            flooded = self.standing[zone.zone_id].is_open
            road = _Road(dry=dry, flooded=flooded, vehicles=self._count(zone, seen, frame))  # what is kept is untouched
            out.append(self._sight(zone, found, frame, road))
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
            dry = self._range(zone, frame)
            if fresh:
                found = dry.measure(frame.thumb, hidden(seen, frame)) if dry else Covered(0.0, 1.0, 0)
                road.history.append((now, found))
                road.vehicles = self._count(zone, seen, frame)
            while road.history and road.history[0][0] < now - self.params.window_s:
                road.history.popleft()
            found = median([m for _, m in road.history])
            out.append(self._sight(zone, found, frame, road))
            if fresh and out[-1].present is False and not road.suspected and dry is not None:
                self._keep(zone, road, dry, found, frame)
        if fresh:
            self._at = now
        return out

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]:
        """As of every zone algorithm; and what may be water opens and clears as :data:`SUSPECTED`."""
        found = super().update(seen, frame, now)
        for zone in self.zones:
            road = self._roads[zone.zone_id]
            held = self._suspected[zone.zone_id]
            lasted = held.lasted(now)
            suspected = road.suspected and not self.standing[zone.zone_id].is_open
            if change := held.feed(None if frame.dark else suspected, now):
                excess = median([m for _, m in road.history]).excess
                words = f"the road lost {excess:.0%} more than its surroundings: gauge or person decides"
                sight = Sight(zone, change == "open", round(excess, 3), 0.4, bounds(zone), words)
                found.append(replace(self._finding(change, sight, lasted), kind=SUSPECTED))
        return found

    def _sight(self, zone: Zone, found: Covered, frame: Frame, road: _Road) -> Sight:
        p = self.params
        road.suspected = False
        if found.outside > p.blind:
            return Sight(
                zone, None, detail=f"the camera sees too little ({found.outside:.0%} of the surroundings gone)"
            )
        depth = road.depth_cm = self.depth_cm(frame)
        known = found.structure >= LEAST_STRUCTURE and road.dry is not None
        if not known and depth is None:
            return Sight(zone, None, detail="the zone shows too little structure when dry: draw it larger or add marks")
        sure, suspect = (road.dry.sure, road.dry.suspect) if road.dry else (2.0, 2.0)
        less = p.hysteresis if road.flooded else 0.0
        enough = known and found.inside >= p.share - less
        road.flooded = enough and found.excess >= sure - 2 * less
        road.suspected = enough and not road.flooded and found.excess >= suspect
        deep = depth is not None and depth >= p.least_cm
        if road.suspected and not deep:
            words = f"{found.inside:.0%} of the road gone, {found.excess:.0%} beyond its surroundings: may be water"
            return Sight(zone, None, round(found.inside, 3), 0.4, bounds(zone), words)
        if enough and not road.flooded and not deep and found.inside >= WEATHER * found.outside and found.outside > NEW:
            words = f"{found.inside:.0%} of the road gone and {found.outside:.0%} around it: rain, haze or water"
            return Sight(zone, None, round(found.inside, 3), detail=words)
        certain = min(1.0, 0.6 + found.excess - sure) if road.flooded else (1.0 if deep else 0.0)
        words = f"{found.inside:.0%} of the road covered"
        words += f", {depth:g} cm or more" if depth else ""
        words += f", {road.vehicles} vehicles" if road.vehicles and (road.flooded or deep) else ""
        wet = road.flooded or deep
        return Sight(
            zone, wet, round(found.inside, 3), round(max(certain, 0.5 if wet else 0.0), 3), bounds(zone), words
        )

    def _range(self, zone: Zone, frame: Frame) -> DryRange | None:
        """What this zone looks like when dry; None for a picture of another shape."""
        assert self._dry_thumb is not None
        if frame.thumb.shape != self._dry_thumb.shape:
            return None  # another view: nothing can be compared
        road = self._roads[zone.zone_id]
        if road.dry is None:
            road.dry = DryRange(self._dry_thumb, mask(zone, frame.thumb.shape[1], frame.thumb.shape[0]) > 0)
            self._memory.load(frame.camera_id, zone.zone_id, road.dry)
            road.saved_s = frame.at.timestamp()
        return road.dry

    def _keep(self, zone: Zone, road: _Road, dry: DryRange, found: Covered, frame: Frame) -> None:
        """A dry look: learnt, and written down now and then."""
        at = frame.at.timestamp()
        dry.learn(frame.thumb, found, at)
        if dry.changed and at - road.saved_s >= SAVE_S:
            road.saved_s = at
            self._memory.save(frame.camera_id, zone.zone_id, dry)

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
