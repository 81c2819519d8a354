"""Lively places, the second look at them, and candidates that last."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from tests.unit.vision.test_vision_logic import frame
from vision.algorithms._fire.places import WatchedPlaces, moved
from vision.algorithms._fire.second_look import SecondLook
from vision.algorithms.flame_smoke import FlameSmoke, Params
from vision.detections import Detections, Image, empty
from vision.judging.findings import Need
from vision.judging.flicker import LivelyRegions, crop_around

THUMB = np.full((180, 320), 90, np.uint8)


def flicker_at(step: int, x: int = 200, y: int = 100, size: int = 14) -> np.ndarray:
    thumb = THUMB.copy()
    thumb[y : y + size, x : x + size] = np.random.default_rng(step).integers(0, 255, (size, size))
    return thumb


def passing(step: int) -> np.ndarray:
    thumb = THUMB.copy()
    thumb[60:140, step * 24 : step * 24 + 30] = 200
    return thumb


def test_a_flickering_place_is_lively_and_a_passer_by_is_not() -> None:
    flame, walker = LivelyRegions(), LivelyRegions()
    for step in range(12):
        flame.feed(flicker_at(step))
        walker.feed(passing(step))
    ((x1, y1, x2, y2),) = flame.regions()
    assert x1 < 200 / 320 < 214 / 320 < x2
    assert y1 < 100 / 180 < 114 / 180 < y2
    assert x2 - x1 < 0.15
    assert walker.regions() == []


def test_nothing_is_lively_before_there_is_a_memory_or_when_the_camera_moves() -> None:
    young, shaking = LivelyRegions(), LivelyRegions()
    for step in range(4):
        young.feed(flicker_at(step))
    for step in range(12):
        shaking.feed(np.random.default_rng(step).integers(0, 255, THUMB.shape, dtype=np.uint8))
    assert young.regions() == []
    assert shaking.regions() == []


def test_noise_of_a_night_camera_is_not_lively() -> None:
    lively = LivelyRegions()
    for step in range(14):
        noise = np.random.default_rng(step).normal(0, 6, THUMB.shape)
        lively.feed(np.clip(THUMB + noise, 0, 255).astype(np.uint8))
    assert lively.regions() == []


def test_another_picture_size_starts_afresh() -> None:
    lively = LivelyRegions()
    for step in range(12):
        lively.feed(flicker_at(step))
    lively.feed(np.zeros((240, 320), np.uint8))
    assert lively.regions() == []


@pytest.mark.parametrize("region", [(0.0, 0.0, 0.01, 0.01), (0.95, 0.9, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)])
def test_a_cut_out_is_square_and_inside(region: tuple[float, float, float, float]) -> None:
    x1, y1, x2, y2 = crop_around(region, 640, 360)
    assert x2 - x1 == y2 - y1 >= 64
    assert 0 <= x1 < x2 <= 640
    assert 0 <= y1 < y2 <= 360


class Eyes:
    """A detector that sees ``name`` in the middle of every cut-out, as surely as told."""

    def __init__(self, confidence: float, name: str = "fire") -> None:
        self.confidence, self.name, self.shapes = confidence, name, list[tuple[int, ...]]()

    def detect(self, need: Need, images: Sequence[Image]) -> list[Detections]:
        self.shapes += [i.shape for i in images]
        return [self._middle(i) for i in images]

    def _middle(self, image: Image) -> Detections:
        h, w = image.shape[:2]
        box = np.array([[w * 0.4, h * 0.4, w * 0.6, h * 0.6]], np.float32)
        number = ("fire", "smoke").index(self.name)
        return Detections(box, np.array([number], np.int32), np.array([self.confidence], np.float32), ("fire", "smoke"))


def street_with_flame(step: int) -> np.ndarray:
    image = np.full((360, 640, 3), 90, np.uint8)
    image[200:230, 400:430] = np.random.default_rng(step).integers(60, 255, (30, 30, 3))
    return image


def watch(eyes: Eyes | None, seconds: float = 12.0, fps: float = 4.0, **params: object) -> list[tuple[float, object]]:
    given = {"fire_confidence": 0.3, "smoke_confidence": 0.3, "detector_params": {}, "second_look": True, **params}
    algorithm = FlameSmoke(Params(**given), (), eyes)  # type: ignore[arg-type]
    told = []
    for step in range(int(seconds * fps)):
        now = step / fps
        for finding in algorithm.update(empty(("fire", "smoke")), frame(now, street_with_flame(step)), now):
            told.append((now, finding))
    return told


@pytest.mark.parametrize("fps", [2.0, 4.0])
def test_a_flame_too_small_for_the_whole_picture_is_found_on_the_second_look(fps: float) -> None:
    told = watch(Eyes(0.6), fps=fps)
    assert len(told) == 1
    at, finding = told[0]
    assert at < 10
    assert finding.attributes["magnified"] is True  # type: ignore[attr-defined]
    x1, y1, x2, y2 = finding.box  # type: ignore[attr-defined]
    assert abs((x1 + x2) / 2 - 415 / 640) < 0.05
    assert abs((y1 + y2) / 2 - 215 / 360) < 0.05


def test_a_magnified_sight_must_be_surer() -> None:
    assert watch(Eyes(0.35)) == []


def test_without_second_look_nothing_is_magnified() -> None:
    eyes = Eyes(0.9)
    assert watch(eyes, second_look=False) == []
    assert eyes.shapes == []


def test_a_quiet_camera_costs_no_second_look() -> None:
    eyes = Eyes(0.9)
    second = SecondLook(eyes, Need("yolo_onnx", ("fire",)))
    for step in range(20):
        second.look(frame(step / 4, street_with_flame(0)), step / 4)
    assert eyes.shapes == []
    assert second.looks == 0


def test_second_looks_come_at_most_twice_a_second() -> None:
    eyes = Eyes(0.9)
    second = SecondLook(eyes, Need("yolo_onnx", ("fire",)))
    for step in range(80):
        second.look(frame(step / 8, street_with_flame(step)), step / 8)
    assert 10 <= len(eyes.shapes) <= 20
    assert all(h == w for h, w, _ in eyes.shapes)


def test_a_place_lasts_while_it_is_hit_often_enough() -> None:
    places = WatchedPlaces(3.0)
    image = np.zeros((100, 100, 3), np.uint8)
    for step in range(12):
        found = Eyes(0.5)._middle(image) if step % 2 else empty(("fire", "smoke"))
        places.add(found, frame(step / 4, image), step * 0.25)
    assert [p.name for p in places.lasting(4, 0.4)] == ["fire"]
    assert places.lasting(4, 0.8) == []
    places.add(empty(("fire", "smoke")), frame(20.0, image), 20.0)
    assert places.places == []


def test_places_go_along_with_a_camera_that_pans() -> None:
    rng = np.random.default_rng(2)
    wide = cv2.GaussianBlur(rng.integers(0, 255, (200, 1200, 3), np.uint8), (0, 0), 4)
    wide = np.asarray(cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX), np.uint8)
    for pan in (24, 0):
        places = WatchedPlaces(10.0)
        for step in range(8):
            image = np.ascontiguousarray(wide[:, pan * step : pan * step + 320])
            x = 260 - pan * step  # of a thing that stands in the street
            box = np.asarray([[x, 80, x + 20, 100]], np.float32)
            found = Detections(box, np.zeros(1, np.int32), np.full(1, 0.8, np.float32), ("fire",), ())
            places.add(found, frame(step / 2, image), step / 2)
        assert places.lasting(8, 0.9)
        assert places.places[0].flicker < 6, "what stands does not flicker because the camera turns"


def test_where_a_picture_cannot_be_compared_nothing_moved() -> None:
    grey = np.full((180, 320), 90, np.uint8)
    assert not moved(None, grey).any() and not moved(grey[:90], grey).any() and not moved(grey, grey).any()
    assert not moved(grey[:20, :20], grey[:20, :20]).any()
