"""Small living flames, by what only flames do: warm light that rises and falls irregularly, each spot on its own.

A detector that sees a picture of 320 pixels gives a flame of 15 of them no more confidence than a brick.  Over some
seconds a flame is unlike anything else that is bright and warm:

- its pixels *swing* up and down by tens of grey levels again and again, at the same place (a passer-by or a car swings
  a pixel once, and lets the red of the background fall when it is dark);
- they do so *incoherently*: a beacon, a loose lamp or a brake light changes as one (first principal component);
- *irregularly*: a flag, a lantern or a turning beacon has a beat (share of the strongest frequencies).

Trembling cameras are held still by phase correlation, breathing exposure is divided out.  Thresholds are physical, not
fitted: they stand in the middle of the gap between the one real small fire at hand and the films of
``bench/parts/sight/quiet_films.py``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.algorithms._fire.reflections import mirrors_a_lamp, torn_by_ripples
from vision.detections import Image

WIDTH = 320  # pictures are judged at this width
SWING = 35.0  # grey levels of green by which a flame's pixel rises or falls
RATE = 0.3  # swings per look
WARM = 0.3  # share of the looks on which the pixel has a flame's colour
LIT = 0.45  # of its bright red is left when a flame's pixel is dim; behind a dark passer-by less
COHERENT = 0.62  # share of the first principal component from which lights change as one
BEAT = 0.45  # share of the two strongest frequencies from which lights have a beat
PUFF = 0.5  # the same for a large place (``LARGE`` pixels): a fire of a metre puffs at one to two hertz
LARGE = 150
LEAST = 15  # pixels
SUSPECT_LOOKS = 6
STILL_LOOKS = 3  # in a row
PACE = 6.0  # pictures a second while something may burn: 20 looks in 3.3 s; a slow fire of 1 Hz still swings enough
PACE_S = 4.0  # how long a suspicion holds: as long as it takes to judge it
MOST = 0.2  # of the picture: more is a cut, a shaken camera or a storm

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Life:
    """A place that burns by its movement: ``xyxy`` in pixels of the picture, ``pixels`` alive at 320 wide."""

    xyxy: NDArray[np.float32]
    pixels: int
    coherence: float
    beat: float


class FlameLife:
    """One camera's memory of ``looks`` pictures, not older than ``window_s``; judged every ``every_s`` seconds.

    ``pace``: how many pictures a second it would have now; what swings warmly in the first ``SUSPECT_LOOKS`` already is
    worth looking at more often than the usual twice a second.
    """

    def __init__(self, looks: int = 20, window_s: float = 10.5, every_s: float = 0.75) -> None:
        self._window_s = window_s
        self._every_s = every_s
        self._looks = looks
        self._small: deque[NDArray[np.uint8]] = deque(maxlen=looks)
        self._at: deque[float] = deque(maxlen=looks)
        self._judged = self._checked = self._suspected = float("-inf")
        self._still = 0
        self._width = WIDTH  # of the pictures as they came
        self.pace = 0.0

    def look(self, image: Image, now: float, still: bool = False) -> list[Life] | None:
        """The next picture; what lives in the last ones, or None when it is not time to judge.

        ``still``: nothing differs from the picture before.  Where that lasts nothing is remembered: nothing lives.
        """
        self._still = self._still + 1 if still else 0
        if self._still >= STILL_LOOKS:
            self._forget(0)
            self.pace = 0.0
            return None
        height, width = image.shape[:2]
        self._width = width
        size = (WIDTH, max(2, round(height * WIDTH / width)))
        small = np.asarray(cv2.blur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (3, 3)), np.uint8)
        if self._small and (self._small[-1].shape != small.shape or now < self._at[-1]):
            self._forget(0)
        elif self._faster(now):
            self._forget(2)
        self._small.append(small)
        self._at.append(now)
        self._suspect(now)
        if len(self._at) < self._looks or now - self._judged + 1e-6 < self._every_s:
            return None
        self._judged = now
        if self._at[-1] - self._at[0] > self._window_s:
            return []
        box = self._worth_judging()
        if box is None:
            return []
        found = judge(steady(np.stack(self._small), box))
        scale, (left, top) = width / WIDTH, box[:2]
        moved = np.asarray([left, top, left, top], np.float32)
        return [Life((life.xyxy + moved) * scale, life.pixels, life.coherence, life.beat) for life in found]

    def is_reflection(self, xyxy: Floats) -> bool:
        """Whether what flickers at ``xyxy`` (pixels of the picture) is a lamp's mirror image or light on water."""
        if not self._small:
            return False
        looks, place = np.stack(self._small), xyxy * np.float32(WIDTH / self._width)
        return mirrors_a_lamp(looks, place) or torn_by_ripples(looks, place)

    def _faster(self, now: float) -> bool:
        """Whether pictures come twice as often since two of them: looks of two paces would blur a beat."""
        if len(self._at) < SUSPECT_LOOKS:
            return False
        usual = float(np.median(np.diff(np.asarray(self._at))))
        return max(now - self._at[-1], self._at[-1] - self._at[-2]) < 0.6 * usual

    def _forget(self, but: int) -> None:
        """All looks but the last ``but`` ones."""
        while len(self._at) > but:
            self._small.popleft()
            self._at.popleft()

    def _suspect(self, now: float) -> None:
        if len(self._at) < SUSPECT_LOOKS or now - self._checked < self._every_s:
            return
        self._checked = now
        if self._glowing():
            self._suspected = now
        self.pace = PACE if now - self._suspected <= PACE_S else 0.0

    def _worth_judging(self) -> tuple[int, int, int, int] | None:
        """Where anything warm swings (x1 y1 x2 y2 at 320 wide, with a margin), or None: most pictures."""
        found = self._swinging()
        if found is None:
            return None
        ys, xs = found
        h, w = self._small[0].shape[:2]
        x1, y1 = max(0, int(xs.min()) - 8), max(0, int(ys.min()) - 8)
        return x1, y1, min(w, int(xs.max()) + 9), min(h, int(ys.max()) + 9)

    def _swinging(self) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
        """Rows and columns of the pixels that swing and are warm at some time, at least ``LEAST`` of them."""
        low, high = self._small[0].copy(), self._small[0].copy()
        for small in list(self._small)[1:]:
            np.minimum(low, small, out=low)
            np.maximum(high, small, out=high)
        changed = (cv2.subtract(high[..., 1], low[..., 1]) >= SWING) & (high[..., 2] >= 150)
        changed &= cv2.subtract(high[..., 2], low[..., 0]) >= 55
        ys, xs = np.nonzero(changed)
        if len(ys) < LEAST:
            return None
        green = np.stack([small[ys, xs, 1] for small in self._small]).astype(np.int16)
        often = swings(green, SWING) >= RATE * (len(green) - 1)
        return (ys[often], xs[often]) if int(often.sum()) >= LEAST else None

    def _glowing(self) -> bool:
        """Whether enough of what swings is warm as often, and glows as much when dim, as a flame does."""
        found = self._swinging()
        if found is None:
            return False
        colours = np.stack([small[found] for small in self._small])
        alive = warm(colours.astype(np.float32)).mean(0) >= WARM
        return int((alive & lit(colours[..., 2])).sum()) >= LEAST


def steady(pictures: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Floats:
    """``box`` of the pictures (looks, h, w, BGR) without the camera's tremble and its breathing exposure."""
    half = (pictures.shape[2] // 2, pictures.shape[1] // 2)
    greys = [cv2.resize(p[..., 1], half, interpolation=cv2.INTER_AREA).astype(np.float32) for p in pictures]
    window = cv2.createHanningWindow((greys[0].shape[1], greys[0].shape[0]), cv2.CV_32F)
    usual = np.median(pictures[:, ::4, ::4, 1], axis=0).astype(np.float32) + 1
    x1, y1, x2, y2 = box
    out = np.empty((len(pictures), y2 - y1, x2 - x1, 3), np.float32)
    for number, (picture, grey) in enumerate(zip(pictures, greys, strict=True)):
        (dx, dy), sure = cv2.phaseCorrelate(greys[0], grey, window) if number else ((0.0, 0.0), 0.0)
        if sure > 0.3 and 0.025 < max(abs(dx), abs(dy)) < 2:
            shift = np.asarray([[1, 0, -2 * dx], [0, 1, -2 * dy]], np.float64)
            size = (picture.shape[1], picture.shape[0])
            picture = cv2.warpAffine(picture, shift, size, borderMode=cv2.BORDER_REPLICATE)
        gain = float(np.median((picture[::4, ::4, 1] + np.float32(1)) / usual))
        out[number] = picture[y1:y2, x1:x2].astype(np.float32) / max(gain, 0.2)
    return out


def judge(looks: Floats, limit: int = 3) -> list[Life]:
    """What lives in a steady stack (looks, h, w, BGR), the largest first, boxes in its pixels."""
    green, red = looks[..., 1], looks[..., 2]
    rate = swings(green, SWING) / (len(green) - 1)
    alive = (rate >= RATE) & (warm(looks).mean(0) >= WARM)
    if alive.any():
        alive[alive] = lit(red[:, alive])
    if int(alive.sum()) < LEAST or float((rate >= RATE).mean()) > MOST and rate.size > WIDTH * 40:
        return []
    joined = cv2.dilate(alive.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    weight = np.bincount(labels[alive], minlength=count)
    found = []
    for label in sorted(range(1, count), key=lambda n: -int(weight[n]))[:limit]:
        if weight[label] < LEAST:
            break
        coherence, beat = rhythm(green[:, alive & (labels == label)])
        if coherence < COHERENT and beat < (PUFF if weight[label] >= LARGE else BEAT):
            x, y, w, h = (int(v) for v in stats[label, :4])
            box = np.asarray([x, y, x + w, y + h], np.float32)
            found.append(Life(box, int(weight[label]), round(coherence, 3), round(beat, 3)))
    return found


def warm(looks: Floats) -> NDArray[np.bool_]:
    """Which pixels of (…, BGR) have a flame's colour."""
    blue, green, red = looks[..., 0], looks[..., 1], looks[..., 2]
    return np.asarray((red > 150) & (red - blue > 55) & (red >= green + 8) & (green >= blue - 12))


def lit(red: NDArray[Any]) -> NDArray[np.bool_]:
    """Which pixels of (looks, n) keep enough of their bright red when they are dim."""
    dim, bright = np.quantile(red, (0.15, 0.85), axis=0)
    return np.asarray(dim >= LIT * bright)


def swings(values: NDArray[Any], least: float) -> NDArray[np.int16]:
    """How often each pixel of (looks, …) turned after rising or falling by at least ``least``."""
    direction = np.zeros(values.shape[1:], np.int8)
    count = np.zeros(values.shape[1:], np.int16)
    high, low = values[0].copy(), values[0].copy()
    for now in values[1:]:
        np.maximum(high, now, out=high)
        np.minimum(low, now, out=low)
        falls = (direction >= 0) & (high - now >= least)
        rises = (direction <= 0) & (now - low >= least) & ~falls
        turned = falls | rises
        count += turned
        direction[falls], direction[rises] = -1, 1
        high[turned], low[turned] = now[turned], now[turned]
    return count


def rhythm(series: Floats) -> tuple[float, float]:
    """(share of the first principal component, share of the two strongest frequencies) of pixels (looks, n)."""
    moved = series - series.mean(0)
    power = np.linalg.svd(moved, compute_uv=False) ** 2
    spectrum = (np.abs(np.fft.rfft(moved, axis=0))[1:] ** 2).mean(1)
    whole = max(float(power.sum()), 1e-6)
    return float(power[0]) / whole, float(np.sort(spectrum)[-2:].sum()) / max(float(spectrum.sum()), 1e-6)
