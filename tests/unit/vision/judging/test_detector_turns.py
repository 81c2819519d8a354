"""How often a camera's detectors look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.records import AlgorithmConfig, CameraConfig
from tests.unit.vision.judging.test_odd_pictures import Everything
from tests.unit.vision.test_vision_logic import frame
from vision.capture.frames import Frame
from vision.detections import Detections, Image
from vision.judging.analyzer import Analyzer, CameraAnalysis
from vision.judging.findings import Need


class Counting(Everything):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def detect(self, need: Need, images: list[Image]) -> list[Detections]:  # type: ignore[override]
        self.asked += len(images)
        return super().detect(need, images)


class Scene:
    """A camera of two pictures a second where something moves all the time."""

    def __init__(self, **camera: Any) -> None:
        self.pool = Counting()
        wanted = (AlgorithmConfig(kind="crowding"),)
        self.camera = CameraAnalysis(CameraConfig(camera_id="c", name="c", url="x", algorithms=wanted, **camera),
                                     self.pool)  # fmt: skip
        self.analyzer = Analyzer(self.pool)
        self.shown = 0

    def play(self, times: list[float], moving: bool = True) -> int:
        """How often the detector looked."""
        before = self.pool.asked
        for now in times:
            self.shown += moving
            image = np.full((90, 160, 3), 90, np.uint8)
            image[20:40, self.shown % 7 * 20 : self.shown % 7 * 20 + 20] = 220
            self.analyzer.step([(self.camera, frame(now, image))])
        return self.pool.asked - before


def test_pictures_that_an_algorithm_asks_for_besides_are_not_detected() -> None:
    scene = Scene()
    assert scene.play([n / 2 for n in range(20)]) == 20
    assert scene.play([10 + n / 6 for n in range(60)]) <= 22
    scene.camera.look_closely = True
    assert scene.play([30 + n / 6 for n in range(12)]) == 12, "somebody asked"


def test_what_all_algorithms_rest_from_is_looked_at_less_but_never_forgotten() -> None:
    scene = Scene()
    scene.play([0.0])
    (algorithm,) = scene.camera.algorithms
    algorithm.rest_s = 4.0  # type: ignore[attr-defined]
    assert scene.play([n / 2 for n in range(1, 25)]) == 3
    scene.play([12.5])  # moves, but the detector rests
    assert scene.play([13.0 + n / 2 for n in range(8)], moving=False) >= 1, "the last motion is still owed a look"


def test_a_picture_says_whether_a_detector_looked_at_it() -> None:
    scene, fresh = Scene(), []
    (algorithm,) = scene.camera.algorithms
    update = algorithm.update

    def noted(seen: Detections, picture: Frame, now: float) -> Any:
        fresh.append(picture.fresh)
        return update(seen, picture, now)

    algorithm.update = noted  # type: ignore[method-assign]
    scene.play([0.0, 0.1, 0.6])
    assert fresh == [True, False, True]
    assert replace(frame(0.0, np.zeros((9, 9, 3), np.uint8)), motion=0.5).fresh
