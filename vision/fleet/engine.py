"""The analysing thread of a worker: newest pictures of all its cameras → findings."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.records import CameraConfig
from vision.capture.camera_thread import CameraCapture
from vision.capture.frames import Frame
from vision.detections import empty
from vision.fleet.leases import Lease
from vision.judging.analyzer import Analyzer, CameraAnalysis, FrameOutcome
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Sight
from vision.judging.zones import WHOLE

log = logging.getLogger("yiwang.vision.engine")

TICK_S = 0.5
QUIET_S = 5.0  # without motion for so long, key frames are enough
LOOK_FRAMES = 5
SPARE_LOAD = 0.6  # above, no camera is hurried: others would go short


@dataclass
class Look:
    """Somebody asks whether a condition is still there; resolved on the event loop."""

    kind: str
    zone: str | None
    answer: asyncio.Future[list[tuple[Sight, Frame]]]
    seen: list[tuple[Sight, Frame]] = field(default_factory=list)


class Station:
    """A camera that this worker holds: its capture, what is remembered of it, and who waits for a look.

    One that follows ``before`` (the same camera, configured anew) keeps its stream where the address stayed, and the
    memory of every algorithm that stayed.
    """

    def __init__(
        self,
        camera: CameraConfig,
        lease: Lease,
        pool: DetectorPool,
        wake: Callable[[], None],
        before: Station | None = None,
    ) -> None:
        self.camera = camera
        self.lease = lease
        self.analysis: CameraAnalysis = CameraAnalysis(camera, pool, before=before.analysis if before else None)
        kept = before is not None and before.capture.serves(camera)
        self.capture: CameraCapture = before.capture if before is not None and kept else CameraCapture(camera, wake)
        self.looks: list[Look] = before.looks if before is not None else []
        self.standing: dict[tuple[str, str | None], float] = {}  # (kind, zone) → since when, wall time
        self.started = time.monotonic()
        self.changed = True

    def note(self, outcome: FrameOutcome) -> None:
        """Remember what stands, for the live state and for whoever takes over."""
        f = outcome.finding
        if f.kind != "camera_health":
            if f.state == "open":
                self.standing[(f.kind, f.zone)] = time.time()
            else:
                self.standing.pop((f.kind, f.zone), None)
        self.changed = True


class Engine(threading.Thread):
    """Analyses whatever cameras have new; ``emit`` gets every outcome and may block (the newest picture wins then)."""

    def __init__(self, analyzer: Analyzer, emit: Callable[[Station, FrameOutcome], None]) -> None:
        super().__init__(name="analysis", daemon=True)
        self.analyzer = analyzer
        self.stations: dict[str, Station] = {}
        self.load = 0.0  # share of the last seconds that analysing took
        self._busy, self._since = 0.0, time.monotonic()
        self._emit = emit
        self._wake = threading.Event()
        self._halt = threading.Event()
        self._lock = threading.Lock()

    # for others ----------------------------------------------------------
    def wake(self) -> None:
        self._wake.set()

    def add(self, station: Station) -> None:
        """Analyse a camera from now on, in place of what was known of it before."""
        with self._lock:
            before = self.stations.get(station.camera.camera_id)
            self.stations[station.camera.camera_id] = station
        if before is not None and before.capture is not station.capture:
            before.capture.halt()
        station.capture.configure(station.camera)
        if not station.capture.is_alive():
            station.capture.start()

    def remove(self, camera_id: str) -> Station | None:
        """Stop analysing a camera; its capture ends by itself."""
        with self._lock:
            station = self.stations.pop(camera_id, None)
        if station is not None:
            station.capture.halt()
            for look in station.looks:
                _resolve(look)
        return station

    def halt(self) -> None:
        self._halt.set()
        self._wake.set()

    def held(self) -> list[Station]:
        with self._lock:
            return list(self.stations.values())

    # the thread ----------------------------------------------------------
    def run(self) -> None:
        ticked = 0.0
        troubled = False
        while not self._halt.is_set():
            self._wake.wait(TICK_S)
            self._wake.clear()
            start = time.monotonic()
            try:
                self._round()
                if time.monotonic() - ticked >= TICK_S:
                    ticked = time.monotonic()
                    self._tick(ticked)
                if troubled:
                    log.warning("analysis works again")
                troubled = False
            except Exception:  # noqa: BLE001 — supervisor: one camera's surprise must not end the others' analysis
                if not troubled:
                    log.exception("analysis failed; going on")
                troubled = True
            self._measure(start)

    def _measure(self, start: float) -> None:
        """Wall time spent in rounds, over windows of about three seconds."""
        now = time.monotonic()
        self._busy += now - start
        if now - self._since >= 3.0:
            self.load = self._busy / (now - self._since)
            self._busy, self._since = 0.0, now

    def _round(self) -> None:
        """One picture of every camera that has a new one."""
        work = []
        for station in self.held():
            frame = station.capture.take()
            if frame is not None:
                station.analysis.look_closely = bool(station.looks)
                work.append((station, frame))
        if not work:
            return
        by_analysis = {id(s.analysis): s for s, _ in work}
        for analysis, outcome in self.analyzer.step_by_camera([(s.analysis, f) for s, f in work]):
            station = by_analysis[id(analysis)]
            station.note(outcome)
            self._emit(station, outcome)
        for station, frame in work:
            self._answer(station, frame)
            quiet = frame.clock_s - station.analysis.last_motion > QUIET_S
            pace = station.analysis.pace
            station.capture.economy = quiet and not station.looks and not pace
            short = station.capture.fps < station.camera.analysis_fps or self.load > SPARE_LOAD
            station.capture.pace = 0.0 if short else pace

    def _answer(self, station: Station, frame: Frame) -> None:
        for look in list(station.looks):
            sight = _sight(station, look, frame)
            if sight is not None:
                look.seen.append((sight, frame))
            if sight is None or len(look.seen) >= LOOK_FRAMES:
                station.looks.remove(look)
                _resolve(look)

    def _tick(self, now: float) -> None:
        """Cameras that gave nothing for a while."""
        for station in self.held():
            status, health = station.capture.status, station.analysis.health
            silent = now - max(status.last_frame, status.heard, station.started)
            patience = 3.0
            if status.state == "online":
                waits = (1.0 / station.capture.fps, station.capture.resting_s, status.interval_s)
                patience = max(patience, 3 * max(waits))
            if health is None or silent < patience:
                continue
            reason = status.reason if status.state != "online" else "the stream stands still"
            for finding in health.offline(now, reason):
                outcome = FrameOutcome(finding, None, empty())
                station.note(outcome)
                self._emit(station, outcome)


def _sight(station: Station, look: Look, frame: Frame) -> Sight | None:
    """What the asked algorithm sees; None when the camera does not run it."""
    for algorithm in station.analysis.algorithms:
        if algorithm.kind == look.kind:
            for sight in algorithm.judge(station.analysis.seen_by(algorithm, frame), frame):
                if look.zone in (None, "", sight.zone.zone_id):
                    return sight
    health = station.analysis.health
    if look.kind == "camera_health" and health is not None:
        faults = health.open_states
        return Sight(WHOLE, bool(faults), detail=", ".join(faults) or "sees well")
    return None


def _resolve(look: Look) -> None:
    def settle() -> None:
        if not look.answer.done():
            look.answer.set_result(look.seen)

    look.answer.get_loop().call_soon_threadsafe(settle)
