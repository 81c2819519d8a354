"""Laid pictures become one georeferenced picture: right place, right colours, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from core.errors import InputInvalid
from layers.rasters.mosaic import LaidPicture, lay_out, make_mosaic, own_gsd

Loaded = tuple[NDArray[np.uint8], float]


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (200, 100)) -> Callable[[float], Loaded | None]:
    def load(scale: float) -> Loaded:
        wide = max(1, round(size[0] * scale))
        return np.full((max(1, round(size[1] * scale)), wide, 3), colour, np.uint8), wide / size[0]

    return load


def at(west: float, north: float, gsd: float = 0.5) -> NDArray[np.float64]:
    return np.array([[gsd, 0, west], [0, -gsd, north], [0, 0, 1.0]])


RED, BLUE = (0, 0, 200), (200, 0, 0)  # BGR
EAST, NORTH = 370_000.0, 4_858_000.0


def two() -> list[LaidPicture]:
    """Two pictures of 100 × 50 m, the second 60 m farther east."""
    return [
        LaidPicture("a", (200, 100), at(EAST, NORTH), plain(RED)),
        LaidPicture("b", (200, 100), at(EAST + 60, NORTH), plain(BLUE)),
    ]


def test_each_place_is_shown_by_the_nearest_picture(tmp_path: Path) -> None:
    report = make_mosaic(two(), 32651, tmp_path / "m.tif", 0.5, {"YIWANG_RESIDUAL_M": 0.2})
    assert report.used == ("a", "b")
    with rasterio.open(tmp_path / "m.tif") as made:
        assert made.crs.to_epsg() == 32651
        assert made.profile["tiled"]
        assert made.tags()["YIWANG_RESIDUAL_M"] == "0.2"
        assert made.bounds.left == pytest.approx(EAST, abs=0.5)
        assert made.bounds.right == pytest.approx(EAST + 160, abs=0.5)

        def colour(x: float) -> list[int]:
            row, column = made.index(EAST + x, NORTH - 25)
            return [int(v) for v in made.read()[:, row, column]]

        assert colour(20) == [200, 0, 0, 255]  # red, green, blue, alpha
        assert colour(65)[0] > 150
        assert colour(95)[2] > 150
        assert colour(150) == [0, 0, 200, 255]
    assert list(tmp_path.iterdir()) == [tmp_path / "m.tif"]


def test_a_large_mosaic_has_overviews_and_nothing_where_no_picture_lies(tmp_path: Path) -> None:
    apart = [
        LaidPicture("a", (1400, 1400), at(EAST, NORTH), plain(RED, (1400, 1400))),
        LaidPicture("b", (1400, 1400), at(EAST + 800, NORTH - 800), plain(BLUE, (1400, 1400))),
    ]
    make_mosaic(apart, 32651, tmp_path / "m.tif", 0.5)
    with rasterio.open(tmp_path / "m.tif") as made:
        assert made.overviews(1)
        assert made.read(4, window=((0, 100), (2500, 2600))).max() == 0


def test_gains_are_applied(tmp_path: Path) -> None:
    one = LaidPicture("a", (200, 100), at(EAST, NORTH), plain((50, 50, 50)), 1.5)
    make_mosaic([one], 32651, tmp_path / "m.tif", 0.5)
    with rasterio.open(tmp_path / "m.tif") as made:
        assert made.read(1)[50, 100] == 75


def test_an_unreadable_picture_is_told_and_the_others_are_laid(tmp_path: Path) -> None:
    broken = LaidPicture("c", (200, 100), at(EAST, NORTH - 30), lambda _scale: None)
    report = make_mosaic([*two(), broken], 32651, tmp_path / "m.tif", 0.5)
    assert report.unread == ("c",)
    assert report.used == ("a", "b")


def test_a_failure_leaves_the_older_mosaic(tmp_path: Path) -> None:
    def fails(_scale: float) -> Loaded | None:
        raise MemoryError

    target = tmp_path / "m.tif"
    target.write_bytes(b"older")
    with pytest.raises(MemoryError):
        make_mosaic([LaidPicture("a", (200, 100), at(EAST, NORTH), fails)], 32651, target, 0.5)
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


def test_too_fine_a_resolution_is_made_coarser() -> None:
    gsd, bounds = lay_out(two(), 0.0001)
    assert (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) / gsd**2 <= 81_000_000
    assert own_gsd(two()) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "pictures", [[], [two()[0], LaidPicture("far", (200, 100), at(EAST + 90_000, NORTH), plain(RED))]]
)
def test_nothing_and_two_places_are_refused(pictures: list[LaidPicture]) -> None:
    with pytest.raises(InputInvalid):
        lay_out(pictures, 0.5)
