"""What a camera sees of a dry road in all weathers, learnt over days, and how far from it a picture is.

One dry picture is not enough: rain on the lens, dusk and haze take structure from the road as well.  They take it from
the surroundings too, which water does not.  The measure is therefore the *excess*: the share of the road's structure
that is gone beyond the share that is gone around it, (inside − outside) / (1 − outside).  Measured between pictures of
six dry roads (``street/traffic_cam``, vehicles left out): 99 % of 224 pairs at most 0.21, but for blown-out pictures.

A look is learnt as dry when the road lost no more than its surroundings and the surroundings look new: so rain and
dusk are learnt step by step, and a flood never is, as it takes the road alone.  Of every day the highest excess
that a dry look had is kept (30 days): the camera's own range.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from vision.judging.water import STRUCTURE, Covered, Grey, Mask, correlation, gone_of

LOOKS, DAYS = 8, 30
NEW = 0.1  # share of the surroundings that a look must have lost to be a new one
SAME = 0.02  # by which the road may have lost more than its surroundings
PAUSE_S = 600.0  # between two looks that are learnt
DAY_S = 86_400.0
SUSPECT, SURE = 0.10, 0.25  # excess from which it may be water, and from which it is
ABOVE = 0.06  # by which the range must be exceeded to be suspected; twice as much to be sure
MOST = 0.3  # that the range may grow to: a camera that sees worse says little, but does not go blind
KNOWN = 30  # looks of a day before the day counts


@dataclass
class DryDay:
    """A day's dry looks: its number (days since 1970), how many, their highest excesses."""

    day: int
    looks: int = 0
    highest: list[float] = field(default_factory=list)

    def add(self, excess: float) -> None:
        """One more dry look; of the highest, the third counts: one odd picture makes no range."""
        self.looks += 1
        self.highest = sorted([*self.highest, excess])[-3:]


class DryRange:
    """The dry looks of one camera's zone, the first of which is the reference."""

    def __init__(self, reference: Grey, zone: Mask) -> None:
        self.zone = zone
        self.looks: list[Grey] = [reference]
        self.days: deque[DryDay] = deque(maxlen=DAYS)
        self.changed = False
        self._best, self._next, self._learnt_at = 0, 0, float("-inf")

    @property
    def top(self) -> float:
        """The highest excess of dry looks: of the days' highest the second (a flood may begin unseen), at most MOST."""
        tops = sorted(d.highest[0] for d in self.days if d.looks >= KNOWN)
        return min(MOST, tops[-2] if len(tops) > 1 else (tops[0] if tops else 0.0))

    @property
    def suspect(self) -> float:
        """Excess from which it may be water."""
        return max(SUSPECT, self.top + ABOVE)

    @property
    def sure(self) -> float:
        """Excess from which it is water."""
        return max(SURE, self.top + 2 * ABOVE)

    def measure(self, now: Grey, hidden: Mask | None = None) -> Covered:
        """``now`` against the dry look whose surroundings are most like it; ``hidden``: what vehicles cover.

        One other look is tried each time, so that the best is found within a few looks and no picture costs much.
        """
        best = self._against(self._best, now, hidden)
        if len(self.looks) > 1:
            self._next = (self._next + 1) % len(self.looks)
            if self._next != self._best:
                other = self._against(self._next, now, hidden)
                if other.outside < best.outside:
                    self._best, best = self._next, other
        return best

    def nearest(self, now: Grey, hidden: Mask | None = None) -> Covered:
        """As :meth:`measure`, with all looks; for a picture by itself."""
        return min((self._against(i, now, hidden) for i in range(len(self.looks))), key=lambda c: c.outside)

    def learn(self, now: Grey, found: Covered, at_s: float) -> None:
        """A look at ``at_s`` (seconds since 1970) at which nothing was suspected: of the range, perhaps a new look."""
        day = int(at_s // DAY_S)
        if not self.days or self.days[-1].day != day:
            self.days.append(DryDay(day))
        self.days[-1].add(found.excess)
        self.changed = True
        if found.outside < NEW or found.inside > found.outside + SAME or at_s - self._learnt_at < PAUSE_S:
            return
        self._learnt_at = at_s
        if len(self.looks) >= LOOKS:
            del self.looks[self._most_alike()]
            self._best = 0
        self.looks.append(now.copy())

    def _against(self, index: int, now: Grey, hidden: Mask | None) -> Covered:
        kept, variance = correlation(self.looks[index], now)
        return gone_of(kept, variance > STRUCTURE, now, self.zone, hidden)

    def _most_alike(self) -> int:
        """Of the learnt looks (not the reference), the one that is most like the one before it."""
        apart = [float(np.abs(a.astype(np.int16) - b).mean()) for a, b in pairwise(self.looks)]
        return 1 + int(np.argmin(apart))


def packed(known: DryRange) -> dict[str, Any]:
    """Arrays that :func:`unpacked` reads."""
    rows = [(d.day, d.looks, *([0.0] * (3 - len(d.highest)) + d.highest)) for d in known.days]
    return {"looks": np.stack(known.looks), "days": np.asarray(rows, np.float64).reshape(-1, 5)}


def unpacked(known: DryRange, arrays: dict[str, Any]) -> bool:
    """Takes over what was kept, unless it is of another view; ``ValueError`` or ``KeyError``: it is no such thing."""
    looks, days = np.asarray(arrays["looks"]), np.asarray(arrays["days"], np.float64)
    if (
        looks.ndim != 3
        or looks.dtype != np.uint8
        or days.ndim != 2
        or days.shape[1] != 5
        or not np.isfinite(days).all()
    ):
        raise ValueError("not a dry range")
    if looks.shape[1:] != known.looks[0].shape or not 1 <= len(looks) <= LOOKS:
        return False
    known.looks[1:] = [np.asarray(look, np.uint8) for look in looks[1:]]
    known.days.extend(DryDay(int(d), int(n), [float(v) for v in highest]) for d, n, *highest in days[-DAYS:])
    return True
