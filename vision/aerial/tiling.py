"""Large pictures in tiles: what an inner edge cuts is left to the next tile, which has the whole of it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections, Image
from vision.detectors._base import Detector

TILE, OVERLAP = 640, 128  # pixels; a bus of 12 m is 87 at the size that the vehicle model wants
MOST_TILES = 400
BATCH = 4
_CUT = 2  # pixels from an edge


def most_scale(width: int, height: int) -> float:
    """The largest scale at which the picture has no more than :data:`MOST_TILES` tiles."""
    step = TILE - OVERLAP
    return float((MOST_TILES * step * step / (width * height)) ** 0.5)


def tiles(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Left and top corners of tiles that cover a picture; the last ones of a row end at its edge."""
    for top in _starts(height):
        for left in _starts(width):
            yield left, top


def look_at(image: Image, detector: Detector, scale: float) -> Iterator[Detections]:
    """What ``detector`` sees in each tile of the picture at ``scale``; boxes in pixels of ``image``."""
    height, width = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(image if scale == 1 else cv2.resize(image, (width, height), interpolation=how), np.uint8)
    corners = list(tiles(width, height))
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
    """A whole tile: what is missing at the edge is grey, so that no picture is blown up to the model's size."""
    part = scaled[top : top + TILE, left : left + TILE]
    if part.shape[:2] == (TILE, TILE):
        return np.ascontiguousarray(part)
    whole = np.full((TILE, TILE, 3), 114, np.uint8)
    whole[: part.shape[0], : part.shape[1]] = part
    return whole


def _back(seen: Detections, scale: float, left: int, top: int) -> Detections:
    xyxy = (seen.xyxy + np.asarray([left, top, left, top], np.float32)) / np.float32(scale)
    return Detections(xyxy.astype(np.float32), seen.class_id, seen.confidence, seen.class_name, seen.models)
