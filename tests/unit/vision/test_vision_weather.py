"""Camera health tells weather and night from faults: what takes contrast everywhere is no lens out of focus."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.footage import Picture, street
from tests.unit.vision.test_vision_logic import frame
from vision.judging.camera_health import CameraHealth, HealthParams

QUICK = HealthParams(frozen_s=60, blurred_s=10, moved_s=8, covered_s=6)
Weather = Callable[[float, Picture], Picture]


def dusk(now: float, picture: Picture) -> Picture:
    """Within half a minute to an eighth of the light, seen in grey."""
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(grey * max(0.13, 1 - now / 30), np.uint8)


def fog(now: float, picture: Picture) -> Picture:
    share = min(0.75, max(0.0, (now - 8) / 15))
    return np.asarray(cv2.addWeighted(picture, 1 - share, np.full_like(picture, 200), share, 0), np.uint8)


def snow(now: float, picture: Picture) -> Picture:
    flakes = np.random.default_rng(int(now * 2))
    for x, y in flakes.integers(0, 320, (120, 2)):
        cv2.circle(picture, (int(x), int(y)), 1, (240, 240, 240), -1)
    return picture


def out_of_focus(now: float, picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 9), np.uint8) if now >= 12 else picture


@pytest.mark.parametrize(
    ("weather", "told"), [(dusk, []), (fog, []), (snow, []), (out_of_focus, [("blurred", "open")])]
)
def test_weather_is_no_fault(weather: Weather, told: list[tuple[str, str]]) -> None:
    health, found, noise = CameraHealth(QUICK), [], np.random.default_rng(7)
    scene = street(seed=5)
    for step in range(80):
        now = step * 0.5
        seen = weather(now, scene.copy()).astype(np.int16) + noise.integers(-3, 4, scene.shape)
        found += health.update(frame(now, np.asarray(seen.clip(0, 255), np.uint8)), now)
    assert [(f.attributes["state"], f.state) for f in found] == told
