"""Patrol: thousands of cameras visited in the order of risk, a few stills each, judged by the same algorithms.

A visit opens the stream, takes ``stills`` pictures ``gap_s`` apart, asks every algorithm's ``judge`` and leaves.  A
condition counts when a majority of the pictures shows it (for flame and smoke: when it is confirmed over a few more
pictures, as lamps and sunsets fool single ones); what an earlier visit opened and this one does not see is
cleared.  A stream that gives no picture is a camera-health finding.  No clocks run between visits: algorithms whose
meaning is duration (absence) say what they see at that moment.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import av
import av.error
import numpy as np

from core.errors import YiwangError
from core.records import AlgorithmConfig, CameraConfig
from vision.analyzer import Outcome, build_algorithm
from vision.capture import MAX_PIXELS, MAX_WIDTH
from vision.detections import empty, merge
from vision.errors import StreamFailed
from vision.findings import Algorithm, Finding, Sight
from vision.frames import Frame, make_frame
from vision.pool import DetectorPool
from vision.sources import analysis_source, describe

# how much a camera's place matters; the rest is how long ago and what was found there
CATEGORY_RISK = {
    "fuel_station": 5.0,
    "fire_control_room": 5.0,
    "key_fire_site": 4.0,
    "warehouse": 3.0,
    "waterlogging": 3.0,
    "traffic": 1.5,
}
NOT_ON_PATROL = {"absence", "sleeping", "camera_health"}  # they need time, or are judged anyway

CONFIRMED = {"flame_smoke": 7}  # pictures over which these are confirmed; one picture proves nothing


@dataclass(frozen=True)
class Memory:
    """What is known of a camera from earlier visits; times in seconds since the epoch."""

    visited: float = 0.0
    found: int = 0  # findings opened so far
    standing: tuple[str, ...] = ()  # "kind" or "kind|zone"


@dataclass
class Visit:
    """One camera's visit: outcomes to publish, the new memory, and what it cost."""

    camera: CameraConfig
    outcomes: list[Outcome] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    seconds: float = 0.0
    cpu_s: float = 0.0
    problem: str = ""


def risk(camera: CameraConfig, memory: Memory, now: float) -> float:
    """How urgent a visit is: place × time since the last (in hours, at most a day) × what was found there before."""
    hours = min((now - memory.visited) / 3600, 24.0) if memory.visited else 24.0
    place = CATEGORY_RISK.get(camera.category, 1.0) * (1.0 + (5 - min(max(camera.priority, 1), 9)) * 0.1)
    past = 1.0 + min(memory.found, 10) * 0.2 + (2.0 if memory.standing else 0.0)
    return place * past * (0.05 + hours)


def order(cameras: Iterable[CameraConfig], memories: Mapping[str, Memory], now: float) -> list[CameraConfig]:
    """The cameras, most urgent first."""
    return sorted(
        (c for c in cameras if c.enabled),
        key=lambda c: (-risk(c, memories.get(c.camera_id, Memory()), now), c.camera_id),
    )


def grab(camera: CameraConfig, stills: int, gap_s: float, timeout_s: float = 6.0) -> list[Frame]:
    """``stills`` pictures ``gap_s`` of video apart; :class:`StreamFailed` when there is none in time.

    Fewer when the stream ends early.
    """
    source = analysis_source(camera)
    deadline = time.monotonic() + timeout_s + stills * gap_s
    frames: list[Frame] = []
    try:
        limits = None if source.is_file else (timeout_s, timeout_s)
        with av.open(source.address, options=source.options(), timeout=limits) as container:
            if not container.streams.video:
                raise StreamFailed(url=source.shown, detail="there is no video in what it sends")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
                raise StreamFailed(url=source.shown, detail="its pictures are too large")
            due: float | None = None
            for packet in container.demux(stream):
                if time.monotonic() > deadline:
                    break
                for picture in _decoded(packet):
                    at = float(picture.time or 0.0)
                    if due is not None and at + 1e-3 < due:
                        continue
                    due = at + gap_s
                    if picture.width > MAX_WIDTH:
                        height = round(picture.height * MAX_WIDTH / picture.width)
                        picture = picture.reformat(width=MAX_WIDTH, height=height)
                    image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
                    frames.append(make_frame(camera.camera_id, image, datetime.now(UTC), at, len(frames)))
                if len(frames) >= stills:
                    break
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if not frames:
            raise StreamFailed(url=source.shown, detail=describe(error)) from error
    if not frames:
        raise StreamFailed(url=source.shown, detail="no picture in time")
    return frames


def visit(
    camera: CameraConfig,
    memory: Memory,
    pool: DetectorPool,
    extra: tuple[AlgorithmConfig, ...] = (),
    *,
    stills: int = 3,
    gap_s: float = 0.4,
    timeout_s: float = 6.0,
) -> Visit:
    """Visit one camera with its own algorithms and ``extra`` ones; never raises for the camera's faults."""
    began, cpu = time.monotonic(), time.thread_time()
    out = Visit(camera)
    standing: set[str] = set()
    try:
        wanted = {a.kind: a for a in (*extra, *camera.algorithms) if a.kind not in NOT_ON_PATROL}
        confirming = CONFIRMED.keys() & wanted.keys()
        frames = grab(camera, max([stills, *(CONFIRMED[k] for k in confirming)]), gap_s, timeout_s)
        for config in wanted.values():
            _judge(out, build_algorithm(config, camera.zones, pool), frames, pool, memory, standing)
        _offline(out, memory, standing, None)
    except StreamFailed as error:
        out.problem = str(error.data.get("detail", error))
        standing |= {s for s in memory.standing if s != "camera_health"}  # not seen is not gone
        _offline(out, memory, standing, out.problem)
    except YiwangError as error:
        out.problem = str(error)
        standing |= set(memory.standing)
    opened = sum(1 for o in out.outcomes if o.finding.state == "open")
    out.memory = Memory(time.time(), memory.found + opened, tuple(sorted(standing)))
    out.seconds, out.cpu_s = time.monotonic() - began, time.thread_time() - cpu
    return out


def _judge(
    out: Visit, algorithm: Algorithm, frames: list[Frame], pool: DetectorPool, memory: Memory, standing: set[str]
) -> None:
    """Ask one algorithm about all pictures, and note what changed since the last visit."""
    looks: dict[str, list[tuple[Sight, Frame]]] = {}
    opened: set[str] = set()
    seen = {n.key: pool.detect(n, [f.image for f in frames]) for n in algorithm.needs}
    for index, frame in enumerate(frames):
        here = merge([seen[n.key][index] for n in algorithm.needs]) if algorithm.needs else empty()
        if algorithm.kind in CONFIRMED:
            opened |= {f.zone or "" for f in algorithm.update(here, frame, frame.clock_s) if f.state == "open"}
        for sight in algorithm.judge(here, frame):
            looks.setdefault(sight.zone.zone_id, []).append((sight, frame))
    for zone_id, pairs in looks.items():
        key = f"{algorithm.kind}|{zone_id}" if zone_id else algorithm.kind
        judged = [(s, f) for s, f in pairs if s.present is not None]
        shown = [(s, f) for s, f in judged if s.present]
        if not judged:
            standing |= {key} & set(memory.standing)
            continue
        present = len(shown) * 2 > len(judged)
        if algorithm.kind in CONFIRMED:
            present = bool(shown) and zone_id in opened
        if present:
            standing.add(key)
        if present == (key in memory.standing):
            continue
        sight, frame = (shown if present else judged)[-1]
        finding = Finding(
            kind=algorithm.kind,
            state="open" if present else "clear",
            zone=zone_id or None,
            value=sight.value,
            confidence=sight.confidence,
            box=sight.box,
            attributes={"detail": sight.detail, "patrol": True, "pictures": f"{len(shown)} of {len(judged)}"},
        )
        here = merge([seen[n.key][frame.sequence] for n in algorithm.needs]) if algorithm.needs else empty()
        out.outcomes.append(Outcome(finding, frame, here, algorithm))


def _offline(out: Visit, memory: Memory, standing: set[str], problem: str | None) -> None:
    """Camera health: whether the camera gave pictures at all."""
    if problem is not None:
        standing.add("camera_health")
    if (problem is not None) == ("camera_health" in memory.standing):
        return
    reason = f"no pictures on patrol: {problem}" if problem else "pictures arrive again"
    attributes = {"state": "offline", "reason": reason, "patrol": True}
    change: Literal["open", "clear"] = "open" if problem is not None else "clear"
    out.outcomes.append(Outcome(Finding("camera_health", change, None, attributes=attributes), None, empty()))


def _decoded(packet: av.Packet) -> list[av.VideoFrame]:
    """The pictures of a packet; a damaged packet has none (the next key frame mends it)."""
    try:
        return list(packet.decode())
    except (av.error.FFmpegError, ValueError):
        return []
