"""Patrol: thousands of cameras visited in the order of risk, a few stills each, judged by the same algorithms.

A visit opens the stream, takes ``stills`` pictures ``gap_s`` apart, asks every algorithm's ``judge`` and leaves.  A
condition counts when a majority of the pictures shows it (for flame and smoke: when it is confirmed over a few more
pictures, as lamps and sunsets fool single ones; the visit ends as soon as those to come could not confirm it any more);
what an earlier visit opened and this one does not see is cleared.  A stream that gives no picture is a camera-health
finding.  No clocks run between visits: algorithms whose meaning is duration (absence) say what they see at that moment.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.errors import YiwangError
from core.records import AlgorithmConfig, CameraConfig
from vision.capture.frames import Frame
from vision.capture.stills import grab
from vision.detections import Detections, empty, merge
from vision.errors import StreamFailed
from vision.judging.analyzer import FrameOutcome, build_algorithm
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Algorithm, Sight, VisionFinding

# how much a camera's place matters; the rest is how long ago and what was found there
CATEGORY_RISK = {
    "fuel_station": 5.0,
    "fire_control_room": 5.0,
    "key_fire_site": 4.0,
    "warehouse": 3.0,
    "waterlogging": 3.0,
    "traffic": 1.5,
}
NOT_ON_PATROL = {"absence", "sleeping", "tidiness", "camera_health"}  # they need time, or are judged anyway


@dataclass(frozen=True)
class Confirmation:
    """One picture proves nothing: ``stills`` are taken, and the condition must be in at least ``hits`` of them."""

    stills: int
    hits: int

    def enough(self, algorithm: Algorithm) -> int:
        """After so many pictures without it, those to come cannot confirm it any more."""
        return self.stills - int(getattr(getattr(algorithm, "params", None), "min_hits", self.hits)) + 1


CONFIRMED = {"flame_smoke": Confirmation(7, 4)}


@dataclass(frozen=True)
class PatrolMemory:
    """What is known of a camera from earlier visits; times in seconds since the epoch."""

    visited: float = 0.0
    found: int = 0  # findings opened so far
    standing: tuple[str, ...] = ()  # "kind" or "kind|zone"


@dataclass
class PatrolVisit:
    """One camera's visit: outcomes to publish, the new memory, and what it cost."""

    camera: CameraConfig
    outcomes: list[FrameOutcome] = field(default_factory=list)
    memory: PatrolMemory = field(default_factory=PatrolMemory)
    pictures: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    problem: str = ""


def risk(camera: CameraConfig, memory: PatrolMemory, now: float) -> float:
    """How urgent a visit is: place × time since the last (in hours, at most a day) × what was found there before."""
    hours = min((now - memory.visited) / 3600, 24.0) if memory.visited else 24.0
    place = CATEGORY_RISK.get(camera.category, 1.0) * (1.0 + (5 - min(max(camera.priority, 1), 9)) * 0.1)
    past = 1.0 + min(memory.found, 10) * 0.2 + (2.0 if memory.standing else 0.0)
    return place * past * (0.05 + hours)


def order(cameras: Iterable[CameraConfig], memories: Mapping[str, PatrolMemory], now: float) -> list[CameraConfig]:
    """The cameras, most urgent first."""
    return sorted(
        (c for c in cameras if c.enabled),
        key=lambda c: (-risk(c, memories.get(c.camera_id, PatrolMemory()), now), c.camera_id),
    )


def visit(
    camera: CameraConfig,
    memory: PatrolMemory,
    pool: DetectorPool,
    extra: tuple[AlgorithmConfig, ...] = (),
    *,
    stills: int = 3,
    gap_s: float = 0.4,
    timeout_s: float = 6.0,
) -> PatrolVisit:
    """Visit one camera with its own algorithms and ``extra`` ones; never raises for the camera's faults."""
    began, cpu = time.monotonic(), time.thread_time()
    out = PatrolVisit(camera)
    standing: set[str] = set()
    try:
        wanted = {a.kind: a for a in (*extra, *camera.algorithms) if a.kind not in NOT_ON_PATROL}
        algorithms = [build_algorithm(config, camera.zones, pool) for config in wanted.values()]
        most = max([stills, *(CONFIRMED[k].stills for k in CONFIRMED.keys() & wanted.keys())])
        with contextlib.closing(grab(camera, most, gap_s, timeout_s)) as pictures:
            sights = _Sights(pool, pictures)
            sights.more(stills)
            for algorithm in algorithms:
                _judge(out, algorithm, sights, memory, standing)
        out.pictures = len(sights.frames)
        _offline(out, memory, standing, None)
    except StreamFailed as error:
        out.problem = str(error.data.get("detail", error))
        standing |= {s for s in memory.standing if s != "camera_health"}  # not seen is not gone
        _offline(out, memory, standing, out.problem)
    except YiwangError as error:
        out.problem = str(error)
        standing |= set(memory.standing)
    opened = sum(1 for o in out.outcomes if o.finding.state == "open")
    out.memory = PatrolMemory(time.time(), memory.found + opened, tuple(sorted(standing)))
    out.seconds, out.cpu_s = time.monotonic() - began, time.thread_time() - cpu
    return out


class _Sights:
    """The pictures taken so far and what the detectors see in them; more of both when somebody needs them."""

    def __init__(self, pool: DetectorPool, pictures: Iterator[Frame]) -> None:
        self.frames: list[Frame] = []
        self._pool = pool
        self._pictures = pictures
        self._seen: dict[str, list[Detections]] = {}

    def more(self, count: int) -> int:
        """Have ``count`` pictures, if the stream gives them; returns how many there are."""
        self.frames += itertools.islice(self._pictures, max(0, count - len(self.frames)))
        return len(self.frames)

    def of(self, algorithm: Algorithm, index: int) -> Detections:
        """What the algorithm's detectors see in one picture; all pictures taken so far share a batch."""
        for need in algorithm.needs:
            seen = self._seen.setdefault(need.key, [])
            if index >= len(seen):
                seen += self._pool.detect(need, [f.image for f in self.frames[len(seen) :]])
        here = [self._seen[n.key][index] for n in algorithm.needs]
        return merge(here) if here else empty()


def _judge(out: PatrolVisit, algorithm: Algorithm, sights: _Sights, memory: PatrolMemory, standing: set[str]) -> None:
    """Ask one algorithm about the pictures, and note what changed since the last visit."""
    looks: dict[str, list[tuple[Sight, Frame]]] = {}
    opened: set[str] = set()
    confirm = CONFIRMED.get(algorithm.kind)
    count = sights.more(confirm.enough(algorithm)) if confirm else len(sights.frames)
    index = 0
    while index < count:
        frame, here = sights.frames[index], sights.of(algorithm, index)
        if confirm:
            opened |= {f.zone or "" for f in algorithm.update(here, frame, frame.clock_s) if f.state == "open"}
        for sight in algorithm.judge(here, frame):
            looks.setdefault(sight.zone.zone_id, []).append((sight, frame))
        index += 1
        if confirm and index == count and any(s.present is not False for pairs in looks.values() for s, _ in pairs):
            count = sights.more(confirm.stills)
    for zone_id, pairs in looks.items():
        key = f"{algorithm.kind}|{zone_id}" if zone_id else algorithm.kind
        judged = [(s, f) for s, f in pairs if s.present is not None]
        shown = [(s, f) for s, f in judged if s.present]
        if not judged:
            standing |= {key} & set(memory.standing)
            continue
        present = bool(shown) and zone_id in opened if confirm else len(shown) * 2 > len(judged)
        if present:
            standing.add(key)
        if present == (key in memory.standing):
            continue
        sight, frame = (shown if present else judged)[-1]
        finding = VisionFinding(
            kind=algorithm.kind,
            state="open" if present else "clear",
            zone=zone_id or None,
            value=sight.value,
            confidence=sight.confidence,
            box=sight.box,
            attributes={"detail": sight.detail, "patrol": True, "pictures": f"{len(shown)} of {len(judged)}"},
        )
        out.outcomes.append(FrameOutcome(finding, frame, sights.of(algorithm, frame.sequence), algorithm))


def _offline(out: PatrolVisit, memory: PatrolMemory, standing: set[str], problem: str | None) -> None:
    """Camera health: whether the camera gave pictures at all."""
    if problem is not None:
        standing.add("camera_health")
    if (problem is not None) == ("camera_health" in memory.standing):
        return
    reason = f"no pictures on patrol: {problem}" if problem else "pictures arrive again"
    attributes = {"state": "offline", "reason": reason, "patrol": True}
    change: Literal["open", "clear"] = "open" if problem is not None else "clear"
    out.outcomes.append(
        FrameOutcome(VisionFinding("camera_health", change, None, attributes=attributes), None, empty())
    )
