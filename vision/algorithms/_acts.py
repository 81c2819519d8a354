"""What one person does, confirmed over time: the shared part of phone use, smoking and sleeping.

Every tracked person in the zone is looked at closely (their own crop, so that small things are large enough); an act is
confirmed when it was seen on at least ``share`` of the pictures of the last ``after_s`` seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from core.records import Zone
from vision.algorithms._base import ZoneAlgorithm, standing_in
from vision.capture.frames import Frame
from vision.detections import Box, Detections, Image
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need, Sight
from vision.judging.hysteresis import HeldState
from vision.judging.tracking import Track, Tracker, glimpsed
from vision.params import Seconds, Share


class ActParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``after_s`` the time over which the act is confirmed; ``share`` of its pictures that must show it;
    ``max_people`` looked at on one picture (the largest first); ``min_height`` of a person, share of the picture."""

    after_s: Seconds = 3.0
    clear_after_s: Seconds = 5.0
    share: Share = 0.5
    min_hits: int = 3
    person_confidence: Share = 0.45
    max_people: int = 6
    min_height: Share = 0.12
    detector: str = "nanodet"
    detector_params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.after_s < 0 or self.clear_after_s < 0:
            raise ValueError("after_s and clear_after_s must not be negative")
        if not 0 < self.share <= 1 or self.min_hits < 1:
            raise ValueError("0 < share ≤ 1 and min_hits ≥ 1 must hold")


@dataclass(frozen=True)
class Act:
    """What a close look showed: how sure, where (pixels), and in words."""

    score: float
    box: Box
    detail: str


@dataclass
class _History:
    looks: deque[tuple[float, Act | None]] = field(default_factory=deque)


class PersonActs(ZoneAlgorithm):
    """Subclasses set ``kind`` and write ``look``.  ``value``: people who do it."""

    unit = "people"

    def __init__(self, params: ActParams, zones: tuple[Zone, ...], pool: DetectorPool | None) -> None:
        super().__init__(zones, lambda: HeldState(0.0, params.clear_after_s, blink_s=0.5))
        self.params = params
        self.pool = pool or DetectorPool()
        self.needs = (Need(params.detector, ("person",), params.detector_params),)
        self.tracker = Tracker(patience_s=3.0)
        self._history: dict[int, _History] = {}

    def look(self, frame: Frame, person: Track, now: float) -> Act | None:
        """A close look at one person."""
        raise NotImplementedError

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        if frame.dark:
            return
        here = self.tracker.update(self._people(seen, frame), now)
        here = sorted(here, key=lambda t: -float(t.xyxy[3] - t.xyxy[1]))[: self.params.max_people]
        zoned = {id(t) for zone in self.zones for t in standing_in(zone, here, frame)}
        for person in here:
            if id(person) not in zoned:
                continue
            history = self._history.setdefault(person.track_id, _History())
            history.looks.append((now, self.look(frame, person, now)))
            while history.looks[0][0] < now - max(self.params.after_s, 1.0):
                history.looks.popleft()
        self._history = {i: h for i, h in self._history.items() if i in self.tracker.tracks}

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture, one close look at everybody in the zone."""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        people = self._people(seen, frame)
        now = frame.clock_s
        tracks = glimpsed(people, now)
        out = []
        for zone in self.zones:
            acts = [a for t in standing_in(zone, tracks, frame) if (a := self.look(frame, t, now)) is not None]
            out.append(self._sight(zone, acts, frame))
        return out

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        out = []
        for zone in self.zones:
            inside = standing_in(zone, list(self.tracker.tracks.values()), frame)
            acts = [a for t in inside if (a := self._confirmed(t, now)) is not None]
            out.append(self._sight(zone, acts, frame))
        return out

    def _confirmed(self, person: Track, now: float) -> Act | None:
        history = self._history.get(person.track_id)
        if history is None or not history.looks:
            return None
        acts = [a for _, a in history.looks if a is not None]
        first = next((at for at, a in history.looks if a is not None), now)
        # at few pictures a second the time may hold fewer than min_hits looks: then all of them must show it
        enough = len(acts) >= min(self.params.min_hits, max(len(history.looks), 2))
        if not enough or len(acts) < self.params.share * len(history.looks):
            return None
        if now - first + 1e-6 < 0.8 * self.params.after_s:
            return None
        return max(acts, key=lambda a: a.score)

    def _people(self, seen: Detections, frame: Frame) -> Detections:
        people = seen.of("person", confidence=self.params.person_confidence)
        height = (people.xyxy[:, 3] - people.xyxy[:, 1]) / frame.height
        return people.take(np.asarray(height >= self.params.min_height, np.bool_))

    def _sight(self, zone: Zone, acts: list[Act], frame: Frame) -> Sight:
        if not acts:
            return Sight(zone, False, value=0.0, detail="nobody does")
        best = max(acts, key=lambda a: a.score)
        return Sight(
            zone,
            True,
            value=float(len(acts)),
            confidence=round(best.score, 3),
            box=frame.normalised(best.box),
            detail=best.detail,
        )


def crop(image: Image, box: Box, grow: float = 0.1) -> tuple[Image, float, float]:
    """The part of ``image`` in ``box``, grown by a share of its size; with the left and top offset in pixels."""
    x1, y1, x2, y2 = box
    dx, dy = (x2 - x1) * grow, (y2 - y1) * grow
    left, top = max(int(x1 - dx), 0), max(int(y1 - dy), 0)
    right, bottom = min(int(x2 + dx) + 1, image.shape[1]), min(int(y2 + dy) + 1, image.shape[0])
    return image[top:bottom, left:right], float(left), float(top)


def upper(box: Box, share: float = 0.6) -> Box:
    """The upper ``share`` of a person's box: head, hands, what they hold."""
    x1, y1, x2, y2 = box
    return x1, y1, x2, y1 + max((y2 - y1) * share, min(x2 - x1, y2 - y1))
