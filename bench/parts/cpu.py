"""CPU seconds of process trees, and small statistics."""

from __future__ import annotations

import math

import psutil


def cpu_seconds(pids: list[int]) -> float:
    """User and system seconds that ``pids`` and their children have used so far; a process that is gone counts 0."""
    total = 0.0
    for pid in pids:
        try:
            process = psutil.Process(pid)
            for one in [process, *process.children(recursive=True)]:
                times = one.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def quantiles(values: list[float]) -> dict[str, float | int]:
    """``count``, ``p50`` and ``p95`` (nearest rank) of ``values``."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 3)

    return {"count": len(ordered), "p50": rank(0.5), "p95": rank(0.95)}
