"""Picture to ground: known views come back, errors are stated, nonsense is refused."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputInvalid
from core.geo.homography import GroundPoint, calibration_of, fit, of_calibration

LON, LAT = 125.37, 43.88
LON_M, LAT_M = 111_320.0 * math.cos(math.radians(LAT)), 111_132.0


def camera_view(height_m: float, tilt_deg: float, east: float, north: float) -> tuple[float, float]:
    """Where a pinhole camera at (0, 0), looking north and down, sees a ground point (shares of a 16:9 picture)."""
    tilt = math.radians(tilt_deg)
    forward = north * math.cos(tilt) + height_m * math.sin(tilt)
    down = -north * math.sin(tilt) + height_m * math.cos(tilt)
    return 0.5 + east / forward, 0.5 + down / forward * 16 / 9


def seen(height_m: float, tilt_deg: float, places: list[tuple[float, float]]) -> list[GroundPoint]:
    found = []
    for east, north in places:
        x, y = camera_view(height_m, tilt_deg, east, north)
        found.append(GroundPoint(x=x, y=y, lon=LON + east / LON_M, lat=LAT + north / LAT_M))
    return found


PLACES = [(-4.0, 10.0), (4.0, 11.0), (-8.0, 30.0), (9.0, 28.0), (0.0, 18.0), (3.0, 24.0)]


@settings(deadline=None)
@given(st.floats(4, 20), st.floats(15, 50), st.floats(-6, 6), st.floats(12, 28))
def test_a_point_in_view_comes_back_to_the_centimetre(height: float, tilt: float, east: float, north: float) -> None:
    homography = fit(seen(height, tilt, PLACES))
    x, y = camera_view(height, tilt, east, north)
    place = homography.ground(x, y)
    assert place is not None
    assert math.hypot((place[0] - LON) * LON_M - east, (place[1] - LAT) * LAT_M - north) < 0.02
    assert 0 < homography.error_m < 10


def test_four_points_state_the_error_of_an_inexact_click() -> None:
    near, far = fit(seen(6, 30, PLACES[:4])), fit(seen(6, 30, [(e * 3, n * 3) for e, n in PLACES[:4]]))
    assert 0.02 < near.error_m < far.error_m


def test_a_wrong_click_shows_in_the_error() -> None:
    points = seen(6, 30, PLACES)
    wrong = [*points[:-1], GroundPoint(x=points[-1].x, y=points[-1].y, lon=points[-1].lon + 15 / LON_M, lat=LAT)]
    assert fit(wrong).error_m > 3 * fit(points).error_m


def test_above_the_horizon_there_is_no_ground() -> None:
    homography = fit(seen(6, 20, PLACES))
    assert homography.ground(0.5, 0.5 - math.tan(math.radians(20)) * 16 / 9 - 0.05) is None


def test_the_field_of_view_holds_the_clicked_points() -> None:
    import shapely

    calibration = calibration_of(seen(6, 18, PLACES))
    shape = shapely.from_geojson(json.dumps(calibration["field_of_view"]))
    assert shape.is_valid
    inside = [p for p in calibration["points"] if 0 <= p["x"] <= 1 and 0 <= p["y"] <= 1]
    assert len(inside) >= 4
    assert all(shape.buffer(1e-6).contains(shapely.Point(p["lon"], p["lat"])) for p in inside)
    again = of_calibration(calibration)
    assert again is not None and again.ground(0.5, 0.9) == fit(seen(6, 18, PLACES)).ground(0.5, 0.9)
    assert of_calibration({}) is None


@pytest.mark.parametrize(
    "points",
    [
        seen(6, 30, PLACES[:3]),
        [GroundPoint(x=0.5, y=0.5, lon=LON, lat=LAT)] * 5,
        seen(6, 30, [(0, n) for n in (8, 12, 18, 24, 30)]),
        seen(6, 30, PLACES) * 9,
    ],
)
def test_what_fixes_no_plane_is_refused(points: list[GroundPoint]) -> None:
    with pytest.raises(InputInvalid, match="calibration"):
        fit(points)
