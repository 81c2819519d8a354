"""Fires and what looks like them, through the shipped model and the algorithm, as a camera would show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from bench.parts.sight import quiet_films
from bench.parts.sight.films import backdrop, flame
from core.records import AlgorithmConfig, CameraConfig
from vision.capture.frames import make_frame
from vision.detections import Image
from vision.judging.analyzer import Analyzer, CameraAnalysis
from vision.judging.detector_pool import DetectorPool

START = datetime(2026, 11, 28, tzinfo=UTC)
# Not held: bright screens are sometimes taken for smoke (docs/models.md).
STILL_MISTAKEN = (quiet_films.screen,)
ACTS = tuple(act for act in quiet_films.KINDS + quiet_films.MORE if act not in STILL_MISTAKEN)
SECONDS = 8.0


@pytest.fixture(scope="module")
def pool() -> DetectorPool:
    return DetectorPool()


def alarms(pool: DetectorPool, film: Iterator[Image], fps: float) -> list[float]:
    """When it alarmed, in seconds."""
    wanted = (AlgorithmConfig(kind="flame_smoke"),)
    camera = CameraAnalysis(CameraConfig(camera_id="c", name="c", url="x", algorithms=wanted), pool)
    analyzer, out = Analyzer(pool), []
    for number, image in enumerate(film):
        now = number / fps
        frame = make_frame("c", np.asarray(image, np.uint8), START + timedelta(seconds=now), now, number)
        out += [now for o in analyzer.step([(camera, frame)]) if o.finding.kind == "flame_smoke"
                and o.finding.state == "open"]  # fmt: skip
    return out


@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS, ids=lambda a: a.__name__)
def test_lures_of_the_field_raise_nothing(act: quiet_films.Act, pool: DetectorPool) -> None:
    film = quiet_films.pictures([act], backdrop(3), SECONDS, seed=11)
    assert alarms(pool, film, quiet_films.FPS) == []


def burning(size: int, left: int, drift: float = 0.0) -> Iterator[Image]:
    """A flame of ``size`` pixels in the street from the third second on; the camera turns by ``drift`` pixels a
    picture."""
    rng = np.random.default_rng(4)
    wide = np.concatenate([cv2.resize(backdrop(n), (1280, 720)) for n in (1, 0)], axis=1)
    for step in range(40):
        scene = wide.copy()
        if step >= 12:
            top = 660 - size
            part = scene[top : top + size, left : left + size].astype(np.float32) / 255
            light = flame(size, rng)
            scene[top : top + size, left : left + size] = (255 * (1 - (1 - part) * (1 - light))).astype(np.uint8)
        x = int(step * drift)
        noise = rng.normal(0, 2, (720, 640 + 320, 1))
        yield np.clip(scene[:, x : x + 960] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "left", "drift"),
    [(240, 480, 0.0), (620, 300, 0.0), (240, 620, 8.0), (150, 1560, 40.0)],
    ids=["a fire", "fills the picture", "a camera that pans", "a camera that pans fast"],
)
def test_fires_raise_an_alarm_within_ten_seconds(size: int, left: int, drift: float, pool: DetectorPool) -> None:
    found = alarms(pool, burning(size, left, drift), 4.0)
    assert found and 3.0 <= found[0] <= 13.0
