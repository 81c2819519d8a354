"""Survey and look-again flights: height from the ground resolution, lines, orbits, true height (standards/10 §2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputInvalid
from core.late import Late

if TYPE_CHECKING:
    import pyproj
else:
    pyproj = Late("pyproj")

LIMITS_M = {"micro": 50.0, "light": 120.0, "small": 120.0}  # true height above ground (decree 761)


@dataclass(frozen=True, slots=True)
class SurveyPlan:
    """Metres and seconds of a nadir survey; the long side of the picture lies across the track."""

    height_m: float
    footprint_w_m: float
    footprint_h_m: float
    line_spacing_m: float
    photo_base_m: float
    interval_s: float


def survey_plan(
    gsd_m: float, width: int, height: int, focal_px: float, front_overlap: float, side_overlap: float, speed_ms: float
) -> SurveyPlan:
    """H = GSD·f; spacing W(1 − side), base L(1 − front), interval base ÷ speed."""
    if not (gsd_m > 0 and speed_ms > 0 and 0 <= front_overlap < 1 and 0 <= side_overlap < 1):
        raise InputInvalid(
            field="plan", detail="is out of range", how="overlaps from 0 to below 1, resolution and speed > 0"
        )
    across, along = gsd_m * width, gsd_m * height
    base = along * (1 - front_overlap)
    return SurveyPlan(gsd_m * focal_px, across, along, across * (1 - side_overlap), base, base / speed_ms)


@dataclass(frozen=True, slots=True)
class SurveyLines:
    lines: int
    actual_spacing_m: float
    photos_per_line: int


def survey_lines(width_m: float, spacing_m: float, length_m: float, base_m: float) -> SurveyLines:
    """Lines on both edges and evenly between, none further apart than ``spacing_m``."""
    gaps = max(1, math.ceil(width_m / spacing_m - 1e-9))
    return SurveyLines(gaps + 1, width_m / gaps, math.ceil(length_m / base_m - 1e-9) + 1)


@dataclass(frozen=True, slots=True)
class Waypoint:
    lon: float
    lat: float
    aircraft_heading: float


@dataclass(frozen=True, slots=True)
class Orbit:
    """Waypoints around a point, all looking at it."""

    gimbal_pitch: float
    slant_m: float
    waypoints: tuple[Waypoint, ...]


def orbit(lon: float, lat: float, radius_m: float, height_m: float, points: int, first_azimuth: float = 0.0) -> Orbit:
    """``points`` waypoints at equal angles, ``height_m`` above the point."""
    if points < 2 or radius_m <= 0:
        raise InputInvalid(field="orbit", detail="has fewer than two points or no radius", how="give both")
    found = []
    ellipsoid = pyproj.Geod(ellps="WGS84")
    for number in range(points):
        azimuth = first_azimuth + 360 * number / points
        at_lon, at_lat, back = ellipsoid.fwd(lon, lat, azimuth, radius_m)
        found.append(Waypoint(float(at_lon), float(at_lat), _signed(float(back))))
    pitch = -math.degrees(math.atan2(height_m, radius_m))
    return Orbit(pitch, math.hypot(height_m, radius_m), tuple(found))


def _signed(angle: float) -> float:
    """−180 (excluded) … 180."""
    turned = angle % 360
    return turned - 360 if turned > 180 + 1e-9 else turned


@dataclass(frozen=True, slots=True)
class TrueHeight:
    true_height_m: float
    warning: str | None


def true_height(rel_alt_m: float, takeoff_above_ground_m: float, weight_class: str = "light") -> TrueHeight:
    """Height above the ground below, not above the take-off point; a warning is no permission and no ban."""
    height = rel_alt_m + takeoff_above_ground_m
    limit = LIMITS_M.get(weight_class, 120.0)
    if height <= limit:
        return TrueHeight(height, None)
    return TrueHeight(height, "above_50m_micro" if weight_class == "micro" else "above_120m_true_height")
