"""What a picture from above shows: vehicles, people, flame and smoke, rubbish; each with how far it may be believed.

Flame, smoke and rubbish are looked for in tiles at a ground resolution of 6 and 8 cm, flame and smoke also in the whole
picture (a large fire) and at full resolution where something has a flame's colour.  12 megapixels from 50 m have 48
tiles at full resolution, most of them of asphalt and grass, and four at 6 cm.
People only where the picture is oblique: the model sees none from straight above.  ``TRUST`` says what a sight may do:
``count`` is counted and shown; ``twice`` reports itself when two overlapping pictures show it or when it is very sure;
``person`` waits until somebody confirms it (the rubbish model learnt from the ground and is often wrong from above).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import cv2
import numpy as np

from core import plugins
from core.records import ModelRef
from vision import weights
from vision.aerial.pixels import Pixels, as_pixels
from vision.aerial.tiling import OVERLAP, TILE, look_at, look_in, most_scale
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
GROUND_M = {"flame_smoke.onnx": 0.06, "garbage.onnx": 0.08}  # metres a pixel of the tiles; half a metre has eight, six
UNKNOWN_TILES = 12  # of a picture whose ground resolution nobody knows
_HOT_RED, _HOT_APART = 215, 90  # grey levels
HOT_TILES = 4  # at full resolution, where something has a flame's colour


@dataclass(frozen=True)
class AerialSight:
    """One box in pixels of the picture (x1, y1, x2, y2)."""

    name: str
    box: tuple[float, float, float, float]
    confidence: float
    model: ModelRef


class AerialEyes:
    """The models, loaded when first needed; one that cannot be loaded is told by ``failed`` and the others look on.

    Several threads may look at once.  The flame model, which wakes a second one where it suspects something, takes one
    picture at a time, and so does the vehicle model: at 1,280 pixels a run holds a hundred megabytes.
    """

    def __init__(self, build: Callable[[str, Mapping[str, object]], Detector] | None = None) -> None:
        self.failed: dict[str, str] = {}
        self._build = build or (lambda kind, params: plugins.build("detector", kind, dict(params)))
        self._held: dict[str, Detector] = {}
        self._one, self._large, self._loading = threading.Lock(), threading.Lock(), threading.Lock()

    def look(self, picture: Pixels | Image, metres_per_pixel: float | None, pitch: float | None) -> list[AerialSight]:
        """Every sight in ``picture`` (BGR), by falling confidence."""
        pixels, found = as_pixels(picture), list[AerialSight]()
        for file in ("flame_smoke.onnx", "garbage.onnx"):
            if (detector := self._detector(file)) is not None:
                fires = file == "flame_smoke.onnx"
                with self._one if fires else nullcontext():
                    seen = _everywhere(
                        pixels, detector, metres_per_pixel, GROUND_M[file], HOT_TILES if fires else 0, whole=fires
                    )
                found += _sights(seen, _thresholds(file))
        if pitch is not None and pitch > OBLIQUE and (people := self._detector("nanodet")) is not None:
            found += _sights(_everywhere(pixels, people, None, 1.0, whole=True), {"person": PERSON})
        vehicles = self._detector("aerial_vehicles.onnx")
        if vehicles is not None:
            with self._large:
                seen = find_vehicles(pixels, vehicles, metres_per_pixel, VEHICLE)
            found += _sights(seen, {})
        return sorted((s for s in found if s.name in TRUST), key=lambda s: -s.confidence)

    def _detector(self, name: str) -> Detector | None:
        with self._loading:
            return self._loaded(name)

    def _loaded(self, name: str) -> Detector | None:
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


def _everywhere(
    picture: Pixels, detector: Detector, metres_per_pixel: float | None, ground_m: float, hot: int = 0, *, whole: bool
) -> Detections:
    """In tiles, in the ``whole`` picture at a tile's size, and in ``hot`` tiles of full resolution at most."""
    width, height = picture.width, picture.height
    scale = tile_scale(width, height, metres_per_pixel, ground_m)
    corners = hot_tiles(picture.at(scale), scale, width, height, hot) if hot and scale < 1 else []
    seen = list(look_in(picture.at(1.0), detector, 1.0, corners)) if corners else []
    for each in dict.fromkeys((scale, *([min(1.0, TILE / max(width, height))] if whole else []))):
        seen += look_at(picture, detector, each)
    found = merge(seen)
    if not len(found):
        return found
    return suppress(
        np.asarray(found.xyxy, np.float32), found.confidence, np.asarray(found.class_id, np.int32), found.class_name,
        detector.model, iou=0.4,
    )  # fmt: skip


def tile_scale(width: int, height: int, metres_per_pixel: float | None, ground_m: float) -> float:
    """By how much a picture is made smaller before it is cut into tiles."""
    if metres_per_pixel is None or not np.isfinite(metres_per_pixel) or metres_per_pixel <= 0:
        return min(1.0, most_scale(width, height, UNKNOWN_TILES))
    return min(1.0, float(metres_per_pixel) / ground_m, most_scale(width, height))


def hot_tiles(scaled: Image, scale: float, width: int, height: int, most: int) -> list[tuple[int, int]]:
    """Upper left corners of tiles of the full picture around what is bright and of a flame's colour, at most ``most``.

    Red is strong and blue is weak; the strongest spot comes first and takes along what its tile holds.
    """
    blue, _, red = (scaled[:, :, k].astype(np.int16) for k in range(3))
    strength = np.where((red > _HOT_RED) & (red - blue > _HOT_APART), red - blue, 0).astype(np.float32)
    strength = cv2.blur(strength, (3, 3))
    out: list[tuple[int, int]] = []
    reach = (TILE / 2 - OVERLAP / 2) * scale
    while len(out) < most:
        _, peak, _, (x, y) = cv2.minMaxLoc(strength)
        if peak < _HOT_APART / 3:
            break
        left, top = round(x / scale - TILE / 2), round(y / scale - TILE / 2)
        out.append((max(0, min(left, width - TILE)), max(0, min(top, height - TILE))))
        low_x, low_y = max(0, int(x - reach)), max(0, int(y - reach))
        strength[low_y : int(y + reach) + 1, low_x : int(x + reach) + 1] = 0
    return out
