"""Is the camera still seeing?  Frozen, no video, black, white, covered, blurred, moved; offline comes from capture.

And does it know what time it is?  Where the stream bears the camera's time
(:func:`vision.capture.camera_thread.camera_time`) a clock that is off by more than ``clock_error_s`` is a fault;
where it bears none, nothing is said.

Every state is a standing condition of its own.  Covered, blurred and moved compare with what the camera used to
see: an edge map averaged over daylight minutes, learnt slowly and only while all is well, so that day, night, fog
and snow (which soften edges everywhere but leave the strong ones in place) are not faults.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.capture.frames import Frame
from vision.judging.findings import VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.stillness import Stillness, is_no_video
from vision.params import Seconds, Share

STATES = ("frozen", "no_video", "black", "over_exposed", "covered", "blurred", "moved", "wrong_clock")
LOOK_S, CALM_S = 0.9, 1.9  # faults last: a look a second is enough, and half as many while nothing is wrong
REASONS = {
    "offline": "no pictures arrive",
    "frozen": "the picture does not change at all",
    "no_video": "the recorder shows its 'no video' picture: it has lost the camera",
    "black": "the picture is black",
    "over_exposed": "the picture is white",
    "covered": "what used to be seen is hidden by something without structure",
    "blurred": "the picture lost its sharp edges",
    "moved": "the camera looks elsewhere than it used to",
    "wrong_clock": "the camera's clock is wrong",
}


class HealthParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds a state must last, and levels.  ``frozen_s`` is long: codecs repeat a still scene nearly exactly."""

    offline_s: Seconds = 10.0
    frozen_s: Seconds = 120.0
    no_video_s: Seconds = 10.0
    black_s: Seconds = 5.0
    over_exposed_s: Seconds = 10.0
    covered_s: Seconds = 10.0
    blurred_s: Seconds = 60.0
    moved_s: Seconds = 20.0
    wrong_clock_s: Seconds = 30.0
    clear_after_s: Seconds = 3.0
    learn_s: Seconds = 5.0
    white_level: float = 235.0
    covered_share: Share = 0.12
    blurred_share: Share = 0.35
    moved_match: Share = 0.25
    clock_error_s: Seconds = 60.0


class CameraHealth:
    """One camera's health; feed it every analysed frame, and ``offline`` while none comes."""

    def __init__(self, params: HealthParams | None = None) -> None:
        p = self.params = params or HealthParams()
        waits = {s: float(getattr(p, f"{s}_s")) for s in STATES}
        self._standing = {s: HeldState(wait, p.clear_after_s, blink_s=0.5) for s, wait in waits.items()}
        self._offline = HeldState(p.offline_s, 0.0, blink_s=0.0, max_gap_s=3600.0)
        self._standing["frozen"] = HeldState(p.frozen_s, p.clear_after_s, blink_s=0.0, max_gap_s=3600.0)
        self._stillness = Stillness()
        self._edges: NDArray[np.float32] | None = None  # mean edge map of good moments
        self._sharpness = 0.0
        self._crispness = 0.0  # sharpness for the contrast there is: dusk and fog take both, a lens out of focus one
        self._learnt_s = 0.0
        self._at: float | None = None
        self._calm = False

    @property
    def open_states(self) -> tuple[str, ...]:
        """States that stand now."""
        standing = [s for s, c in self._standing.items() if c.is_open]
        return tuple((["offline"] if self._offline.is_open else []) + standing)

    def restore(self, states: Iterable[str]) -> None:
        """These states stand already (another worker opened them)."""
        for state in states:
            standing = self._offline if state == "offline" else self._standing.get(state)
            if standing is not None:
                standing.is_open = True

    def offline(self, now: float, reason: str) -> list[VisionFinding]:
        """No frame came up to ``now``; ``reason`` is what capture says."""
        change = self._offline.feed(True, now)
        return [_finding("offline", change, f"{REASONS['offline']}: {reason}")] if change else []

    def update(self, frame: Frame, now: float) -> list[VisionFinding]:
        """Changes that this frame brings."""
        found = []
        change = self._offline.feed(False, now)
        if change:
            found.append(_finding("offline", change, "pictures arrive again"))
        if self._at is not None and 0 <= now - self._at < (CALM_S if self._calm else LOOK_S):
            return found
        sights = self._sights(frame, now)
        offset = frame.clock_offset_s
        sights["wrong_clock"] = None if offset is None else abs(offset) > self.params.clock_error_s
        self._calm = self._learnt_s >= 2 * self.params.learn_s and not any(sights.values()) and not self.open_states
        for state, present in sights.items():
            change = self._standing[state].feed(present, now)
            if change:
                if state == "wrong_clock":
                    found.append(_clock(change, offset or 0.0))
                else:
                    reason = self._reason(state) if change == "open" else "as it used to be"
                    found.append(_finding(state, change, reason))
        return found

    def _reason(self, state: str) -> str:
        running = state == "frozen" and self._stillness.clock_runs
        return REASONS[state] + (", though a clock runs in it" if running else "")

    def _sights(self, frame: Frame, now: float) -> dict[str, bool | None]:
        thumb, dark = frame.thumb, frame.dark
        same, gone = self._stillness.feed(thumb, now), is_no_video(frame.image, thumb)
        white = bool(np.count_nonzero(thumb < self.params.white_level) <= 0.1 * thumb.size)
        frozen = False if dark or gone else same
        sights: dict[str, bool | None] = {"frozen": frozen, "no_video": gone, "black": dark, "over_exposed": white}
        edges = _edges(thumb)
        sharpness = _level(edges, 0.99)
        crispness = _crispness(sharpness, thumb)
        known = self._edges is not None and self._edges.shape == edges.shape and self._learnt_s >= self.params.learn_s
        if dark or white or gone or not known:
            sights |= {"covered": None, "blurred": None, "moved": None}
        else:
            assert self._edges is not None
            sights |= self._compare(edges, sharpness, crispness)
        if not dark and not white and not gone and not any(sights[s] for s in ("covered", "blurred", "moved")):
            self._learn(edges, sharpness, crispness, now)
        self._at = now
        return sights

    def _compare(
        self, edges: NDArray[np.float32], sharpness: float, crispness: float
    ) -> dict[str, bool | None]:
        assert self._edges is not None
        strong = self._edges > max(_level(self._edges, 0.9), 8.0)
        if np.count_nonzero(strong) < 0.01 * strong.size:
            return {"covered": None, "blurred": None, "moved": None}  # a scene without structure proves nothing
        left = float(edges[strong].mean() / max(float(self._edges[strong].mean()), 1e-6))
        structure = sharpness / max(self._sharpness, 1e-6)
        crisp = crispness / max(self._crispness, 1e-6)
        covered = left < self.params.covered_share and structure < 0.5
        match = _correlation(edges, self._edges)
        blurred = not covered and max(structure, crisp) < self.params.blurred_share and match > self.params.moved_match
        moved = not covered and structure > 0.5 and match < self.params.moved_match
        return {"covered": covered, "blurred": blurred, "moved": moved}

    def _learn(self, edges: NDArray[np.float32], sharpness: float, crispness: float, now: float) -> None:
        gap = 0.0 if self._at is None else min(max(now - self._at, 0.0), 2.0)
        if self._edges is None or self._edges.shape != edges.shape:
            self._edges, self._sharpness, self._crispness, self._learnt_s = edges, sharpness, crispness, 0.0
            return
        self._learnt_s += gap
        # fast at first, then with a time constant of ten minutes
        weight = min(1.0, gap / min(max(self._learnt_s, 1.0), 600.0))
        self._edges = (1 - weight) * self._edges + weight * edges
        self._sharpness = (1 - weight) * self._sharpness + weight * sharpness
        self._crispness = (1 - weight) * self._crispness + weight * crispness


def _edges(thumb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Strength of edges, smoothed so that a swaying camera still matches itself; every other row and column."""
    dx, dy = cv2.Sobel(thumb, cv2.CV_32F, 1, 0), cv2.Sobel(thumb, cv2.CV_32F, 0, 1)
    smooth = np.asarray(cv2.GaussianBlur(cv2.magnitude(dx, dy), (0, 0), 2.0), np.float32)
    return np.ascontiguousarray(smooth[::2, ::2])


def _level(values: NDArray[np.float32], share: float) -> float:
    """The value that ``share`` of the values stay below (nearest rank)."""
    rank = min(int(share * values.size), values.size - 1)
    return float(np.partition(values, rank, axis=None)[rank])


def _crispness(sharpness: float, thumb: NDArray[np.uint8]) -> float:
    """Strength of the strongest edges for the picture's coarse contrast (standard deviation, at least 4 levels)."""
    size = (max(1, thumb.shape[1] // 4), max(1, thumb.shape[0] // 4))  # a quarter blurred by 2 is the whole by 8
    coarse = cv2.GaussianBlur(cv2.resize(thumb, size, interpolation=cv2.INTER_AREA), (0, 0), 2.0)
    return sharpness / max(float(coarse.std()), 4.0)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))


def _finding(state: str, change: Any, reason: str) -> VisionFinding:
    return VisionFinding(kind="camera_health", state=change, zone=None, attributes={"state": state, "reason": reason})


def _clock(change: Any, offset_s: float) -> VisionFinding:
    """The clock's finding says by how much; ``offset_s`` > 0: the camera is ahead of us."""
    if change == "clear":
        reason = "the camera's clock is right again"
    else:
        amount = f"{abs(offset_s):.0f} s" if abs(offset_s) < 7200 else f"{abs(offset_s) / 3600:.1f} h"
        reason = f"{REASONS['wrong_clock']}: {amount} {'ahead' if offset_s > 0 else 'behind'}"
    attributes = {"state": "wrong_clock", "reason": reason, "offset_s": round(offset_s, 1)}
    return VisionFinding("camera_health", change, None, value=round(offset_s, 1), unit="s", attributes=attributes)
