"""A large picture at the scales at which it is looked at; the full size is decoded only where somebody asks for it.

JPEG is decoded at a half, a quarter or an eighth by its own blocks (libjpeg), which costs a part of the time and of the
memory: 12 megapixels at a quarter are 2.3 MB instead of 36.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vision.detections import Image

_REDUCED = {
    1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8
}  # fmt: skip


class Unreadable(Exception):
    """The file's pixels cannot be decoded."""


class Pixels(Protocol):
    """Width and height of the full picture, and BGR at a scale: ``round(side * scale)``, at least one pixel."""

    width: int
    height: int

    def at(self, scale: float) -> Image: ...


class InMemory:
    """A picture that is in memory."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.height, self.width = image.shape[:2]

    def at(self, scale: float) -> Image:
        """See :class:`Pixels`."""
        return _sized(self._image, self.width, self.height, scale)


class OnDisk:
    """A file whose pixels are ``width`` × ``height`` as they lie (no turning by EXIF); the last decoding is kept."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self.path, self.width, self.height = path, width, height
        self._reduced, self._image = 0, np.zeros((0, 0, 3), np.uint8)

    def at(self, scale: float) -> Image:
        """See :class:`Pixels`; :class:`Unreadable`."""
        wanted = next((r for r in (8, 4, 2) if 1 / r >= scale), 1)
        if not 0 < self._reduced <= wanted:
            image = cv2.imread(str(self.path), _REDUCED[wanted] | cv2.IMREAD_IGNORE_ORIENTATION)
            if image is None:
                raise Unreadable(str(self.path))
            self._reduced, self._image = wanted, np.asarray(image, np.uint8)
        return _sized(self._image, self.width, self.height, scale)


def as_pixels(picture: Pixels | Image) -> Pixels:
    """An array is a picture in memory."""
    return InMemory(picture) if isinstance(picture, np.ndarray) else picture


def _sized(image: Image, width: int, height: int, scale: float) -> Image:
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if (image.shape[1], image.shape[0]) == size:
        return image
    how = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
