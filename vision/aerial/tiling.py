"""Large pictures in tiles: what an inner edge cuts is left to the next tile, which has the whole of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vision.aerial.pixels import Pixels, as_pixels
from vision.detections import Detections, Image
from vision.detectors._base import Detector

TILE, OVERLAP = 640, 128  # pixels; a bus of 12 m is 87 at the size that the vehicle model wants
MOST_TILES = 400
BATCH = 4
STRIDE = 32
_CUT = 2  # pixels from an edge


def most_scale(width: int, height: int, most_tiles: int = MOST_TILES) -> float:
    """The largest scale at which the picture has about ``most_tiles`` tiles at most."""
    step = TILE - OVERLAP
    return float((most_tiles * step * step / (width * height)) ** 0.5)


def tiles(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Left and top corners of tiles that cover a picture; the last ones of a row end at its edge."""
    for top in _starts(height):
        for left in _starts(width):
            yield left, top


def look_at(picture: Pixels | Image, detector: Detector, scale: float) -> Iterator[Detections]:
    """What ``detector`` sees in each tile of the picture at ``scale``; boxes in pixels of the full picture."""
    scaled = as_pixels(picture).at(scale)
    height, width = scaled.shape[:2]
    yield from look_in(scaled, detector, scale, list(tiles(width, height)))


def look_in(
    scaled: Image, detector: Detector, scale: float, corners: Sequence[tuple[int, int]]
) -> Iterator[Detections]:
    """As :func:`look_at`, in the tiles of ``scaled`` (the picture at ``scale``) whose upper left corners are given."""
    height, width = scaled.shape[:2]
    for start in range(0, len(corners), BATCH):
        some = corners[start : start + BATCH]
        seen = detector.detect([_tile(scaled, left, top) for left, top in some])
        for (left, top), one in zip(some, seen, strict=True):
            yield _back(one.take(_whole(one, left, top, width, height)), scale, left, top)


def _starts(length: int) -> list[int]:
    if length <= TILE:
        return [0]
    step = TILE - OVERLAP
    return [*range(0, length - TILE, step), length - TILE]


def _whole(seen: Detections, left: int, top: int, width: int, height: int) -> NDArray[np.bool_]:
    """Not what an inner edge of the tile cuts: the next tile has the whole of it."""
    x1, y1, x2, y2 = seen.xyxy.T
    inner = (x1 < _CUT) & (left > 0) | (y1 < _CUT) & (top > 0)
    inner |= (x2 > TILE - _CUT) & (left + TILE < width) | (y2 > TILE - _CUT) & (top + TILE < height)
    return np.asarray(~inner, np.bool_)


def _tile(scaled: Image, left: int, top: int) -> Image:
    """A tile as long as all others: what is missing at the edge is grey, so that no picture is blown up to the model's
    size; its shorter side has no more of it than whole strides need."""
    part = scaled[top : top + TILE, left : left + TILE]
    if part.shape[:2] == (TILE, TILE):
        return np.ascontiguousarray(part)
    height, width = part.shape[:2]
    short = min(TILE, -(-min(height, width) // STRIDE) * STRIDE)
    size = (TILE, short) if height > width else (short, TILE)
    canvas = np.full((*size, 3), 114, np.uint8)
    canvas[:height, :width] = part
    return canvas


def _back(seen: Detections, scale: float, left: int, top: int) -> Detections:
    xyxy = (seen.xyxy + np.asarray([left, top, left, top], np.float32)) / np.float32(scale)
    return Detections(xyxy.astype(np.float32), seen.class_id, seen.confidence, seen.class_name, seen.models)
