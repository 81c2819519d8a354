"""Vision: CPU per analysed frame and per camera-hour against stock ultralytics, streams per core, patrol time."""

from __future__ import annotations

import argparse
import heapq
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.parts import takeover
from bench.parts.sight import films
from vision import weights

MODEL, SIZE = "flame_smoke.onnx", 320
STREAMS, DISTRICT, PATROL = 25, 148, 6948


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each live part runs")
    parser.add_argument("--kills", type=int, default=5, help="how often a vision worker is killed")
    parts = ("frame", "hour", "streams", "district", "patrol", "takeover")
    parser.add_argument("--only", choices=parts, help="run one part")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """All parts in one run; figures have their units in their names."""
    figures: dict[str, Any] = {"cpu_count": os.cpu_count(), "model": MODEL, "load_average": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        films, events = _make(Path(name), args.seconds)
        if args.only in (None, "frame"):
            figures["frame"] = _frame(films[0])
        if args.only in (None, "hour", "streams"):
            figures["camera_hour"] = _hour(films, events, args.seconds)
        if args.only in (None, "district"):
            figures["district"] = _district(films, args.seconds)
        if args.only in (None, "patrol"):
            figures["patrol"] = _patrol(films)
        if args.only in (None, "takeover"):
            figures["takeover"] = takeover.measure(films, args.kills)
    return figures


def frame_cost(seconds: float = 12.0) -> dict[str, Any]:
    """CPU seconds per analysed frame, ours and the stock ultralytics stream loop, same export, same film, same run."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        return _frame(films.make(Path(name) / "a.mp4", seconds, [(3, 6)], seed=1))


def _frame(film: Path) -> dict[str, Any]:
    common = {"clip": str(film), "model": str(weights.find(MODEL)), "size": SIZE}
    ours, peer = _part("frame_ours", **common), _part("frame_peer", **common)
    a, b = ours["cpu_s"] / ours["frames"], peer["cpu_s"] / peer["frames"]
    return {
        "frames": ours["frames"],
        "ours_cpu_s_per_frame": round(a, 5),
        "ultralytics_cpu_s_per_frame": round(b, 5),
        "times_cheaper": round(b / a, 2),
        "ours_frames_with_detection": ours["frames_with_detection"],
        "ultralytics_frames_with_detection": peer["frames_with_detection"],
    }


def _make(folder: Path, seconds: float) -> tuple[list[Path], list[tuple[float, float]]]:
    """Five films, each with a fire on another fifth of its time: at any moment a fifth of the cameras see motion."""
    events = [(0.2 * i * seconds, 0.2 * (i + 1) * seconds) for i in range(5)]
    return [films.make(folder / f"{i}.mp4", seconds, [e], seed=1 + 2 * i) for i, e in enumerate(events)], events


def _hour(films: list[Path], events: list[tuple[float, float]], seconds: float) -> dict[str, Any]:
    """25 live sub-streams pinned to one core, and the stock loop on the same film."""
    model = str(weights.find(MODEL))
    clips = [str(f) for f in films]
    ours = _part("cameras_ours", clips=clips, model=model, cameras=STREAMS, fps=2.0, seconds=1.2 * seconds, core=0)
    peer = _part("frame_peer", clip=clips[1], model=model, size=SIZE)
    stride = _part("frame_peer", clip=clips[1], model=model, size=SIZE, stride=6)
    hour = 3600 / seconds
    a, b, c = ours["cpu_s"] / ours["seconds"] * 3600 / STREAMS, peer["cpu_s"] * hour, stride["cpu_s"] * hour
    right = [(c, at) for c, at in ours["opened"] if _inside(at, events[int(c[1:]) % len(events)], seconds)]
    seen = {camera for camera, _ in right}
    return {
        "streams": STREAMS,
        "cores_used": round(ours["cores"], 3),
        "looked_at_per_stream_s": round(ours["looked_at_per_camera_s"], 3),
        "analysed_fps_per_stream": round(ours["fps_per_camera"], 3),
        "detections_per_s": round(ours["detected"] / ours["seconds"], 1),
        "streams_per_core": round(STREAMS / ours["cores"], 1),
        "ours_cpu_s_per_camera_hour": round(a, 1),
        "ultralytics_cpu_s_per_camera_hour": round(b, 1),
        "ultralytics_every_6th_cpu_s_per_camera_hour": round(c, 1),
        "times_cheaper": round(b / a, 1),
        "times_cheaper_than_every_6th": round(c / a, 1),
        "ours_event_recall": round(len(seen) / STREAMS, 3),
        "ultralytics_event_recall": float(any(_inside(t, events[1], seconds) for t in peer["detected_at"])),
        "ours_false_openings": len(ours["opened"]) - len(right),
        "ultralytics_false_detections": sum(1 for t in peer["detected_at"] if not _inside(t, events[1], seconds, 0.0)),
    }


def _inside(at: float, event: tuple[float, float], seconds: float, late_s: float = 6.0) -> bool:
    """Whether a time (of a film that loops) lies in the event or shortly after it."""
    return (at - event[0] + 0.5) % seconds <= event[1] - event[0] + 0.5 + late_s


def _district(films: list[Path], seconds: float) -> dict[str, Any]:
    """148 cameras at 2 pictures a second in two processes: what gives way.

    A camera is looked at when a picture is analysed (decoded, and at least compared with the one before) or when half a
    second of its packets is judged by their sizes; at most the two that were asked for count in a second.
    """
    model, clips = str(weights.find(MODEL)), [str(f) for f in films]
    wish = {"clips": clips, "model": model, "cameras": DISTRICT // 2, "fps": 2.0, "seconds": seconds, "shed": True}
    processes = [_start("cameras_ours", core=core % (os.cpu_count() or 1), **wish) for core in (0, 1)]
    halves = [_finish(p) for p in processes]
    return {
        "cameras": DISTRICT,
        "cores_used": round(sum(h["cores"] for h in halves), 2),
        "looked_at_per_camera_s": round(sum(h["looked_at_per_camera_s"] for h in halves) / 2, 3),
        "analysed_fps_per_camera": round(sum(h["fps_per_camera"] for h in halves) / 2, 3),
        "detector_runs_per_s": round(sum(h["detected"] / h["seconds"] for h in halves), 1),
        "pictures_per_batch": round(sum(h["pictures"] for h in halves) / max(1, sum(h["batches"] for h in halves)), 1),
        "share_of_time_quiet_cameras_rest": round(sum(h["resting_share"] for h in halves) / 2, 2),
        "pictures_replaced_by_newer": sum(h["dropped"] for h in halves),
        "cameras_slowed_down": sum(h["slowed"] for h in halves),
        "slowed_down_by_priority": {p: sum(h["slowed_by_priority"][p] for h in halves) for p in "123456789"},
        "least_fps_given": min(h["least_fps_given"] for h in halves),
        "cpu_s_per_camera_hour": round(sum(h["cpu_s"] for h in halves) / halves[0]["seconds"] * 3600 / DISTRICT, 1),
    }


def _patrol(films: list[Path], workers: int = 64, cores: int = 2) -> dict[str, Any]:
    """How long a round over 6,948 cameras takes: measured CPU per visit, stated assumptions about the network.

    Measured: CPU of a visit, and how many stills it takes (a fifth of the films burns).  Assumed: opening and first
    key frame log-normal with median 1.2 s and 95th percentile 4 s, stills 0.4 s apart, 3 % of the cameras unreachable
    (6 s).  Cores serve visits in the order in which their pictures are there.
    """
    cost = _part("visits_ours", clips=[str(f) for f in films], model=str(weights.find(MODEL)), count=40)
    rng = np.random.default_rng(1)
    waits = np.exp(rng.normal(np.log(1.2), np.log(4 / 1.2) / 1.645, PATROL)).clip(0.2, 6.0)
    waits += 0.4 * (rng.choice(cost["pictures"], PATROL) - 1)
    waits[rng.random(PATROL) < 0.03] = 6.0
    free_core, end = [0.0] * cores, 0.0
    ready = [float(wait) for wait in waits[:workers]]
    heapq.heapify(ready)
    for n in range(PATROL):
        done = max(heapq.heappop(ready), heapq.heappop(free_core)) + cost["cpu_s_per_visit"]
        heapq.heappush(free_core, done)
        if workers + n < PATROL:
            heapq.heappush(ready, done + float(waits[workers + n]))
        end = max(end, done)
    return {
        "cameras": PATROL,
        "cpu_s_per_visit": round(cost["cpu_s_per_visit"], 4),
        "stills_per_visit": round(float(np.mean(cost["pictures"])), 1),
        "visits_at_once": workers,
        "cores": cores,
        "minutes_per_round": round(end / 60, 1),
        "minutes_if_only_cpu_counted": round(PATROL * cost["cpu_s_per_visit"] / cores / 60, 1),
    }


def _start(part: str, **arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.parts.vision_parts", part, json.dumps(arguments)]
    env = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"} if part.endswith("ours") else dict(os.environ)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def _finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, trouble = process.communicate(timeout=900)
    if process.returncode:
        raise RuntimeError(trouble[-2000:])
    result: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return result


def _part(part: str, **arguments: Any) -> dict[str, Any]:
    return _finish(_start(part, **arguments))
