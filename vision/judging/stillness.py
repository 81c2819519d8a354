"""Does the sensor still look?  A picture that stands still although the encoder goes on, and the picture of "no video".

An encoder never gives the same still twice to the bit: its noise differs from picture to picture.  What it cannot do is
move: means of blocks of 8 × 8 pixels stay within a grey level of one another, and a new key frame looks like the last
one.  A sensor that looks at an empty room brings new noise with every key frame (measured over films of both kinds,
constant quality and constant bit rate: blocks 0.3–0.7 against 1.0–2.0 levels, changed pixels 1–19 % against 35–60 %).
Where key frames are far apart the next one draws the same still a little differently, once: that neither proves that
the sensor looks nor that it does not.
A clock in the upper or lower margin may run on: it is the recorder's, not the camera's.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Image

BLOCK = 8
BLOCK_LEVELS = 0.9  # by which a block's mean may differ from the still before
CHANGED_SHARE = 0.3  # of the pixels may differ at all
REDRAWN = 4.0  # grey levels: what moves changes a block by more
SURE_STILL, REDRAWS = 3, 2  # still looks in a row after which so many may be redrawn
MARGIN = 0.18  # of the height, above and below, where a clock may run
FOLLOWS = 0.2  # how fast the still is followed: noise averages out, a slow sunset does not
SLOW_S = 10.0  # between two looks: such a camera has a rhythm of its own
FLAT_SHARE, PLAIN_SHARE = 0.8, 0.85  # of the picture that has one colour
COLOURED = 60  # between the strongest and the weakest channel
TEXT_CONTRAST, TEXT_SHARE = 60, (0.001, 0.2)
LETTERS, STROKES = 4, 0.7  # of the box around a letter are ink


class Stillness:
    """Feed it the thumbnails of one camera; ``clock_runs`` says what changed in the margins of the last one."""

    def __init__(self) -> None:
        self.clock_runs = False
        self._blocks: NDArray[np.float32] | None = None
        self._last: NDArray[np.uint8] | None = None
        self._at = 0.0
        self._changed_at = 0.0
        self._still = self._redrawn = 0  # looks in a row, and since then
        self._rhythm = 0.0  # the longest pause between two different pictures of late

    def feed(self, thumb: NDArray[np.uint8], now: float) -> bool | None:
        """Whether the picture is the one before; None where the camera is too slow for that to mean anything, the
        picture too narrow, or the same still drawn anew."""
        if min(thumb.shape) < 4 * BLOCK:
            return None
        blocks, last, gap = _blocks(thumb), self._last, now - self._at
        known, self._last, self._at = self._blocks, thumb, now
        if known is None or last is None or known.shape != blocks.shape or last.shape != thumb.shape:
            self._blocks, self._changed_at = blocks, now
            return False
        edge = max(2, round(blocks.shape[0] * MARGIN))
        rows = slice(edge * BLOCK, thumb.shape[0] - edge * BLOCK)
        differ = np.abs(blocks - known)
        changed = float(np.count_nonzero(cv2.absdiff(last[rows], thumb[rows]))) / max(1, thumb[rows].size)
        most = float(differ[edge:-edge].max(initial=0.0))
        if most >= BLOCK_LEVELS or changed >= CHANGED_SHARE:
            if gap <= SLOW_S and self._is_redrawn(most):
                self._blocks = blocks
                return None
            self._rhythm = max(now - self._changed_at, 0.8 * self._rhythm)
            self._blocks, self._changed_at = blocks, now
            return False
        self._still += 1
        self._redrawn = 0 if self._still >= SURE_STILL else self._redrawn
        self.clock_runs = bool(max(differ[:edge].max(), differ[-edge:].max()) >= BLOCK_LEVELS)
        self._blocks = (1 - FOLLOWS) * known + FOLLOWS * blocks
        if gap <= SLOW_S:
            return True
        # a picture a minute is no fault
        return True if now - self._changed_at > 3 * (self._rhythm or 3600.0) else None

    def _is_redrawn(self, most: float) -> bool:
        """Whether a still that differs a little (``most`` levels) is the one before, drawn anew by a key frame."""
        redrawn = most < REDRAWN and (self._still >= SURE_STILL or 0 < self._redrawn < REDRAWS)
        self._still, self._redrawn = 0, self._redrawn + 1 if redrawn else 0
        return redrawn


def is_no_video(image: Image, thumb: NDArray[np.uint8]) -> bool:
    """The picture that a recorder shows instead of a camera: one colour, with letters on it, or plain blue."""
    counts = np.bincount(thumb.ravel(), minlength=256)
    mode = int(counts.argmax())
    if counts[max(0, mode - 2) : mode + 3].sum() < FLAT_SHARE * thumb.size:
        return False
    small = image[:: max(1, image.shape[0] // 120), :: max(1, image.shape[1] // 160)].astype(np.int16)
    colour = np.median(small.reshape(-1, 3), axis=0)
    away = np.abs(small - colour).max(axis=2)
    coloured = float(colour.max() - colour.min()) >= COLOURED
    flat = float(np.count_nonzero(away <= (4 if coloured else 1))) / away.size
    if flat < (FLAT_SHARE if coloured else PLAIN_SHARE):
        return False
    ink = cv2.absdiff(thumb, np.full_like(thumb, mode)) > TEXT_CONTRAST
    share = float(np.count_nonzero(ink)) / ink.size
    if coloured:
        return bool(TEXT_SHARE[0] <= share <= TEXT_SHARE[1] or flat > 0.97)
    return bool(TEXT_SHARE[0] <= share <= TEXT_SHARE[1]) and _line_of_letters(ink)


def _line_of_letters(ink: NDArray[np.bool_]) -> bool:
    """Letters stand on one line and are about as high as one another; they are strokes, lamps in the night are discs.
    Clocks and names in the margins do not count: every camera has them."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    tops, widths, heights, areas = stats[1:, 1], stats[1:, 2], stats[1:, 3], stats[1:, 4]
    rows = ink.shape[0]
    good = (heights >= 5) & (heights <= rows // 3) & (areas >= 6) & (areas < STROKES * widths * heights)
    good &= (tops > MARGIN * rows) & (tops + heights < (1 - MARGIN) * rows)
    feet, heights = (tops + heights)[good], heights[good]
    for foot, height in zip(feet, heights, strict=True):
        alike = (np.abs(feet - foot) <= 2) & (np.abs(heights - height) <= max(2, height // 4))
        if np.count_nonzero(alike) >= LETTERS:
            return True
    return False


def _blocks(thumb: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = thumb.shape[0] // BLOCK * BLOCK, thumb.shape[1] // BLOCK * BLOCK
    whole = thumb[:height, :width].astype(np.float32)
    means = cv2.resize(whole, (width // BLOCK, height // BLOCK), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32)
