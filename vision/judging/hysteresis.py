"""Time logic shared by the algorithms: a condition must last to open, its absence must last to clear."""

from __future__ import annotations

from typing import Literal


class HeldState:
    """One condition in one zone.

    It opens when the condition was there for ``after_s`` and clears when it was gone for ``clear_after_s``.
    Contrary sights shorter than ``blink_s`` (a head behind a monitor, one false box) do not restart a clock.
    Moments that cannot be judged, and gaps between frames above ``max_gap_s``, stop the clocks.
    """

    def __init__(self, after_s: float, clear_after_s: float, blink_s: float = 0.8, max_gap_s: float = 10.0) -> None:
        self.after_s = after_s
        self.clear_after_s = clear_after_s
        self.blink_s = blink_s
        self.max_gap_s = max_gap_s
        self.is_open = False
        self._since: float | None = None  # since when the sight contradicts ``is_open``
        self._back: float | None = None  # since when it agrees again
        self._last: float | None = None

    def feed(self, present: bool | None, now: float) -> Literal["open", "clear"] | None:
        """The sight of one frame at ``now`` seconds; returns a change, if any."""
        gap = now - self._last if self._last is not None else 0.0
        self._last = now
        if present is None or gap > self.max_gap_s:
            self._pause(gap)
            if present is None:
                return None
        if present is self.is_open:
            if self._since is not None:
                if self._back is None:
                    self._back = now
                if now - self._back >= self.blink_s:
                    self._since = self._back = None
            return None
        self._back = None
        if self._since is None:
            self._since = now
        wait = self.clear_after_s if self.is_open else self.after_s
        if now - self._since + 1e-6 < wait:
            return None
        self.is_open = not self.is_open
        self._since = None
        return "open" if self.is_open else "clear"

    def lasted(self, now: float) -> float:
        """For how many seconds the contrary of the present state has been seen."""
        return 0.0 if self._since is None else now - self._since

    def _pause(self, gap: float) -> None:
        if self._since is not None:
            self._since += gap
        if self._back is not None:
            self._back += gap
