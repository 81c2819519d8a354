"""Frames of many cameras → one batch per detector → algorithms → findings."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec.structs import replace as replace_record

from core import plugins
from core.errors import YiwangError
from core.records import AlgorithmConfig, CameraConfig, Zone
from vision.capture.frames import Frame
from vision.detections import Detections, empty, merge
from vision.errors import ClassMissing, ModelInvalid, ModelMissing, ZoneInvalid
from vision.judging.camera_health import CameraHealth
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Algorithm, Need, VisionFinding
from vision.judging.motion_gate import MotionGate
from vision.judging.zones import WHOLE, centre_points, checked, contains

log = logging.getLogger("yiwang.vision")

LEAST_SHARE = 0.9  # of the time between two of a camera's pictures: sooner no detector looks again
MASK = "mask"  # the purpose of a zone in which nothing is judged


@dataclass(frozen=True)
class FrameOutcome:
    """A finding with the frame and the detections it rests on; ``frame`` None: there was no picture."""

    finding: VisionFinding
    frame: Frame | None
    seen: Detections
    algorithm: Algorithm | None = None


def build_algorithm(config: AlgorithmConfig, zones: Sequence[Zone], pool: DetectorPool) -> Algorithm:
    """The algorithm with its zones; its detectors are loaded now, so that a mistake shows at once.

    A parameter ``schedule`` (any algorithm) arms those zones that have none of their own, and the whole picture.
    """
    params = dict(config.params)
    schedule = params.pop("schedule", {})
    missing = set(config.zones) - {z.zone_id for z in zones}
    if missing:
        raise ZoneInvalid(zone=sorted(missing)[0], detail="the camera has no such zone")
    chosen = [z for z in zones if z.zone_id in config.zones and z.purpose != MASK]
    if schedule:
        chosen = [z if z.schedule else replace_record(z, schedule=schedule) for z in chosen or [WHOLE]]
    algorithm: Algorithm = plugins.build("algorithm", config.kind, params, zones=tuple(chosen), pool=pool)
    for need in algorithm.needs:
        pool.get(need, config.kind)
    return algorithm


def masks_of(wanted: AlgorithmConfig, camera: CameraConfig) -> tuple[Zone, ...]:
    """Zones of purpose ``mask`` that hold for an algorithm: those it names, and those that no algorithm names."""
    named = {zone_id for other in camera.algorithms for zone_id in other.zones}
    return tuple(
        checked(z) for z in camera.zones if z.purpose == MASK and (z.zone_id in wanted.zones or z.zone_id not in named)
    )


def unmasked(seen: Detections, masks: tuple[Zone, ...], frame: Frame) -> Detections:
    """``seen`` without what has its middle in a masked place."""
    if not masks or not len(seen):
        return seen
    points = centre_points(seen.xyxy, frame.width, frame.height)
    hidden = np.logical_or.reduce([contains(zone, points) for zone in masks])
    return seen.take(np.asarray(~hidden, np.bool_))


@dataclass(frozen=True)
class _Built:
    """An algorithm and what it was built from: ``zones`` those that it names; a new mask does not build it anew."""

    config: AlgorithmConfig
    zones: tuple[Zone, ...]
    algorithm: Algorithm
    masks: tuple[Zone, ...] = ()


class CameraAnalysis:
    """Everything remembered about one camera between two frames.

    Configured anew (``before``), an algorithm that stayed as it was goes on with its memory, and one whose new
    configuration is wrong goes on as it was; ``problems`` tells of the latter.
    """

    def __init__(
        self,
        config: CameraConfig,
        pool: DetectorPool,
        gate: MotionGate | None = None,
        before: CameraAnalysis | None = None,
    ) -> None:
        self.config = config
        self.gate: MotionGate = gate or (before.gate if before else MotionGate())
        self.health: CameraHealth | None = before.health if before and before.health else CameraHealth()
        self.problems: list[str] = []
        self.model_problems = False  # some of them may be mended by another model file
        self._built: dict[tuple[str, int], _Built] = {}  # a camera may run one kind several times
        counted: Counter[str] = Counter()
        for wanted in config.algorithms:
            key = (wanted.kind, counted[wanted.kind])
            counted[wanted.kind] += 1
            built = self._build(wanted, before._built.get(key) if before else None, pool)
            if built is not None:
                self._built[key] = built
        self.algorithms = [built.algorithm for built in self._built.values()]
        self.needs = tuple({n.key: n for a in self.algorithms for n in a.needs}.values())
        self.seen: dict[str, Detections] = dict(before.seen) if before else {}
        self.failures: int = before.failures if before else 0  # pictures that could not be judged
        self.trouble = ""  # why the last one could not; empty: it could
        self.look_closely = False  # detect on every frame, motion or not: somebody asked
        self.last_motion: float = before.last_motion if before else float("-inf")
        self._looked: dict[str, float] = {}  # when each detector last looked
        self._owed: set[str] = set()  # detectors that have not seen the last motion yet

    def _build(self, wanted: AlgorithmConfig, known: _Built | None, pool: DetectorPool) -> _Built | None:
        zones = tuple(z for z in self.config.zones if z.zone_id in wanted.zones)
        try:
            if wanted.kind == "camera_health":
                params = plugins.parse_params("algorithm", wanted.kind, wanted.params)
                if self.health is None or self.health.params != params:
                    self.health = CameraHealth(params)
                return None
            masks = masks_of(wanted, self.config)
            if known is not None and _same(known, wanted, zones):
                return replace(known, config=wanted, zones=zones, masks=masks)
            return _Built(wanted, zones, build_algorithm(wanted, zones, pool), masks)
        except YiwangError as error:  # one wrong algorithm leaves the others working
            kept = "" if known is None else " (it goes on as it was before)"
            self.problems.append(f"{wanted.kind}: {error}{kept}")
            self.model_problems |= isinstance(error, ModelMissing | ModelInvalid | ClassMissing)
            log.warning("camera %s: %s%s", self.config.camera_id, error, kept)
            return known

    def restore(self, standing: Iterable[tuple[str, str | None]], faults: Iterable[str]) -> None:
        """Go on where another worker stopped: what stood there stands here until seen otherwise."""
        for kind, zone in standing:
            for algorithm in self.algorithms:
                if algorithm.kind == kind:
                    algorithm.restore(zone)
        if self.health is not None:
            self.health.restore(faults)

    def update(self, frame: Frame) -> list[FrameOutcome]:
        """All findings of one frame, whose detections stand in ``seen``."""
        out = []
        if self.health is not None:
            out += [FrameOutcome(f, frame, empty()) for f in self.health.update(frame, frame.clock_s)]
        for algorithm in self.algorithms:
            seen = self.seen_by(algorithm, frame)
            out += [FrameOutcome(f, frame, seen, algorithm) for f in algorithm.update(seen, frame, frame.clock_s)]
        return out

    def failed(self, error: Exception) -> None:
        """A picture of this camera could not be judged: counted, and said once until it can be again."""
        self.failures += 1
        if not self.trouble:
            log.exception("camera %s: a picture cannot be judged; the other cameras go on", self.config.camera_id)
        self.trouble = f"pictures cannot be judged: {type(error).__name__}: {error}".splitlines()[0][:200]

    def due(self, moved: bool, now: float) -> list[Need]:
        """The detectors that shall look now: something moved, and neither is the last look too young (pictures that an
        algorithm asks for besides are for itself) nor does everything that needs it rest."""
        wanted = []
        for need in self.needs:
            if moved:
                self._owed.add(need.key)
            since = now - self._looked.get(need.key, float("-inf"))
            rests = [getattr(a, "rest_s", 0.0) for a in self.algorithms if need in a.needs]
            wait = max(LEAST_SHARE / max(self.config.analysis_fps, 0.01), min(rests, default=0.0))
            if need.key in self._owed and (self.look_closely or not 0 <= since < wait):
                self._owed.discard(need.key)
                self._looked[need.key] = now
                wanted.append(need)
        return wanted

    @property
    def pace(self) -> float:
        """Pictures a second that an algorithm asks for just now; 0: none asks."""
        return max((algorithm.pace for algorithm in self.algorithms), default=0.0)

    def seen_by(self, algorithm: Algorithm, frame: Frame) -> Detections:
        """What the algorithm's detectors last saw, outside its masked places."""
        if not algorithm.needs:
            return empty()
        seen = merge([self.seen.get(n.key, empty(n.classes)) for n in algorithm.needs])
        masks = next((built.masks for built in self._built.values() if built.algorithm is algorithm), ())
        return unmasked(seen, masks, frame)


def _same(known: _Built, wanted: AlgorithmConfig, zones: tuple[Zone, ...]) -> bool:
    """Whether nothing but masks changed since ``known`` was built."""

    def plain(config: AlgorithmConfig, named: tuple[Zone, ...]) -> tuple[object, ...]:
        without = {z.zone_id for z in named if z.purpose == MASK}
        rest = tuple(z for z in named if z.purpose != MASK)
        return config.kind, config.params, tuple(i for i in config.zones if i not in without), rest

    return plain(known.config, known.zones) == plain(wanted, zones)


class Analyzer:
    """Runs the frames of several cameras together; holds no camera state of its own."""

    def __init__(self, pool: DetectorPool, max_batch: int = 16) -> None:
        self.pool = pool
        self.max_batch = max_batch
        self.frames = 0
        self.detected = 0

    def step(self, work: Sequence[tuple[CameraAnalysis, Frame]]) -> list[FrameOutcome]:
        """One frame each of several cameras: gate, detect together, judge."""
        return [outcome for _, outcome in self.step_by_camera(work)]

    def step_by_camera(self, work: Sequence[tuple[CameraAnalysis, Frame]]) -> list[tuple[CameraAnalysis, FrameOutcome]]:
        """As :meth:`step`, each outcome with its camera."""
        gated: list[tuple[CameraAnalysis, Frame]] = []
        opened: list[CameraAnalysis] = []
        wanted: dict[str, tuple[Need, list[tuple[CameraAnalysis, Frame]]]] = {}
        failures = {id(camera): camera.failures for camera, _ in work}
        for camera, given in work:
            moved, frame = _gated(camera, given)
            if moved:
                opened.append(camera)
            due = [] if frame.dark else camera.due(moved, frame.clock_s)
            frame = replace(frame, fresh=bool(due))
            gated.append((camera, frame))
            for need in due:
                wanted.setdefault(need.key, (need, []))[1].append((camera, frame))
            if frame.dark:
                camera.seen.clear()
        self.frames += len(work)
        for need, pairs in wanted.values():
            for start in range(0, len(pairs), self.max_batch):
                batch = pairs[start : start + self.max_batch]
                self._detect(need, batch)
        found = [(camera, outcome) for camera, frame in gated for outcome in _judged(camera, frame)]
        for camera in opened:  # the gate shut proves nothing
            if camera.failures == failures[id(camera)]:
                camera.trouble = ""
        return found

    def _detect(self, need: Need, batch: Sequence[tuple[CameraAnalysis, Frame]]) -> None:
        """One call for the batch; where it fails, one by one, so that one camera's picture spoils no other's."""
        try:
            images, at = [f.image for _, f in batch], [f.clock_s for _, f in batch]
            found = self.pool.detect_of(need, images, [c.config.camera_id for c, _ in batch], at)
        except Exception as error:  # noqa: BLE001 — a run-time's errors share no base
            if len(batch) == 1:
                batch[0][0].seen.pop(need.key, None)
                batch[0][0].failed(error)
                return
            for one in batch:
                self._detect(need, [one])
            return
        for (camera, _), seen in zip(batch, found, strict=True):
            camera.seen[need.key] = seen
        self.detected += len(batch)


def _gated(camera: CameraAnalysis, frame: Frame) -> tuple[bool, Frame]:
    """Whether there is anything new to detect, and the frame with its motion."""
    moved, share = camera.gate.moved(frame.thumb, frame.clock_s)
    if share >= camera.gate.share:
        camera.last_motion = frame.clock_s
    return moved or camera.look_closely, replace(frame, motion=share)


def _judged(camera: CameraAnalysis, frame: Frame) -> list[FrameOutcome]:
    """What the camera's algorithms say; one camera's surprise does not end the others' analysis."""
    try:
        return camera.update(frame)
    except Exception as error:  # noqa: BLE001 — algorithms may be a city's own
        camera.failed(error)
        return []
