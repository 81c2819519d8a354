"""One measurement of the vision benchmark in a process of its own: ``python -m bench.parts.vision_parts PART JSON``.

Prints one JSON object.  CPU seconds are user and system time of this process and its threads after loading and
warming up, so that neither side pays for imports.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cpu_s() -> float:
    """CPU seconds of this process so far, all threads."""
    times = os.times()
    return times.user + times.system


def frame_ours(clip: str, model: str, size: int) -> dict[str, Any]:
    """Every picture of the clip, decoded and detected by our detector."""
    from core import plugins
    from vision.capture.clips import read_clip

    detector = plugins.build("detector", "yolo_onnx", {"file": model, "size": size})
    _, first = next(iter(read_clip(clip, 100)))
    detector.detect([first] * 3)
    before, frames, seen = cpu_s(), 0, 0
    for _, image in read_clip(clip, 100):
        seen += len(detector.detect([image])[0].of(*detector.class_name, confidence=0.2)) > 0
        frames += 1
    return {"frames": frames, "cpu_s": cpu_s() - before, "frames_with_detection": seen}


def frame_peer(clip: str, model: str, size: int, stride: int = 1) -> dict[str, Any]:
    """The stock loop: ``for result in YOLO(model)(clip, stream=True)``; with the times of its detections."""
    from vision.detectors.offline_torch import prepare_ultralytics

    prepare_ultralytics(Path(clip).parent / "ultralytics")
    from ultralytics import YOLO

    yolo = YOLO(model, task="detect")
    for _ in yolo.predict(clip, stream=True, imgsz=size, conf=0.1, verbose=False, vid_stride=50):
        pass
    before, frames, at = cpu_s(), 0, []
    for result in yolo.predict(clip, stream=True, imgsz=size, conf=0.1, verbose=False, vid_stride=stride):
        if (result.boxes.conf >= 0.2).any():
            at.append(frames * stride / 12.5)
        frames += 1
    return {"frames": frames, "cpu_s": cpu_s() - before, "detected_at": at, "frames_with_detection": len(at)}


def cameras_ours(
    clips: list[str], model: str, cameras: int, fps: float, seconds: float, core: int | None, shed: bool = False
) -> dict[str, Any]:
    """So many live cameras (files at their own speed, looped) through capture, gate, batches and algorithm."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    from core.records import AlgorithmConfig, CameraConfig
    from vision.fleet import load_shedding
    from vision.fleet.engine import Engine, Station
    from vision.fleet.leases import Lease
    from vision.judging.analyzer import Analyzer, FrameOutcome
    from vision.judging.detector_pool import DetectorPool

    found: list[tuple[str, str, float]] = []
    wall: dict[str, float] = {}

    def emit(station: Station, outcome: FrameOutcome) -> None:
        found.append((station.camera.camera_id, f"{outcome.finding.kind} {outcome.finding.state}", time.monotonic()))

    engine = Engine(Analyzer(DetectorPool()), emit)
    params = {"detector_params": {"file": model}, "clear_after_s": 5}
    wish = (AlgorithmConfig(kind="flame_smoke", params=params),)
    stations = []
    for i in range(cameras):
        url = f"file://{clips[i % len(clips)]}?loop=1"
        config = CameraConfig(
            camera_id=f"c{i}", name="c", url=url, algorithms=wish, analysis_fps=fps, priority=1 + i % 9
        )
        stations.append(Station(config, Lease(config.camera_id, 1, None), engine.analyzer.pool, engine.wake))
    engine.start()
    for station in stations:
        engine.add(station)
        wall[station.camera.camera_id] = time.monotonic()
        time.sleep(0.02)
    time.sleep(2.0)
    before, start, frames = cpu_s(), time.monotonic(), engine.analyzer.frames
    detected, fewest, shedder = engine.analyzer.detected, fps, load_shedding.Shedder()
    looks, looked, rested, second = [_looks(s) for s in stations], 0, 0, 0
    while time.monotonic() - start < seconds:
        time.sleep(1.0)
        now = [_looks(s) for s in stations]
        looked += sum(min(round(fps), b - a) for a, b in zip(looks, now, strict=True))
        looks, second = now, second + 1
        if shed and second % 3 == 0:
            demand = {
                s.camera.camera_id: load_shedding.Demand(fps, s.capture.fps, s.camera.priority, s.capture.economy)
                for s in stations
            }
            for camera_id, given in shedder.step(engine.load, demand).items():
                stations[int(camera_id[1:])].capture.fps = given
            for station in stations:
                station.capture.rest_s = load_shedding.REST_S if shedder.resting else 0.0
        rested += shedder.resting
        fewest = min(fewest, *(s.capture.fps for s in stations))
    took, used = time.monotonic() - start, cpu_s() - before
    analysed, detected = engine.analyzer.frames - frames, engine.analyzer.detected - detected
    capture_cpu = sum(s.capture.status.cpu_s for s in stations)
    opened = [(c, at - wall[c]) for c, what, at in found if what == "flame_smoke open"]
    for station in stations:
        station.capture.halt()
    engine.halt()
    engine.join(10)  # a model may not be torn down while it runs
    return {
        "cameras": cameras,
        "seconds": took,
        "cpu_s": used,
        "cores": used / took,
        "frames_analysed": analysed,
        "fps_per_camera": analysed / took / cameras,
        "looked_at_per_camera_s": looked / second / cameras,
        "resting_share": rested / second,
        "detected": detected,
        "batches": sum(engine.analyzer.pool.batches.values()),
        "pictures": sum(engine.analyzer.pool.pictures.values()),
        "load": engine.load,
        "dropped": sum(s.capture.status.dropped for s in stations),
        "capture_cpu_s": capture_cpu,
        "opened": opened,
        "least_fps_given": fewest,
        "slowed": sum(1 for s in stations if s.capture.fps < fps),
        "slowed_by_priority": {
            str(p): sum(1 for s in stations if s.camera.priority == p and s.capture.fps < fps) for p in range(1, 10)
        },
    }


def _looks(station: Any) -> int:
    """How often a camera was looked at so far: pictures analysed, and half seconds judged by their packets' sizes."""
    status = station.capture.status
    return int(status.frames - status.dropped + status.glances)


def visits_ours(clips: list[str], model: str, count: int) -> dict[str, Any]:
    """What a patrol visit costs, without the network."""
    from core.records import AlgorithmConfig, CameraConfig
    from vision.fleet.patrol import PatrolMemory, visit
    from vision.judging.detector_pool import DetectorPool

    pool = DetectorPool()
    wish = (AlgorithmConfig(kind="flame_smoke", params={"detector_params": {"file": model}}),)
    camera = CameraConfig(camera_id="c", name="c", url=clips[0], algorithms=wish)
    visit(camera, PatrolMemory(), pool)
    before, pictures = cpu_s(), []
    for i in range(count):
        config = CameraConfig(camera_id=f"c{i}", name="c", url=clips[i % len(clips)], algorithms=wish)
        pictures.append(visit(config, PatrolMemory(), pool).pictures)
    return {"visits": count, "cpu_s_per_visit": (cpu_s() - before) / count, "pictures": pictures}


if __name__ == "__main__":
    part, arguments = sys.argv[1], json.loads(sys.argv[2])
    parts: dict[str, Callable[..., dict[str, Any]]] = {
        "frame_ours": frame_ours,
        "frame_peer": frame_peer,
        "cameras_ours": cameras_ours,
        "visits_ours": visits_ours,
    }
    result = parts[part](**arguments)
    print("\n" + json.dumps(result), flush=True)
    os._exit(0)  # capture threads may still be inside ffmpeg: nothing is left to tidy up
