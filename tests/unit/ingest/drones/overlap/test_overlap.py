"""Overlapping pictures are laid together: better than their tags, never where nothing matches, broken ones left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.drones.georeference import Pose
from ingest.drones.lens import Camera, Distortion
from ingest.drones.overlap.adjust import adjust
from ingest.drones.overlap.brightness import gains
from ingest.drones.overlap.matching import pairs
from ingest.drones.overlap.pictures import picture_of
from ingest.drones.overlap.plane import applied, plane_at
from ingest.drones.view import View
from tests.unit.ingest.drones.overlap.flights import CAMERA, HEIGHT_M, HOME, flight


def test_wrong_positions_and_compass_are_put_right(tmp_path: Path) -> None:
    made = flight(tmp_path)
    found, unread, wanted = pairs(made.pictures)
    result = adjust(made.pictures, found)
    assert not unread
    assert len(found) >= 7 <= wanted
    assert result.before_m is not None and result.before_m > 1.0
    assert result.residual_px is not None and result.residual_px < 1.0
    assert result.within == 1.0  # the stated 5 m are generous here
    assert result.shift_m < 3.0
    assert result.alone == ()


def test_a_ground_lower_than_the_take_off_point_is_found_by_matching(tmp_path: Path) -> None:
    made = flight(tmp_path, off_m=0.3, height_off=1.2)
    found, _, _ = pairs(made.pictures)
    result = adjust(made.pictures, found)
    assert result.scale == pytest.approx(1.2, rel=0.05)
    assert result.residual_px is not None and result.residual_px < 1.5


def test_pictures_without_anything_to_match_stay_where_their_tags_put_them(tmp_path: Path) -> None:
    made = flight(tmp_path, texture=np.full((1600, 1600, 3), 90, np.uint8))
    found, unread, wanted = pairs(made.pictures)
    result = adjust(made.pictures, found)
    assert (found, unread) == ([], set())
    assert wanted > 0
    assert result.residual_m is None
    assert len(result.alone) == len(made.pictures)
    for matrix, picture in zip(result.matrices, made.pictures, strict=True):
        assert np.allclose(picture.outline(matrix), picture.outline())


def test_a_broken_picture_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    made = flight(tmp_path)
    made.pictures[2].path.write_bytes(b"\xff\xd8\xff\xe0 cut short")
    found, unread, _ = pairs(made.pictures)
    assert unread == {2}
    assert len(found) >= 4


def test_a_dark_picture_is_lightened(tmp_path: Path) -> None:
    made = flight(tmp_path, dark=1)
    found, _, _ = pairs(made.pictures)
    bright = gains(len(made.pictures), found)
    assert int(np.argmax(bright)) == 1
    assert bright[1] / np.median(bright) == pytest.approx(1 / 0.6, rel=0.1)


def test_gains_without_pairs_are_one() -> None:
    assert gains(3, []).tolist() == [1, 1, 1]


def test_pixels_and_ground_go_both_ways_with_a_bent_lens() -> None:
    camera = Camera(480, 360, 400.0, 236.0, 183.0, Distortion(-0.08, 0.01, 0.0005, -0.0004, 0.0))
    view = View(camera, Pose(*HOME, 60.0, 33.0, -70.0, 2.0), 4.0)
    for pixel in ((10.0, 20.0), (240.0, 180.0), (470.0, 350.0)):
        at = view.ground(*pixel)
        assert at is not None
        back = view.pixel(*at)
        assert back is not None
        assert np.hypot(back[0] - pixel[0], back[1] - pixel[1]) < 0.05
    assert view.metres_a_pixel(240, 180) == pytest.approx(60 / np.sin(np.radians(70)) / 400, rel=0.02)


def test_the_sky_has_no_ground() -> None:
    view = View(CAMERA, Pose(*HOME, 60.0, 0.0, 0.0), 4.0)
    assert view.ground(240, 10) is None
    assert view.metres_a_pixel(240, 10) is None


def test_the_tags_homography_is_the_ray_to_the_ground() -> None:
    view = View(CAMERA, Pose(*HOME, HEIGHT_M, 40.0, -80.0, 1.0), 5.0)
    plane = plane_at(*HOME)
    picture = picture_of("a", Path("a.jpg"), view, plane)
    assert picture is not None
    at = view.ground(100.0, 300.0)
    assert at is not None
    there = plane.metres(np.array([at]))
    assert np.hypot(*(applied(picture.prior, np.array([[100.0, 300.0]])) - there)[0]) < 0.01
    assert np.allclose(plane.degrees(there), [at], atol=1e-9)


def test_an_oblique_picture_is_not_laid_on_the_plane() -> None:
    view = View(CAMERA, Pose(*HOME, HEIGHT_M, 40.0, -45.0), 5.0)
    assert picture_of("a", Path("a.jpg"), view, plane_at(*HOME)) is None


@pytest.mark.parametrize(("lon", "lat", "epsg"), [(125.37, 43.87, 32651), (-91.99, 46.84, 32615), (179.99, -40, 32760)])
def test_the_zone_follows_the_place(lon: float, lat: float, epsg: int) -> None:
    assert plane_at(lon, lat).epsg == epsg
