"""From pixel to ground: vectors of the notes, and what must hold for any camera and pose."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.drones.georeference import (
    HeightNotPositive,
    NoPosition,
    Pose,
    footprint,
    ground_offset,
    meridian_convergence,
    pixel_of,
    place,
    uncertainty,
)
from ingest.drones.lens import Camera, focal_pixels
from ingest.drones.survey import orbit, survey_lines, survey_plan, true_height

CAMERA = Camera(5280, 3956, focal_pixels(5280, 12.29, 17.3), 2640, 1978)
LON, LAT = 125.37, 43.87


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "corners"),
    [
        (0, -90, 0, [(-70.382, 52.733), (70.382, 52.733), (70.382, -52.733), (-70.382, -52.733)]),
        (90, -90, 0, [(52.733, 70.382), (52.733, -70.382), (-52.733, -70.382), (-52.733, 70.382)]),
        (0, -90, 180, [(70.382, -52.733), (-70.382, -52.733), (-70.382, 52.733), (70.382, 52.733)]),
    ],
)
def test_a_nadir_frame_lies_as_it_should(
    yaw: float, pitch: float, roll: float, corners: list[tuple[float, float]]
) -> None:
    found = footprint(CAMERA, Pose(LON, LAT, 100, yaw, pitch, roll))
    for corner, expected in zip(found, corners, strict=True):
        assert corner == pytest.approx(expected, abs=0.001)


def test_corners_above_the_horizon_are_none() -> None:
    found = footprint(CAMERA, Pose(LON, LAT, 100, 90, -15))
    assert found[0] is None and found[1] is None and found[2] is not None


@given(
    st.floats(-180, 180),
    st.floats(-90, -35),
    st.floats(-20, 20),
    st.floats(5, 300),
    st.floats(0, 5280),
    st.floats(0, 3956),
)
def test_a_ground_point_is_seen_by_the_pixel_it_came_from(
    yaw: float, pitch: float, roll: float, height: float, u: float, v: float
) -> None:
    pose = Pose(LON, LAT, height, yaw, pitch, roll)
    offset = ground_offset(CAMERA, pose, u, v)
    if offset is not None and math.hypot(*offset) < 50 * height:
        assert pixel_of(CAMERA, pose, offset) == pytest.approx((u, v), abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat", "height", "error"),
    [
        (0, 0, 10, NoPosition),
        (math.nan, 1, 10, NoPosition),
        (LON, LAT, 0, HeightNotPositive),
        (LON, LAT, -3, HeightNotPositive),
    ],
)
def test_what_has_no_place_is_refused(lon: float, lat: float, height: float, error: type[Exception]) -> None:
    with pytest.raises(error):
        Pose(lon, lat, height, 0, -90)


def test_a_place_is_found_by_the_geodesic() -> None:
    lon, lat = place(Pose(LON, LAT, 100, 0, -90), (-27.362, -75.175))
    assert (lon, lat) == pytest.approx((125.36965961, 43.86932341), abs=1e-7)


def test_uncertainty_grows_towards_the_horizon() -> None:
    found = [uncertainty(100, pitch, 1.5, 2.0, 0.5, 2.0) for pitch in (-90, -45, -30, -15)]
    assert [round(one.sigma_along_m, 1) for one in found] == [1.7, 3.0, 5.1, 15.1]
    assert [round(one.sigma_cross_m, 1) for one in found] == [1.7, 4.0, 6.5, 13.5]


def test_grid_north_is_not_true_north() -> None:
    assert meridian_convergence(LON, LAT, 32651) == pytest.approx(1.643, abs=0.002)
    assert meridian_convergence(LON, LAT, 4551) == pytest.approx(-0.4366, abs=0.002)


@given(st.floats(1, 2000), st.floats(5, 200), st.floats(1, 2000), st.floats(2, 100))
def test_lines_are_never_further_apart_than_asked(width: float, spacing: float, length: float, base: float) -> None:
    found = survey_lines(width, spacing, length, base)
    assert found.actual_spacing_m <= spacing * (1 + 1e-6)
    assert (found.lines - 1) * found.actual_spacing_m == pytest.approx(width)


def test_a_plan_and_an_orbit() -> None:
    plan = survey_plan(0.03, 5280, 3956, CAMERA.focal_px, 0.8, 0.7, 10)
    assert (plan.height_m, plan.interval_s) == pytest.approx((112.53, 2.374), abs=0.01)
    found = orbit(125.3712, 43.8706, 40, 45, 6)
    assert [round(w.aircraft_heading) for w in found.waypoints] == [180, -120, -60, 0, 60, 120]


@pytest.mark.parametrize(
    ("weight", "height", "warning"),
    [("light", 120, None), ("light", 121, "above_120m_true_height"), ("micro", 60, "above_50m_micro")],
)
def test_true_height(weight: str, height: float, warning: str | None) -> None:
    assert true_height(height - 40, 40, weight).warning == warning
