"""One algorithm over one clip, in video time: ``python -m app analyze``, evaluation and replays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.errors import InputInvalid
from core.records import AlgorithmConfig, CameraConfig, Zone
from vision.capture.clips import read_clip
from vision.capture.frames import make_frame
from vision.judging.analyzer import Analyzer, CameraAnalysis, FrameOutcome, build_algorithm
from vision.judging.detector_pool import DetectorPool

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # a clip has no date; times are shown as seconds
MAX_FPS = 120.0


@dataclass(frozen=True)
class Analysis:
    """What to run."""

    clip: Path | str
    algorithm: str
    params: dict[str, Any]
    zones: tuple[Zone, ...] = ()
    fps: float = 4.0
    rate: float = 0.0  # pictures a second of a raw stream, which bears no times; 0: not said


def analyze(
    job: Analysis, pool: DetectorPool | None = None, looked: Callable[[float], None] | None = None
) -> Iterator[FrameOutcome]:
    """Outcomes in the order of video time (``frame.clock_s``).  ``looked`` is told the time of every picture."""
    if not 0 < job.fps <= MAX_FPS:
        raise InputInvalid(field="--fps", detail=f"{job.fps:g} pictures a second", how=f"give 0.01 … {MAX_FPS:g}")
    if not 0 <= job.rate <= MAX_FPS:
        raise InputInvalid(field="--rate", detail=f"{job.rate:g} pictures a second", how=f"give 0.01 … {MAX_FPS:g}")
    pool = pool or DetectorPool()
    analyzer = Analyzer(pool)
    wanted = AlgorithmConfig(kind=job.algorithm, zones=tuple(z.zone_id for z in job.zones), params=job.params)
    config = CameraConfig(camera_id="clip", name="clip", url=str(job.clip), zones=job.zones, analysis_fps=job.fps)
    camera = CameraAnalysis(config, pool)
    camera.health = None  # judged only when asked for
    camera.algorithms = [build_algorithm(wanted, job.zones, pool)]
    camera.needs = tuple({n.key: n for a in camera.algorithms for n in a.needs}.values())
    pictures = read_clip(job.clip, lambda: max(job.fps, camera.pace), job.rate)
    for sequence, (seconds, image) in enumerate(pictures):
        if looked is not None:
            looked(seconds)
        frame = make_frame("clip", image, EPOCH + timedelta(seconds=seconds), seconds, sequence)
        yield from analyzer.step([(camera, frame)])


def as_line(outcome: FrameOutcome) -> dict[str, Any]:
    """An outcome as the command line prints it."""
    f = outcome.finding
    return {
        "time_s": round(outcome.frame.clock_s, 3) if outcome.frame else None,
        "kind": f.kind,
        "state": f.state,
        "value": f.value,
        "unit": f.unit,
        "confidence": f.confidence,
        "zone": f.zone,
        "box": list(f.box) if f.box else None,
        "attributes": f.attributes,
        "models": [{"name": m.name, "sha256": m.sha256} for m in outcome.seen.models],
    }


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` pairs as parameters; values are JSON where they can be, text otherwise."""
    params: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InputInvalid(field="--set", detail=f"{pair!r} is not NAME=VALUE", how="write e.g. --set after_s=3")
        try:
            params[name] = json.loads(text)
        except ValueError:
            params[name] = text
    return params
