"""Vehicles in pictures from above, at one scale whatever the flight's height.

The model (``aerial_vehicles.onnx``) learnt cars of 30 to 35 pixels.  Where the ground resolution is known (EXIF and
XMP of the photograph: height, focal length, sensor), the picture is scaled so that a car of 4.5 m gets 32.5 pixels, and
cut into tiles that overlap by more than a bus.  Where it is not known, the cars that are found at two scales (at a
third, where there are none) tell it, and the picture is looked at once more at theirs; where too few are found, what
both scales show is merged.  Trucks, buses and minibuses cannot be told apart by what there was to learn from: they are
one class here.
"""

from __future__ import annotations

import numpy as np

from vision.aerial.pixels import Pixels, as_pixels
from vision.aerial.tiling import look_at, most_scale
from vision.detections import Detections, Image, empty
from vision.detectors._base import Detector, suppress

CAR_M, CAR_PX = 4.5, 32.5
MODEL_M = CAR_M / CAR_PX  # metres a pixel that the model wants
UNKNOWN_SCALES = (1.0, 0.5)
SURE, ENOUGH = 0.4, 3  # confidence and number of cars that tell the scale
ALIKE = 0.15  # logarithm of two scales between which the model sees no difference
LEAST_SCALE, MOST_SCALE = 0.05, 4.0
CLASSES = ("car", "large_vehicle", "cyclist")
MERGED = {"car": 0, "truck": 1, "bus": 1, "minibus": 1, "cyclist": 2}


def find_vehicles(
    image: Image | Pixels, detector: Detector, metres_per_pixel: float | None = None, confidence: float = 0.25
) -> Detections:
    """Vehicles in ``image`` (BGR), boxes in its pixels, classes :data:`CLASSES`, by falling confidence.

    ``metres_per_pixel`` is the ground resolution; None, zero, negative or not finite: it is not known.  An oblique
    picture has no single one: give that of its middle, what is much nearer or farther is missed.
    """
    pixels = as_pixels(image)
    wanted = scales(pixels.width, pixels.height, metres_per_pixel)
    by_scale = {scale: list(look_at(pixels, detector, scale)) for scale in wanted}
    if len(wanted) > 1:
        by_scale = _by_cars(pixels, detector, by_scale)
    found = [seen for looks in by_scale.values() for seen in looks]
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


def _by_cars(image: Pixels, detector: Detector, looks: dict[float, list[Detections]]) -> dict[float, list[Detections]]:
    """The looks that count where nobody knows the scale: those at the size of the cars that ``looks`` show."""
    larger = min(2.0, most_scale(image.width, image.height))
    if not any(len(_lengths(seen)) >= ENOUGH for seen in looks.values()) and larger > max(looks):
        looks = {**looks, larger: list(look_at(image, detector, larger))}
    lengths = max((_lengths(seen) for seen in looks.values()), key=len)
    if len(lengths) < ENOUGH:
        return looks
    fits = min(max(CAR_PX / float(np.median(lengths)), LEAST_SCALE), MOST_SCALE, most_scale(image.width, image.height))
    near = min(looks, key=lambda scale: abs(np.log(scale / fits)))
    if abs(np.log(near / fits)) < ALIKE:
        return {near: looks[near]}
    return {fits: list(look_at(image, detector, fits))}


def _lengths(looks: list[Detections]) -> list[float]:
    """Of the sure cars, in pixels of the picture."""
    cars = [xyxy for seen in looks for xyxy in seen.of("car", confidence=SURE).xyxy]
    return [float(max(x2 - x1, y2 - y1)) for x1, y1, x2, y2 in cars]


def summary(found: Detections) -> dict[str, int]:
    """How many of each class."""
    return {name: int(np.count_nonzero(found.class_id == i)) for i, name in enumerate(found.class_name)}
