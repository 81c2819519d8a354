"""An algorithm over clips with known events: were they seen, how soon, and what was cried out for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np

from core.errors import InputInvalid
from vision.capture.clips import read_clip
from vision.evaluate.metrics import poisson_upper
from vision.judging.detector_pool import DetectorPool
from vision.judging.offline import Analysis, analyze
from vision.judging.zones import parse_zone

SLACK_S = 2.0  # an event's edges are known to about this


class ClipCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file: ``events`` are [from, to] in seconds of the clip; ``zone`` are corners ``x,y``."""

    clip: str
    algorithm: str
    events: list[tuple[float, float]]
    params: dict[str, Any] = {}
    zone: list[str] = []
    fps: float = 4.0


@dataclass(frozen=True)
class ClipResult:
    """What one clip gave; ``latency_s`` in the order of the events that were seen."""

    clip: str
    algorithm: str
    seconds: float
    events: int
    latency_s: list[float]
    false_alarms_s: list[float]


def read_cases(path: Path) -> list[ClipCase]:
    """The clips of a JSON list; clip paths are relative to the file.

    Raises:
        InputInvalid: unreadable, or a clip does not exist.
    """
    try:
        cases = msgspec.json.decode(path.read_bytes(), type=list[ClipCase])
    except (OSError, msgspec.MsgspecError) as error:
        raise InputInvalid(field=str(path), detail=str(error), how="give a JSON list of clips with events") from error
    placed = [msgspec.structs.replace(c, clip=str((path.parent / c.clip).resolve())) for c in cases]
    for case in placed:
        if not Path(case.clip).is_file():
            raise InputInvalid(field="clip", detail=f"{case.clip} does not exist", how="write it relative to the list")
        if any(to <= start for start, to in case.events):
            raise InputInvalid(
                field="events", detail=f"{case.clip}: an event ends before it begins", how="[from_s, to_s]"
            )
    return placed


def run_case(case: ClipCase, pool: DetectorPool, model: str | None = None) -> ClipResult:
    """Analyse one clip; ``model`` is the weights file that a flame algorithm shall use."""
    params = dict(case.params)
    if model is not None and "detector_params" not in params:
        params["detector_params"] = {"file": model}
    zones = (parse_zone(" ".join(case.zone), "zone1"),) if case.zone else ()
    job = Analysis(case.clip, case.algorithm.replace("-", "_"), params, zones, case.fps)
    opened = [o.frame.clock_s for o in analyze(job, pool) if o.finding.state == "open" and o.frame is not None]
    latencies, false = judge(case.events, opened)
    return ClipResult(Path(case.clip).name, case.algorithm, clip_seconds(case.clip), len(case.events), latencies, false)


def judge(events: list[tuple[float, float]], opened: list[float]) -> tuple[list[float], list[float]]:
    """(latency of each event that was reported, times of reports outside every event).

    A report belongs to an event when it falls between its edges, give or take ``SLACK_S``; a second report of the
    same event is neither a success nor a false alarm.
    """
    latencies: dict[int, float] = {}
    false = []
    for at in sorted(opened):
        inside = [i for i, (start, to) in enumerate(events) if start - SLACK_S <= at <= to + SLACK_S]
        if not inside:
            false.append(at)
        for index in inside:
            latencies.setdefault(index, max(0.0, at - events[index][0]))
    return [latencies[i] for i in sorted(latencies)], false


def clip_seconds(path: str) -> float:
    """Length of a clip as its container tells; where it does not, up to its last decodable picture."""
    with av.open(path) as container:
        if container.duration:
            seconds: float = container.duration / av.time_base
            return seconds
    return max((seconds for seconds, _ in read_clip(path, 1.0)), default=0.0)


def clips_summary(results: list[ClipResult]) -> dict[str, Any]:
    """Event-level recall, latency, and false alarms per hour with the 95 % Poisson bound."""
    latencies = [v for r in results for v in r.latency_s]
    events, hours = sum(r.events for r in results), sum(r.seconds for r in results) / 3600
    false = sum(len(r.false_alarms_s) for r in results)
    return {
        "events": events,
        "detected": len(latencies),
        "event_recall": round(len(latencies) / events, 4) if events else None,
        "latency_s": {
            "p50": _quantile(latencies, 0.5),
            "p95": _quantile(latencies, 0.95),
            "max": _quantile(latencies, 1.0),
        },
        "false_alarms": false,
        "hours": round(hours, 4),
        "false_alarms_per_hour": round(false / hours, 3) if hours else None,
        "false_alarms_per_hour_95": _round(poisson_upper(false, hours)),
        "clips": [
            {
                "clip": r.clip,
                "algorithm": r.algorithm,
                "seconds": round(r.seconds, 1),
                "events": r.events,
                "detected": len(r.latency_s),
                "latency_s": [round(v, 2) for v in r.latency_s],
                "false_alarms_s": [round(v, 2) for v in r.false_alarms_s],
            }
            for r in results
        ],
    }


def _quantile(values: list[float], q: float) -> float | None:
    return round(float(np.quantile(values, q)), 2) if values else None


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
