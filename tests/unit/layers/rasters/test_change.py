"""Two mosaics of one place: what came and went is found and ranked, light and small shifts are not change."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.warp import transform

from app.cli import main
from layers.rasters.change import NotComparable, changes

EAST, NORTH, GSD, SIDE = 370_000.0, 4_858_000.0, 0.15, 600


def ground(seed: int = 3) -> NDArray[np.uint8]:
    """Grey ground with grains, no green."""
    random = np.random.default_rng(seed)
    total = np.zeros((SIDE, SIDE), np.float32)
    for grain in (5, 15, 50):
        noise = random.uniform(60, 190, (SIDE // grain, SIDE // grain)).astype(np.float32)
        total += cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) / 3
    return np.repeat(total.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def written(path: Path, bgr: NDArray[np.uint8], east: float = EAST) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=bgr.shape[1], height=bgr.shape[0], count=3, dtype="uint8", crs="EPSG:32651",
        transform=from_origin(east, NORTH, GSD, GSD),
    ) as out:  # fmt: skip
        out.write(bgr[:, :, ::-1].transpose(2, 0, 1))
    return path


def test_a_car_and_a_heap_are_found_where_they_are_the_larger_first(tmp_path: Path) -> None:
    after = ground()
    after[100:112, 200:230] = (30, 30, 220)  # 1.8 × 4.5 m
    cv2.circle(after, (420, 400), 30, (40, 160, 240), -1)  # 64 m²
    found = changes(written(tmp_path / "a.tif", ground()), written(tmp_path / "b.tif", after))
    assert len(found.regions) == 2
    heap, car = found.regions
    assert heap.area_m2 == pytest.approx(np.pi * 4.5**2, rel=0.35)
    assert (car.guess, heap.guess) == ("vehicle", "heap")
    (x,), (y,) = transform("EPSG:32651", "EPSG:4326", [EAST + 420 * GSD], [NORTH - 400 * GSD])
    lons, lats = zip(*heap.ring, strict=True)
    assert min(lons) < x < max(lons)
    assert min(lats) < y < max(lats)
    assert found.residual_px < 1


@pytest.mark.parametrize("how", ["same", "brighter", "shifted", "warmer"])
def test_light_and_small_shifts_are_no_change(tmp_path: Path, how: str) -> None:
    after = ground().astype(np.float32)
    if how == "brighter":
        after = after * 0.9 + 25
    if how == "warmer":
        after = after * np.array([0.93, 1, 1.05], np.float32)
    if how == "shifted":
        after = np.roll(after, (4, -5), (0, 1))
        after[:4] = after[4]
        after[:, -5:] = after[:, -6:-5]
    made = written(tmp_path / "b.tif", after.clip(0, 255).astype(np.uint8))
    assert sum(r.area_m2 for r in changes(written(tmp_path / "a.tif", ground()), made).regions) < 5


def test_water_on_rough_ground_is_guessed(tmp_path: Path) -> None:
    after = ground()
    cv2.ellipse(after, (300, 300), (120, 60), 20, 0, 360, (110, 90, 70), -1)
    found = changes(written(tmp_path / "a.tif", ground()), written(tmp_path / "b.tif", after))
    assert found.regions[0].guess == "water"


def test_a_roof_that_came_and_one_that_went_are_guessed(tmp_path: Path) -> None:
    roof = ground()
    roof[150:230, 300:420] = (120, 125, 130)  # 12 × 18 m
    for name, before, after in (("came", ground(), roof), ("went", roof, ground())):
        found = changes(written(tmp_path / f"{name}a.tif", before), written(tmp_path / f"{name}b.tif", after))
        assert found.regions[0].guess == "building", name


@pytest.mark.parametrize("what", ["elsewhere", "another place", "blank", "broken"])
def test_what_cannot_be_compared_is_refused_with_the_reason(tmp_path: Path, what: str) -> None:
    old, new = written(tmp_path / "a.tif", ground()), tmp_path / "b.tif"
    if what == "elsewhere":
        written(new, ground(), EAST + 9_000)
    elif what == "another place":
        written(new, ground(99))
    elif what == "blank":
        written(new, np.full((SIDE, SIDE, 3), 90, np.uint8))
    else:
        new.write_bytes(b"II*\0 no picture")
    with pytest.raises(NotComparable):
        changes(old, new)
    assert main(["change", str(old), str(new)]) == 2


def test_the_command_prints_geojson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = written(tmp_path / "a.tif", ground()), written(tmp_path / "b.tif", ground())
    assert main(["change", str(old), str(new), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["type"], told["features"]) == ("FeatureCollection", [])
    assert told["compared_m2"] > 1000
