"""A decoded picture on its way from a camera to the algorithms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from vision.detections import Box, Image
from vision.judging.motion_gate import thumbnail


@dataclass(frozen=True)
class Frame:
    """``image`` BGR; ``at`` when it was seen (aware UTC); ``clock_s`` seconds on a clock that never falls
    (video time for a clip, monotonic time for a live camera): the algorithms' ``now``.

    ``thumb`` is the 320-pixel grey picture; ``motion`` the share of it (0…1) that changed since the last detection;
    ``dark`` says that too little light fell on the sensor for anything to be judged.  ``clock_offset_s`` is the
    camera's clock minus ours where its stream bears its time, else None.  ``fresh``: a detector looked at this picture;
    else what was seen is that of the last one.
    """

    camera_id: str
    image: Image
    at: datetime
    clock_s: float
    thumb: NDArray[np.uint8]
    sequence: int = 0
    motion: float = 1.0
    dark: bool = False
    clock_offset_s: float | None = None
    fresh: bool = True

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    def normalised(self, box: Box) -> Box:
        """``box`` in pixels as shares of the picture, clipped to it."""
        x1, y1, x2, y2 = box
        w, h = self.width, self.height
        clip = [min(max(v, 0.0), 1.0) for v in (x1 / w, y1 / h, x2 / w, y2 / h)]
        return round(clip[0], 4), round(clip[1], 4), round(clip[2], 4), round(clip[3], 4)


def make_frame(
    camera_id: str, image: Image, at: datetime, clock_s: float, sequence: int = 0, offset_s: float | None = None
) -> Frame:
    """A frame with its thumbnail and darkness worked out."""
    thumb = thumbnail(image)
    return Frame(camera_id, image, at, clock_s, thumb, sequence, dark=is_dark(thumb), clock_offset_s=offset_s)


def is_dark(thumb: NDArray[np.uint8]) -> bool:
    """Nothing to judge by: almost every pixel (99 %) below grey level 28, the mean below 14."""
    return bool(thumb.mean() < 14.0 and np.percentile(thumb, 99) < 28)
