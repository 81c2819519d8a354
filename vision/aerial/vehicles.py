"""Vehicles in pictures from above, at one scale whatever the flight's height.

The model (``aerial_vehicles.onnx``) learnt cars of 30 to 35 pixels.  Where the ground resolution is known (EXIF and
XMP of the photograph: height, focal length, sensor), the picture is scaled so that a car of 4.5 m gets 32.5 pixels, and
cut into tiles that overlap by more than a bus.  Where it is not known, two scales are looked at and merged.  Trucks,
buses and minibuses cannot be told apart by what there was to learn from: they are one class here.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections, Image, empty
from vision.detectors._base import Detector, suppress

CAR_M, CAR_PX = 4.5, 32.5
MODEL_M = CAR_M / CAR_PX  # metres a pixel that the model wants
UNKNOWN_SCALES = (1.0, 0.5)
LEAST_SCALE, MOST_SCALE = 0.05, 4.0
TILE, OVERLAP = 640, 128  # pixels; a bus of 12 m is 87
CUT = 2  # pixels from an edge
MOST_TILES = 400
BATCH = 4
CLASSES = ("car", "large_vehicle", "cyclist")
MERGED = {"car": 0, "truck": 1, "bus": 1, "minibus": 1, "cyclist": 2}


def find_vehicles(
    image: Image, detector: Detector, metres_per_pixel: float | None = None, confidence: float = 0.25
) -> Detections:
    """Vehicles in ``image`` (BGR), boxes in its pixels, classes :data:`CLASSES`, by falling confidence.

    ``metres_per_pixel`` is the ground resolution; None, zero, negative or not finite: it is not known.  An oblique
    picture has no single one: give that of its middle, what is much nearer or farther is missed.
    """
    found = [
        _shrunk(seen, scale, left, top)
        for scale in scales(image.shape[1], image.shape[0], metres_per_pixel)
        for (left, top), seen in _looks(image, detector, scale)
    ]
    rows = [(s.xyxy[i], MERGED[s.name(i)], float(s.confidence[i])) for s in found for i in range(len(s))
            if s.name(i) in MERGED and s.confidence[i] >= confidence]  # fmt: skip
    if not rows:
        return empty(CLASSES, (detector.model,))
    xyxy = np.stack([r[0] for r in rows]).astype(np.float32)
    score = np.asarray([r[2] for r in rows], np.float32)
    return suppress(xyxy, score, np.asarray([r[1] for r in rows], np.int32), CLASSES, detector.model, iou=0.4)


def scales(width: int, height: int, metres_per_pixel: float | None) -> tuple[float, ...]:
    """By how much the picture is scaled before it is looked at; smaller where it would give too many tiles."""
    known = metres_per_pixel is not None and np.isfinite(metres_per_pixel) and metres_per_pixel > 0
    wanted = (float(metres_per_pixel) / MODEL_M,) if known and metres_per_pixel is not None else UNKNOWN_SCALES
    step = TILE - OVERLAP
    most = (MOST_TILES * step * step / (width * height)) ** 0.5
    return tuple(dict.fromkeys(min(max(s, LEAST_SCALE), MOST_SCALE, most) for s in wanted))


def tiles(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Left and top corners of tiles that cover a picture; the last ones of a row end at its edge."""
    for top in _starts(height):
        for left in _starts(width):
            yield left, top


def _starts(length: int) -> list[int]:
    if length <= TILE:
        return [0]
    step = TILE - OVERLAP
    return [*range(0, length - TILE, step), length - TILE]


def _looks(image: Image, detector: Detector, scale: float) -> Iterator[tuple[tuple[int, int], Detections]]:
    height, width = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(image if scale == 1 else cv2.resize(image, (width, height), interpolation=how), np.uint8)
    corners = list(tiles(width, height))
    for start in range(0, len(corners), BATCH):
        some = corners[start : start + BATCH]
        seen = detector.detect([_tile(scaled, left, top) for left, top in some])
        for (left, top), one in zip(some, seen, strict=True):
            yield (left, top), one.take(_whole(one, left, top, width, height))


def _whole(seen: Detections, left: int, top: int, width: int, height: int) -> NDArray[np.bool_]:
    """Not what an inner edge of the tile cuts: the next tile has the whole of it."""
    x1, y1, x2, y2 = seen.xyxy.T
    inner = (x1 < CUT) & (left > 0) | (y1 < CUT) & (top > 0)
    inner |= (x2 > TILE - CUT) & (left + TILE < width) | (y2 > TILE - CUT) & (top + TILE < height)
    return np.asarray(~inner, np.bool_)


def _tile(scaled: Image, left: int, top: int) -> Image:
    """A whole tile: what is missing at the edge is grey, so that no picture is blown up to the model's size."""
    part = scaled[top : top + TILE, left : left + TILE]
    if part.shape[:2] == (TILE, TILE):
        return np.ascontiguousarray(part)
    whole = np.full((TILE, TILE, 3), 114, np.uint8)
    whole[: part.shape[0], : part.shape[1]] = part
    return whole


def _shrunk(seen: Detections, scale: float, left: int, top: int) -> Detections:
    xyxy = (seen.xyxy + np.asarray([left, top, left, top], np.float32)) / np.float32(scale)
    return Detections(xyxy.astype(np.float32), seen.class_id, seen.confidence, seen.class_name, seen.models)


def summary(found: Detections) -> dict[str, int]:
    """How many of each class."""
    return {name: int(np.count_nonzero(found.class_id == i)) for i, name in enumerate(found.class_name)}
