"""Congestion (交通拥堵): many vehicles, hardly any of them moving, for longer than a red light lasts.

On every picture the zone is judged by its density (share of the zone that vehicles cover, counted by their lower
halves: tall vehicles hide the road behind them) and by the share of vehicles that stand.  The product's mean over
``after_s`` seconds is the index 0…1; an ordinary red phase fills only part of that time.  Levels with hysteresis:
0 free, 1 slow, 2 congested, 3 blocked; the condition stands from ``level`` on.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import VEHICLES, ZoneAlgorithm, standing_in, union
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.tracking import Track, Tracker
from vision.judging.zones import mask
from vision.params import Seconds, Share

ABOUT = About(
    zh="交通拥堵",
    en="Congestion",
    params={
        "level": Words("从几级报警", "From level"),
        "density": Words("饱和密度", "Density that is full"),
        "min_vehicles": Words("最少车辆数", "Vehicles at least"),
    },
    expert={
        "still_speed": Words("视为静止的速度（车长/秒）", "Standing below (lengths a second)"),
        "steps": Words("分级", "Steps"),
    },
)

_GRID = (90, 160)  # rows, columns on which the share of the road is counted


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``density`` of the zone that counts as full (vehicles keep distances: a jam covers about half of a road);
    ``still_speed`` in vehicle lengths a second below which a vehicle stands."""

    after_s: Seconds = 120.0
    clear_after_s: Seconds = 60.0
    level: int = 2
    density: Share = 0.4
    min_vehicles: int = 3
    still_speed: float = 0.15
    steps: tuple[float, float, float] = (0.3, 0.55, 0.8)
    hysteresis: Share = 0.1
    confidence: Share = 0.3
    classes: tuple[str, ...] = VEHICLES
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if not 1 <= self.level <= 3 or self.after_s <= 0 or self.density <= 0:
            raise ValueError("1 ≤ level ≤ 3, after_s > 0 and density > 0 must hold")
        if list(self.steps) != sorted(self.steps):
            raise ValueError("steps must rise")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Congestion:
    return Congestion(params, zones)


class Congestion(ZoneAlgorithm):
    """See the module's text.  ``value``: the level."""

    kind = "congestion"
    unit = "level"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(0.0, params.clear_after_s, blink_s=5.0))
        self.params = params
        self.needs = (Need(params.detector, tuple(params.classes), params.detector_params),)
        self.tracker = Tracker(patience_s=3.0)
        self.levels = {z.zone_id: 0 for z in self.zones}
        self.details: dict[str, dict[str, float]] = {z.zone_id: {} for z in self.zones}
        self._road = {z.zone_id: mask(z, _GRID[1], _GRID[0]) > 0 for z in self.zones}
        self._jam: dict[str, deque[tuple[float, float]]] = {z.zone_id: deque() for z in self.zones}
        self._here: list[Track] = []

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        if not frame.dark:
            self._here = self.tracker.update(seen.of(*self.params.classes, confidence=self.params.confidence), now)

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture: dense and, as far as the tracks tell, standing."""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        out = []
        for zone in self.zones:
            jam, density, still, here = self._now(zone, frame)
            words = f"{len(here)} vehicles, density {density:.0%}, standing {still:.0%}"
            out.append(self._sight(zone, jam >= self.params.steps[self.params.level - 1], jam, here, frame, words))
        return out

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        out = []
        for zone in self.zones:
            jam, density, still, here = self._now(zone, frame)
            history = self._jam[zone.zone_id]
            history.append((now, jam))
            while history[0][0] < now - self.params.after_s:
                history.popleft()
            # until the window is full, what is not yet known counts as free
            span = max(self.params.after_s, 1e-6)
            known = min(1.0, (now - history[0][0] + span / max(len(history), 1)) / span)
            index = float(np.mean([j for _, j in history])) * (1.0 if known > 0.95 else known)
            level = self._level(zone, index)
            figures = {"index": index, "density": density, "still": still}
            self.details[zone.zone_id] = {name: round(value, 3) for name, value in figures.items()}
            words = f"level {level}: {len(here)} vehicles, density {density:.0%}, standing {still:.0%}"
            sight = self._sight(zone, level >= self.params.level, index, here, frame, words)
            out.append(Sight(zone, sight.present, float(level), sight.confidence, sight.box, words))
        return out

    def _finding(self, change: Any, sight: Sight, lasted: float) -> VisionFinding:
        finding = super()._finding(change, sight, lasted)
        finding.attributes.update(self.details[sight.zone.zone_id])
        return finding

    def _level(self, zone: Zone, index: float) -> int:
        """The level of ``index``; it falls only when the index is clearly below the step."""
        level = self.levels[zone.zone_id]
        steps = self.params.steps
        while level < 3 and index >= steps[level]:
            level += 1
        while level > 0 and index < steps[level - 1] - self.params.hysteresis:
            level -= 1
        self.levels[zone.zone_id] = level
        return level

    def _now(self, zone: Zone, frame: Frame) -> tuple[float, float, float, list[Track]]:
        """(jam 0…1, density 0…1, share standing, vehicles) of this moment."""
        here = standing_in(zone, self._here, frame)
        density = _covered(self._road[zone.zone_id], here, frame)
        known = [t for t in here if t.hits > 1]
        still = sum(1 for t in known if t.speed <= self.params.still_speed) / len(known) if known else 0.0
        fullness = min(1.0, density / self.params.density) if len(here) >= self.params.min_vehicles else 0.0
        return fullness * still, density, still, here

    def _sight(self, zone: Zone, present: bool, index: float, here: list[Track], frame: Frame, words: str) -> Sight:
        corners = [tuple(float(v) for v in t.xyxy) for t in here]
        box = union([frame.normalised((c[0], c[1], c[2], c[3])) for c in corners])
        sure = round(float(np.mean([t.confidence for t in here])), 3) if here else None
        return Sight(zone, present, round(index, 3), sure, box, words)


def _covered(road: NDArray[np.bool_], vehicles: list[Track], frame: Frame) -> float:
    """Share of the road's cells under the lower halves of the vehicles."""
    rows, columns = road.shape
    taken = np.zeros_like(road)
    for track in vehicles:
        x1, y1, x2, y2 = track.xyxy
        top = (y1 + y2) / 2
        r1, r2 = int(top / frame.height * rows), int(np.ceil(y2 / frame.height * rows))
        c1, c2 = int(x1 / frame.width * columns), int(np.ceil(x2 / frame.width * columns))
        taken[max(r1, 0) : r2, max(c1, 0) : c2] = True
    return float((taken & road).sum() / max(int(road.sum()), 1))
