"""What a picture from above shows: vehicles, people, flame and smoke, rubbish; each with how far it may be believed.

Flame, smoke and rubbish are looked for at full resolution in tiles and once in the whole picture (a large fire).
People only where the picture is oblique: the model sees none from straight above.  ``TRUST`` says what a sight may do:
``count`` is counted and shown; ``twice`` reports itself when two overlapping pictures show it or when it is very sure;
``person`` waits until somebody confirms it (the rubbish model learnt from the ground and is often wrong from above).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core import plugins
from core.records import ModelRef
from vision import weights
from vision.aerial.tiling import TILE, look_at, most_scale
from vision.aerial.trust import TRUST
from vision.aerial.vehicles import find_vehicles
from vision.detections import Detections, Image, merge
from vision.detectors._base import Detector, suppress
from vision.evaluate.cards import read_card

CLASSES: Mapping[str, tuple[str, ...]] = {  # what a person may say of a box, by the model that it judges
    "aerial_vehicles": ("car", "truck", "bus", "minibus", "cyclist"),
    "flame_smoke": ("fire", "smoke"),
    "garbage": ("garbage", "garbage_bin", "overflow"),
    "nanodet_coco_416": ("person",),
}
OBLIQUE = -70.0  # degrees of pitch
PERSON = 0.45  # below it traffic cones and cars pass for people (docs/models.md)
VEHICLE = 0.25


@dataclass(frozen=True)
class AerialSight:
    """One box in pixels of the picture (x1, y1, x2, y2)."""

    name: str
    box: tuple[float, float, float, float]
    confidence: float
    model: ModelRef


class AerialEyes:
    """The models, loaded when first needed; one that cannot be loaded is told by ``failed`` and the others look on."""

    def __init__(self, build: Callable[[str, Mapping[str, object]], Detector] | None = None) -> None:
        self.failed: dict[str, str] = {}
        self._build = build or (lambda kind, params: plugins.build("detector", kind, dict(params)))
        self._held: dict[str, Detector] = {}

    def look(self, image: Image, metres_per_pixel: float | None, pitch: float | None) -> list[AerialSight]:
        """Every sight in ``image`` (BGR), by falling confidence."""
        found: list[AerialSight] = []
        vehicles = self._detector("aerial_vehicles.onnx")
        if vehicles is not None:
            found += _sights(find_vehicles(image, vehicles, metres_per_pixel, VEHICLE), {})
        for file in ("flame_smoke.onnx", "garbage.onnx"):
            detector = self._detector(file)
            if detector is not None:
                found += _sights(_everywhere(image, detector), _thresholds(file))
        if pitch is not None and pitch > OBLIQUE and (people := self._detector("nanodet")) is not None:
            found += _sights(_everywhere(image, people), {"person": PERSON})
        return sorted((s for s in found if s.name in TRUST), key=lambda s: -s.confidence)

    def _detector(self, name: str) -> Detector | None:
        if name in self.failed:
            return None
        if name not in self._held:
            try:
                if name.endswith(".onnx"):
                    self._held[name] = self._build("yolo_onnx", {"file": name})
                else:
                    self._held[name] = self._build(name, {})
            except Exception as error:  # noqa: BLE001 — run-times raise plain exceptions; the other models look on
                self.failed[name] = str(error).splitlines()[0][:200]
                return None
        return self._held[name]


def _thresholds(file: str) -> dict[str, float]:
    card = read_card(weights.find(file))
    return dict(card.thresholds) if card is not None else {}


def _sights(found: Detections, limits: Mapping[str, float]) -> list[AerialSight]:
    """Rows above their threshold; without any all of them; a class that the thresholds do not name is left out."""
    out = []
    for row in range(len(found)):
        name, sure = found.name(row), float(found.confidence[row])
        if sure >= limits.get(name, 1.1 if limits else 0.0):
            out.append(AerialSight(name, found.box(row), round(sure, 3), found.models[0]))
    return out


def _everywhere(image: Image, detector: Detector) -> Detections:
    """In tiles at full resolution, and in the whole picture at a tile's size."""
    height, width = image.shape[:2]
    scales = dict.fromkeys((min(1.0, most_scale(width, height)), min(1.0, TILE / max(width, height))))
    seen = merge([one for scale in scales for one in look_at(image, detector, scale)])
    if not len(seen):
        return seen
    return suppress(
        np.asarray(seen.xyxy, np.float32), seen.confidence, np.asarray(seen.class_id, np.int32), seen.class_name,
        detector.model, iou=0.4,
    )  # fmt: skip
