"""Pictures from above are looked at at one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from core.records import ModelRef
from vision.aerial.tiling import TILE, tiles
from vision.aerial.vehicles import MODEL_M, find_vehicles, scales, summary
from vision.detections import Detections, Image

NAMES = ("car", "truck", "bus", "minibus", "cyclist")


class Bright:
    """Takes every bright rectangle of 26 to 40 pixels for a car or, where it is blue, a truck: it knows one scale."""

    model = ModelRef(name="m", sha256="", version="")
    class_name: tuple[str, ...] = NAMES

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        out = []
        for frame in frames:
            assert max(frame.shape) == TILE and min(frame.shape[:2]) % 32 == 0
            _, _, stats, _ = cv2.connectedComponentsWithStats((frame.max(axis=2) > 180).astype(np.uint8))
            rows = [s for s in stats[1:] if 26 <= s[2] <= 40]
            xyxy = np.asarray([[x, y, x + w, y + h] for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
            blue = [int(frame[y + h // 2, x + w // 2].argmin() != 0) for x, y, w, h, _ in rows]
            ids, sure = np.asarray(blue, np.int32), np.full(len(rows), 0.9, np.float32)
            out.append(Detections(xyxy, ids, sure, NAMES, (self.model,)))
        return out


def scene(metres_per_pixel: float) -> tuple[Image, list[tuple[float, float]]]:
    """200 m × 150 m with five cars and a truck of the same length; their middles in pixels."""
    size = (round(150 / metres_per_pixel), round(200 / metres_per_pixel))
    image, middles = np.full((*size, 3), 90, np.uint8), []
    for i, (x, y) in enumerate([(20, 20), (80, 60), (88, 62), (150, 140), (190, 10), (100, 100)]):
        left, top = round(x / metres_per_pixel), round(y / metres_per_pixel)
        right, bottom = round((x + 4.5) / metres_per_pixel), round((y + 1.9) / metres_per_pixel)
        image[top:bottom, left:right] = (255, 60, 60) if i == 5 else (60, 250, 250)
        middles.append(((left + right) / 2, (top + bottom) / 2))
    return image, middles


@pytest.mark.parametrize("metres_per_pixel", [0.03, 0.07, MODEL_M, 0.25])
def test_every_height_of_flight_finds_the_same_cars_once(metres_per_pixel: float) -> None:
    image, middles = scene(metres_per_pixel)
    found = find_vehicles(image, Bright(), metres_per_pixel)
    assert summary(found) == {"car": 5, "large_vehicle": 1, "cyclist": 0}
    centres = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2
    for middle in middles:
        assert np.abs(centres - middle).max(axis=1).min() < 1.0 / metres_per_pixel


@pytest.mark.parametrize("unknown", [None, 0.0, -1.0, math.nan, math.inf])
def test_without_a_ground_resolution_two_scales_are_merged(unknown: float | None) -> None:
    for metres_per_pixel in (MODEL_M, MODEL_M / 2):
        image, _ = scene(metres_per_pixel)
        assert summary(find_vehicles(image, Bright(), unknown))["car"] == 5


def test_tiles_cover_everything_and_are_never_too_many() -> None:
    for width, height in ((300, 200), (640, 640), (641, 1500), (4000, 3000)):
        covered = np.zeros((height, width), np.bool_)
        for left, top in tiles(width, height):
            assert left >= 0 and top >= 0
            covered[top : top + TILE, left : left + TILE] = True
        assert covered.all()
    for resolution in (0.001, 0.138, 30.0, None):
        for scale in scales(8192, 5460, resolution):
            assert 0 < len(list(tiles(round(8192 * scale), round(5460 * scale)))) <= 500
