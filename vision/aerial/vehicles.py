"""Vehicles in pictures from above, at one scale whatever the flight's height.

The model (``aerial_vehicles.onnx``) learnt cars of 30 to 35 pixels.  Where the ground resolution is known (EXIF and
XMP of the photograph: height, focal length, sensor), the picture is scaled so that a car of 4.5 m gets 32.5 pixels, and
cut into tiles that overlap by more than a bus.  Where it is not known, two scales are looked at and merged.  Trucks,
buses and minibuses cannot be told apart by what there was to learn from: they are one class here.
"""

from __future__ import annotations

import numpy as np

from vision.aerial.tiling import look_at, most_scale
from vision.detections import Detections, Image, empty
from vision.detectors._base import Detector, suppress

CAR_M, CAR_PX = 4.5, 32.5
MODEL_M = CAR_M / CAR_PX  # metres a pixel that the model wants
UNKNOWN_SCALES = (1.0, 0.5)
LEAST_SCALE, MOST_SCALE = 0.05, 4.0
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
        seen
        for scale in scales(image.shape[1], image.shape[0], metres_per_pixel)
        for seen in look_at(image, detector, scale)
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
    most = most_scale(width, height)
    return tuple(dict.fromkeys(min(max(s, LEAST_SCALE), MOST_SCALE, most) for s in wanted))


def summary(found: Detections) -> dict[str, int]:
    """How many of each class."""
    return {name: int(np.count_nonzero(found.class_id == i)) for i, name in enumerate(found.class_name)}
