"""When the processor cannot keep up: fewer pictures before fewer cameras, and never in silence.

In this order: cameras in whose picture nothing moves are looked at less often (their packets are watched all the same),
then the least important of those where something moves are slowed down, last a camera is given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HIGH, LOW = 0.85, 0.6  # share of the analysing thread's time
LEAST_FPS = 0.25
REST_S = 4.0  # between two pictures of a quiet camera under load; else every key frame


@dataclass(frozen=True)
class Demand:
    """What a camera wants (``fps``), gets (``given``), how much it matters (1 highest … 9 lowest), whether it is
    ``quiet`` (nothing moves in its picture)."""

    fps: float
    given: float
    priority: int
    quiet: bool = False


def shed(load: float, cameras: Mapping[str, Demand]) -> dict[str, float]:
    """The pictures a second that each camera shall get from now on; only changes are returned.

    Above ``HIGH`` the least important quarter of the cameras that still can give is halved (quiet ones only when no
    other can: they cost next to nothing), below ``LOW`` the most important quarter of those that were slowed is
    doubled.  Nobody falls below ``LEAST_FPS``.
    """
    if load > HIGH:
        able = [(i, d) for i, d in cameras.items() if d.given > min(LEAST_FPS, d.fps)]
        able = [(i, d) for i, d in able if not d.quiet] or able
        able.sort(key=lambda x: (-x[1].priority, -x[1].given, x[0]))
        return {i: max(d.given / 2, min(LEAST_FPS, d.fps)) for i, d in able[: max(1, len(able) // 4)]}
    if load < LOW:
        slowed = [(i, d) for i, d in cameras.items() if d.given < d.fps]
        slowed.sort(key=lambda x: (x[1].priority, x[1].given, x[0]))
        return {i: min(d.fps, d.given * 2) for i, d in slowed[: max(1, len(slowed) // 4)]}
    return {}


class Shedder:
    """The steps in their order; ``resting``: quiet cameras rest for ``REST_S`` between two pictures."""

    def __init__(self) -> None:
        self.resting = False

    def step(self, load: float, cameras: Mapping[str, Demand]) -> dict[str, float]:
        """Call every few seconds; returns the cameras whose pictures a second change."""
        if load > HIGH and not self.resting:
            self.resting = True
            return {}
        changes = shed(load, cameras)
        if load < LOW and not changes:
            self.resting = False
        return changes


def exhausted(load: float, cameras: Mapping[str, Demand]) -> str | None:
    """The camera to give back when everybody is at the least and it is still too much; None otherwise."""
    if load <= HIGH or len(cameras) < 2 or any(d.given > min(LEAST_FPS, d.fps) for d in cameras.values()):
        return None
    return max(cameras, key=lambda i: (cameras[i].priority, i))


def surplus(mine: int, others: Mapping[str, int]) -> int:
    """How many cameras this worker should give back so that all workers hold about the same (one apart at most)."""
    if not others:
        return 0
    total = mine + sum(others.values())
    fair = -(-total // (len(others) + 1))
    return max(0, mine - fair - 1)
