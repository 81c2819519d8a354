"""A camera's own dry range: rain is learnt over days, a flood never is, and what was learnt outlives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core import plugins
from tests.unit.vision.test_vision_logic import frame
from tests.unit.vision.test_vision_waterlogging import DRY, ROAD, flooded
from vision.algorithms.waterlogging import SUSPECTED
from vision.detections import empty
from vision.judging.detector_pool import DetectorPool
from vision.judging.dry_memory import DryMemory
from vision.judging.dry_range import LOOKS, DryRange, packed, unpacked
from vision.judging.findings import VisionFinding
from vision.judging.motion_gate import thumbnail
from vision.judging.zones import mask

DAY = 86_400.0
ZONE = mask(ROAD, 320, 180) > 0
Picture = np.ndarray[Any, np.dtype[np.uint8]]


def rain(look: int) -> Picture:
    """Drops that stay on the lens for hours hide spots of the whole picture; haze takes its contrast."""
    rng = np.random.default_rng(1)
    where = np.zeros(DRY.shape[:2], np.float32)
    for x, y in zip(rng.integers(0, 640, 40), rng.integers(0, 360, 40), strict=True):
        cv2.circle(where, (int(x), int(y)), int(rng.integers(14, 40)), 1.0, -1)
    mixed = (DRY * (1 - where[..., None]) + 128 * where[..., None]) * 0.7 + 50
    return np.clip(mixed + np.random.default_rng(look).normal(0, 2, (360, 640, 1)), 0, 255).astype(np.uint8)


def days(known: DryRange, picture: Any, count: int, first: int = 100, looks: int = 31) -> None:
    for day in range(first, first + count):
        for look in range(looks):
            thumb = thumbnail(picture(day * 100 + look))
            found = known.measure(thumb)
            if found.excess < known.suspect:
                known.learn(thumb, found, day * DAY + look * 1800.0)


def test_rain_is_learnt_and_the_flood_in_it_still_opens() -> None:
    known = DryRange(thumbnail(DRY), ZONE)
    before = known.nearest(thumbnail(rain(5)))
    days(known, rain, 1)
    after = known.nearest(thumbnail(rain(77)))
    assert 1 < len(known.looks) <= LOOKS
    assert before.outside > 0.1 > 0.05 > after.outside and after.excess < known.suspect
    water = rain(9)
    water[200:] = np.clip(np.random.default_rng(1).normal(95, 3, water[200:].shape), 0, 255)
    assert known.nearest(thumbnail(water)).excess >= known.sure


def test_a_flood_is_never_learnt_however_long_it_stands() -> None:
    known = DryRange(thumbnail(DRY), ZONE)
    days(known, lambda n: flooded(0.9), 3)
    assert len(known.looks) == 1 and not known.days
    assert known.nearest(thumbnail(flooded(0.9))).excess > known.sure


def test_a_road_that_always_loses_some_is_suspected_later() -> None:
    """Leaves lie on it each afternoon: that is its own dry range."""
    known = DryRange(thumbnail(DRY), ZONE)
    leaves = DRY.copy()
    leaves[333:] = 90
    value = known.nearest(thumbnail(leaves)).excess
    assert 0 < value < known.suspect
    days(known, lambda n: leaves, 3)
    assert known.suspect >= min(known.top, 0.3) + 0.05 and known.top == pytest.approx(value, abs=0.01)


def test_one_odd_picture_makes_no_range() -> None:
    known = DryRange(thumbnail(DRY), ZONE)
    days(known, lambda n: DRY, 2)
    odd = known.nearest(thumbnail(flooded(0.25)))
    known.learn(thumbnail(flooded(0.25)), odd, 101 * DAY + 80_000)
    assert known.top < 0.02


def test_what_was_learnt_is_kept_and_read_again(tmp_path: Path) -> None:
    known = DryRange(thumbnail(DRY), ZONE)
    days(known, rain, 1)
    memory = DryMemory(tmp_path / "memory")
    memory.save("cam-1", "road", known)
    again = DryRange(thumbnail(DRY), ZONE)
    assert memory.load("cam-1", "road", again) and len(again.looks) == len(known.looks)
    assert again.top == known.top and again.suspect == known.suspect
    assert not memory.load("cam-2", "road", DryRange(thumbnail(DRY), ZONE))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken", b"\x93NUMPY"])
def test_a_broken_memory_is_left_aside(tmp_path: Path, content: bytes) -> None:
    memory = DryMemory(tmp_path)
    memory.save("cam", "road", DryRange(thumbnail(DRY), ZONE))
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    known = DryRange(thumbnail(DRY), ZONE)
    assert not memory.load("cam", "road", known) and len(known.looks) == 1


def test_another_views_memory_is_not_taken(tmp_path: Path) -> None:
    known = DryRange(thumbnail(DRY), ZONE)
    other = DryRange(np.zeros((240, 320), np.uint8), np.ones((240, 320), np.bool_))
    assert not unpacked(known, packed(other)) and len(known.looks) == 1
    with pytest.raises(ValueError, match="dry range"):
        unpacked(known, {"looks": np.zeros(3, np.uint8), "days": np.zeros((0, 5))})


def story(*parts: tuple[int, Picture], memory: Path | None = None) -> list[tuple[int, VisionFinding]]:
    """Each picture for so many seconds, a look every two."""
    given = {"learn_s": 4.0, "after_s": 6.0, "clear_after_s": 6.0, "window_s": 8.0, "vehicles": False}
    algorithm = plugins.build("algorithm", "waterlogging", given, zones=(ROAD,), pool=DetectorPool(memory=memory))
    told, now = [], 0
    for seconds, image in parts:
        for _ in range(seconds // 2):
            told += [(now, f) for f in algorithm.update(empty(), frame(float(now), image), float(now))]
            now += 2
    return told


def partly() -> Picture:
    """A fifth of the road's structure under something smooth."""
    image = DRY.copy()
    image[315:] = np.clip(np.random.default_rng(3).normal(95, 3, image[315:].shape), 0, 255)
    return image


def test_a_little_above_the_range_is_suspected_and_opens_nothing_by_itself() -> None:
    told = story((12, DRY), (30, partly()), (30, DRY))
    assert [(f.kind, f.state) for _, f in told] == [(SUSPECTED, "open"), (SUSPECTED, "clear")]
    assert told[0][1].confidence == 0.4 and told[0][1].zone == "road"


def test_what_was_suspected_and_rises_opens_as_water() -> None:
    told = story((12, DRY), (30, partly()), (30, flooded()))
    kinds = [(f.kind, f.state) for _, f in told]
    assert (SUSPECTED, "open") in kinds and ("waterlogging", "open") in kinds
    assert kinds.index((SUSPECTED, "open")) < kinds.index(("waterlogging", "open"))
    assert next(f for _, f in told if f.kind == "waterlogging").confidence >= 0.5
