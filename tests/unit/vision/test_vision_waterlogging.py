"""Waterlogging on a drawn street and, where it is there, on real flooded roads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core import plugins
from core.records import Zone
from tests.unit.vision.test_vision_logic import frame
from vision.algorithms._water import depth_level
from vision.detections import empty
from vision.judging.findings import VisionFinding
from vision.judging.water import covered, mark_visible

ROAD = Zone(zone_id="road", name="road", polygon=((0.05, 0.98), (0.3, 0.4), (0.7, 0.4), (0.95, 0.98)))


def street() -> np.ndarray:
    rng = np.random.default_rng(5)
    image = np.full((360, 640, 3), 70, np.uint8)
    image[:140] = cv2.resize(rng.integers(40, 220, (14, 40, 3), dtype=np.uint8), (640, 140))
    for row in range(8):
        y = 160 + row * 25
        cv2.rectangle(image, (310 - row * 4, y), (325 + row * 4, y + 12), (230, 230, 230), -1)
        cv2.line(image, (200 - row * 15, y), (185 - row * 15, y + 24), (220, 220, 220), 3)
        cv2.line(image, (440 + row * 15, y), (455 + row * 15, y + 24), (220, 220, 220), 3)
    for step in range(6):  # a painted pillar as gauge
        cv2.rectangle(image, (590, 200 + step * 24), (620, 212 + step * 24), (20, 20, 20), -1)
    return image


DRY = street()


def flooded(upto: float = 1.0, gauge: bool = True) -> np.ndarray:
    image = DRY.copy()
    top = int(360 - upto * 210)
    ripple = np.random.default_rng(int(upto * 100)).normal(95, 3, (360 - top, 640, 3))
    image[top:, : 640 if gauge else 560] = np.clip(ripple, 0, 255)[:, : 640 if gauge else 560]
    return image


def dim(image: np.ndarray, gain: float, haze: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 2, image.shape)
    return np.clip(image * gain + haze + noise, 0, 255).astype(np.uint8)


def story(*parts: tuple[float, np.ndarray], **params: Any) -> list[tuple[float, VisionFinding]]:
    """Each picture stands for so many seconds, at one picture a second."""
    given = {"learn_s": 5.0, "after_s": 6.0, "clear_after_s": 6.0, "window_s": 8.0, "vehicles": False, **params}
    algorithm = plugins.build("algorithm", "waterlogging", given, zones=(ROAD,))
    told, now = [], 0.0
    for seconds, image in parts:
        for _ in range(int(seconds)):
            told += [(now, f) for f in algorithm.update(empty(), frame(now, image), now)]
            now += 1.0
    return told


def test_water_opens_and_its_going_clears() -> None:
    told = story((20, DRY), (40, flooded()), (40, DRY))
    assert [f.state for _, f in told] == ["open", "clear"]
    assert 20 < told[0][0] < 45
    assert (told[0][1].value or 0) > 0.5


def test_dusk_haze_and_noise_are_not_water() -> None:
    assert story((20, DRY), (60, dim(DRY, 0.55, 5)), (60, dim(DRY, 0.5, 90))) == []


def test_a_vehicle_that_passes_is_not_water() -> None:
    bus = DRY.copy()
    cv2.rectangle(bus, (120, 170), (520, 350), (40, 60, 160), -1)
    assert story((20, DRY), (3, bus), (20, DRY), (3, bus), (20, DRY)) == []


def test_a_covered_camera_says_nothing() -> None:
    assert story((20, DRY), (60, np.full_like(DRY, 30))) == []


def test_marks_tell_the_depth() -> None:
    marks = [
        {"depth_cm": cm, "box": [585 / 640, y / 360, 625 / 640, (y + 22) / 360]} for cm, y in ((5, 316), (20, 268))
    ]
    shallow = story((20, DRY), (40, flooded(0.18)), marks=marks, zone_area_m2=800)
    deep = story((20, DRY), (40, flooded(0.5)), marks=marks, zone_area_m2=800)
    assert [(f.state, f.attributes["depth_cm"], f.attributes["depth_level"]) for _, f in shallow] == [("open", 5.0, 1)]
    assert [(f.state, f.attributes["depth_cm"], f.attributes["depth_level"]) for _, f in deep] == [("open", 20.0, 2)]
    assert deep[0][1].attributes["area_m2"] > 100


def test_depth_classes_are_those_of_the_district() -> None:
    assert [depth_level(cm) for cm in (0, 4.9, 5, 15, 26, 27, 40, 90)] == [0, 0, 1, 2, 2, 3, 4, 4]


def test_a_shaking_camera_is_not_water() -> None:
    zone = np.ones((180, 320), np.bool_)
    grey = cv2.cvtColor(cv2.resize(DRY, (320, 180)), cv2.COLOR_BGR2GRAY)
    assert covered(grey, np.roll(grey, (1, 2), (0, 1)), zone).inside < 0.02
    assert covered(grey, np.full_like(grey, 80), zone).inside > 0.9


def test_a_mark_is_found_again_in_dimmer_light() -> None:
    grey = cv2.cvtColor(DRY, cv2.COLOR_BGR2GRAY)
    box = (585 / 640, 200 / 360, 625 / 640, 230 / 360)
    assert mark_visible(grey, (grey * 0.5 + 20).astype(np.uint8), box) > 0.9
    assert mark_visible(grey, np.full_like(grey, 80), box) < 0.3


@pytest.mark.parametrize("params", [{"share": 0.05, "hysteresis": 0.1}, {"learn_s": 0}, {"marks": [{"depth_cm": 1}]}])
def test_wrong_parameters_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="waterlogging"):
        plugins.build("algorithm", "waterlogging", params)


VIEWS = {
    "SB": ((0.02, 1.0), (0.33, 0.45), (0.52, 0.45), (0.98, 1.0)),
    "UD": ((0.02, 0.98), (0.3, 0.45), (0.72, 0.3), (0.85, 0.98)),
}


@pytest.mark.real_data
@pytest.mark.parametrize(("view", "wet", "unclear"), [("SB", {4, 5}, set()), ("UD", {5}, {3, 4})])
def test_flooded_roads_of_real_cameras(real_data: Path, view: str, wet: set[int], unclear: set[int]) -> None:
    """On two of them rain on the lens took a third of the surroundings: there it cannot be told, and is not denied."""
    folder = real_data / "flood" / "road_cctv_masks" / "images"
    params = {"reference": str(folder / f"{view}_1.jpg"), "vehicles": False}
    algorithm = plugins.build(
        "algorithm", "waterlogging", params, zones=(Zone(zone_id="road", name="road", polygon=VIEWS[view]),)
    )
    for number in range(1, 6):
        image = np.asarray(cv2.imread(str(folder / f"{view}_{number}.jpg")), np.uint8)
        (sight,) = algorithm.judge(empty(), frame(float(number), image))
        assert sight.present is (None if number in unclear else number in wet), (view, number, sight)


@pytest.mark.real_data
def test_dry_roads_of_other_cameras_are_not_flooded(real_data: Path) -> None:
    """Pictures of three road cameras against the first of each; the whole picture as zone."""
    folder = real_data / "street" / "traffic_cam" / "images"
    cameras = {"1026000": ("1026003", "1026005", "1026007"), "B0": ("B3", "B5", "B8"), "2": ("5", "8", "12")}
    detector = plugins.build("detector", "nanodet", {})
    for reference, others in cameras.items():
        params = {"reference": str(folder / f"{reference}.jpg")}
        algorithm = plugins.build("algorithm", "waterlogging", params)
        for name in others:
            image = np.asarray(cv2.imread(str(folder / f"{name}.jpg")), np.uint8)
            (sight,) = algorithm.judge(detector.detect([image])[0], frame(1.0, image))
            assert sight.present is not True, (reference, name, sight)
