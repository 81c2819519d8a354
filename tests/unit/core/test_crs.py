"""Coordinate systems: the notes' vectors, round trips, the shift in Changchun."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.geo import crs

BEIJING, CHANGCHUN = (116.404, 39.915), (125.4, 43.88)


@pytest.mark.parametrize(
    ("convert", "given_at", "wanted"),
    [
        (crs.wgs84_to_gcj02, BEIJING, (116.41024449916938, 39.91640428150164)),
        (crs.wgs84_to_gcj02, CHANGCHUN, (125.40665902986822, 43.882517783234384)),
        (crs.gcj02_to_wgs84, BEIJING, (116.39775575457485, 39.913596235609404)),
        (crs.gcj02_to_bd09, BEIJING, (116.41036949371029, 39.92133699351021)),
    ],
)
def test_vectors(convert: object, given_at: tuple[float, float], wanted: tuple[float, float]) -> None:
    assert convert(*given_at) == pytest.approx(wanted, abs=1e-11, rel=0)  # type: ignore[operator]


def test_the_shift_in_changchun_is_534_m_east_and_280_m_north() -> None:
    lon, lat = crs.wgs84_to_gcj02(*CHANGCHUN)
    east = (lon - CHANGCHUN[0]) * 111_320 * math.cos(math.radians(CHANGCHUN[1]))
    north = (lat - CHANGCHUN[1]) * 111_132
    assert east == pytest.approx(534, abs=2) and north == pytest.approx(280, abs=2)


def test_no_shift_outside_china() -> None:
    for place in ((2.35, 48.86), (137.9, 36.0), (116.4, 60.0)):
        assert crs.wgs84_to_gcj02(*place) == place == crs.gcj02_to_wgs84(*place)


@given(st.floats(73.5, 135), st.floats(18, 53.5))
def test_there_and_back(lon: float, lat: float) -> None:
    assert crs.gcj02_to_wgs84(*crs.wgs84_to_gcj02(lon, lat)) == pytest.approx((lon, lat), abs=1e-8)
    bd = crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(lon, lat))
    assert crs.to_wgs84(*bd, "bd09") == pytest.approx((lon, lat), abs=1e-8)
    for system, there in (("bd09", bd), ("gcj02", crs.wgs84_to_gcj02(lon, lat))):
        many = crs.many_to_wgs84(np.array([there, there]), system)  # type: ignore[arg-type]
        assert many[1] == pytest.approx((lon, lat), abs=1e-8)


def test_the_published_inverse_of_bd09_is_near() -> None:
    published = (116.39762729119315, 39.90865673957631)
    assert crs.bd09_to_gcj02(*BEIJING) == pytest.approx(published, abs=2e-6)
    assert crs.gcj02_to_bd09(*crs.bd09_to_gcj02(*BEIJING)) == pytest.approx(BEIJING, abs=1e-11)


def test_many_outside_china_stay() -> None:
    assert crs.many_to_wgs84(np.array([[2.35, 48.86]]), "gcj02")[0] == pytest.approx((2.35, 48.86))


def test_to_wgs84_by_name() -> None:
    gcj = crs.wgs84_to_gcj02(*CHANGCHUN)
    assert crs.to_wgs84(*gcj, "gcj02") == pytest.approx(CHANGCHUN, abs=1e-9)
    assert crs.to_wgs84(*CHANGCHUN, "cgcs2000") == CHANGCHUN == crs.to_wgs84(*CHANGCHUN, "wgs84")


@pytest.mark.parametrize(
    ("epsg", "easting", "northing"),
    [
        (4551, 451779.36, 4860664.05),
        (4530, 42451779.36, 4860664.05),
        (32651, 692807.55, 4861344.73),
        (3857, 13959464.15, 5446890.65),
    ],
)
def test_projected_systems_of_changchun(epsg: int, easting: float, northing: float) -> None:
    assert crs.to_projected(*CHANGCHUN, epsg) == pytest.approx((easting, northing), abs=0.01)
    assert crs.from_projected(easting, northing, epsg) == pytest.approx(CHANGCHUN, abs=1e-6)
