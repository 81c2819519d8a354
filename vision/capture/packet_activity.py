"""Is anything happening?  Judged from the sizes of compressed packets, without decoding a picture.

Between two key frames an encoder of constant quality spends bytes only on what changes: while nothing moves its packets
are small and alike.  Windows of half a second are compared with the median of the last quiet ones.  An encoder of
constant bit rate gives nothing away; there the key frames alone tell (:mod:`vision.judging.motion_gate`).
"""

from __future__ import annotations

from collections import deque
from statistics import median

WINDOW_S = 0.45  # two a second at 12.5 packets a second, too
REMEMBERED = 40  # windows: 20 s; a level that stays (rain) is the new quiet after half of it
KNOWN = 6  # windows before anything is said
TELLING = 25.0  # times smaller than a key frame; constant bit rate fills packets up in quiet scenes
RATIO, FLOOR = 1.5, 48.0  # times the quiet mean, bytes on top


class CompressedGate:
    """Feed it every packet between key frames while a camera is quiet; ``windows`` counts what was judged."""

    def __init__(self) -> None:
        self.windows = 0
        self._quiet: deque[float] = deque(maxlen=REMEMBERED)
        self._bytes = self._packets = 0
        self._since: float | None = None

    def tells(self, key_bytes: int) -> bool:
        """Whether this stream's packets say something: they have been small beside a key frame of ``key_bytes`` for a
        while, so whatever moves would show."""
        quiet = self._quiet
        return len(quiet) >= REMEMBERED // 2 and TELLING * median(quiet) < key_bytes

    def feed(self, size: int, now: float) -> bool:
        """A packet of ``size`` bytes at ``now`` seconds; True when the window that ends with it is out of the quiet."""
        if self._since is None or now - self._since > 4 * WINDOW_S:  # the first, or after a pause
            self._since, self._bytes, self._packets = now, 0, 0
        self._bytes += size
        self._packets += 1
        if now - self._since < WINDOW_S or self._packets < 2:
            return False
        mean = self._bytes / self._packets
        self._since, self._bytes, self._packets = now, 0, 0
        known = len(self._quiet) >= KNOWN
        out = known and mean > RATIO * median(self._quiet) + FLOOR
        self._quiet.append(mean)
        self.windows += known
        return out
