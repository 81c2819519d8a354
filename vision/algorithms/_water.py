"""Small parts of waterlogging: what vehicles hide, medians of measures, classes of depth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Zone
from vision.algorithms._base import VEHICLES
from vision.capture.frames import Frame
from vision.detections import Box, Detections
from vision.errors import ClipInvalid
from vision.judging.water import Covered

CLASSES_CM = (5.0, 15.0, 27.0, 40.0)  # attention, case, close the lane, block the road
VEHICLE = 0.3  # confidence from which what may be a vehicle is left out


def hidden(seen: Detections, frame: Frame) -> NDArray[np.bool_]:
    """Where vehicles stand on the small picture."""
    height, width = frame.thumb.shape
    where = np.zeros((height, width), np.bool_)
    for x1, y1, x2, y2 in seen.of(*VEHICLES, confidence=VEHICLE).xyxy * (width / frame.width):
        where[max(0, int(y1) - 3) : int(y2) + 4, max(0, int(x1) - 3) : int(x2) + 4] = True
    return where


def depth_level(depth_cm: float) -> int:
    """0 below 5 cm, 1 attention, 2 a case (15 cm), 3 close the lane (27 cm), 4 block the road (40 cm)."""
    return sum(depth_cm >= step for step in CLASSES_CM)


def median(measured: list[Covered]) -> Covered:
    if not measured:
        return Covered(0.0, 0.0, 0)
    return Covered(
        float(np.median([m.inside for m in measured])),
        float(np.median([m.outside for m in measured])),
        int(np.median([m.structure for m in measured])),
    )


def bounds(zone: Zone) -> Box:
    x, y = [p[0] for p in zone.polygon], [p[1] for p in zone.polygon]
    return min(x), min(y), max(x), max(y)


def picture_at(path: str) -> NDArray[np.uint8]:
    picture = cv2.imread(str(Path(path).expanduser()), cv2.IMREAD_COLOR)
    if picture is None:
        raise ClipInvalid(path=path, detail="the dry reference is not a readable picture")
    return np.asarray(picture, np.uint8)
