"""From pixel to ground on flat terrain, and how sure that is (standards/08 §6.2, standards/10 §0 and §9).

Gimbal angles in degrees: yaw against true north, pitch 0 ahead and −90 down, roll; a nadir frame may carry roll ±180.
Pixels: u to the right, v down, origin at the upper left corner of the upper left pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Geod, Proj

from core.errors import YiwangError

_GEOD = Geod(ellps="WGS84")
_FILM = 36.0  # mm across the 35 mm frame
EN = tuple[float, float]
Matrix = npt.NDArray[np.float64]


class NoPosition(YiwangError):
    code = "no_position"
    message = "the picture has no position (0/0 or nothing)"
    remedy = "wait for the first fix, or place the picture by hand"


class HeightNotPositive(YiwangError):
    code = "height_not_positive"
    message = "the camera would be {height} m above the ground"
    remedy = "check take-off and ground elevation"


class NoGroundInView(YiwangError):
    code = "no_ground_in_view"
    message = "the ray meets no ground"
    remedy = "choose a pixel below the horizon"


@dataclass(frozen=True, slots=True)
class Camera:
    """Size in pixels, focal length and principal point in pixels."""

    width: int
    height: int
    focal_px: float
    cx: float
    cy: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera is (WGS 84, metres above the flat ground) and where it looks."""

    lon: float
    lat: float
    height_m: float
    yaw: float
    pitch: float
    roll: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lon) and math.isfinite(self.lat)) or (self.lon == 0 and self.lat == 0):
            raise NoPosition()
        if not self.height_m > 0:
            raise HeightNotPositive(height=self.height_m)


def focal_pixels(width: int, focal_mm: float, sensor_width_mm: float, zoom: float = 1.0) -> float:
    """Focal length in pixels; square pixels, digital zoom multiplies."""
    return focal_mm / sensor_width_mm * width * zoom


def focal_pixels_35(width: int, height: int, focal35_mm: float, zoom: float = 1.0) -> float:
    """From the 35 mm equivalent, which is defined over the diagonal (43.27 mm)."""
    return focal35_mm / math.hypot(_FILM, 24.0) * math.hypot(width, height) * zoom


def rotation(yaw: float, pitch: float, roll: float) -> Matrix:
    """R = Rz(yaw)·Ry(pitch)·Rx(roll): body (forward, right, down) → north, east, down."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    rz = np.array([[math.cos(y), -math.sin(y), 0], [math.sin(y), math.cos(y), 0], [0, 0, 1]])
    ry = np.array([[math.cos(p), 0, math.sin(p)], [0, 1, 0], [-math.sin(p), 0, math.cos(p)]])
    rx = np.array([[1, 0, 0], [0, math.cos(r), -math.sin(r)], [0, math.sin(r), math.cos(r)]])
    found: Matrix = rz @ ry @ rx
    return found


def ground_offset(camera: Camera, pose: Pose, u: float, v: float) -> EN | None:
    """East and north of the point below the camera, in metres; None at or above the horizon."""
    ray = rotation(pose.yaw, pose.pitch, pose.roll) @ np.array([camera.focal_px, u - camera.cx, v - camera.cy])
    north, east, down = (float(part) for part in ray)
    if down <= 1e-9 * camera.focal_px:
        return None
    return east / down * pose.height_m, north / down * pose.height_m


def place(pose: Pose, offset: EN) -> EN:
    """Longitude and latitude of an offset, by the geodesic."""
    east, north = offset
    distance = math.hypot(east, north)
    if distance == 0:
        return pose.lon, pose.lat
    lon, lat, _ = _GEOD.fwd(pose.lon, pose.lat, math.degrees(math.atan2(east, north)), distance)
    return float(lon), float(lat)


def footprint(camera: Camera, pose: Pose) -> list[EN | None]:
    """Offsets of the corners: upper left, upper right, lower right, lower left of the picture."""
    corners = ((0, 0), (camera.width, 0), (camera.width, camera.height), (0, camera.height))
    return [ground_offset(camera, pose, u, v) for u, v in corners]


def pixel_of(camera: Camera, pose: Pose, offset: EN) -> EN:
    """The pixel that shows a ground point; :class:`NoGroundInView` when it lies behind the camera."""
    east, north = offset
    ray = rotation(pose.yaw, pose.pitch, pose.roll).T @ np.array([north, east, pose.height_m])
    if ray[0] <= 0:
        raise NoGroundInView()
    return (
        float(camera.cx + camera.focal_px * ray[1] / ray[0]),
        float(camera.cy + camera.focal_px * ray[2] / ray[0]),
    )


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Metres on the ground, one sigma, along the ray's direction and across it."""

    ground_range_m: float
    sigma_along_m: float
    sigma_cross_m: float


def uncertainty(
    height_m: float, pitch: float, sigma_xy: float, sigma_height: float, sigma_tilt_deg: float, sigma_yaw_deg: float
) -> Uncertainty:
    """σ of the point in the picture's middle (standards/10 §4); θ is the angle from the vertical."""
    theta = math.radians(90 + pitch)
    cosine = math.cos(theta)
    if cosine <= 0:
        raise NoGroundInView()
    reach = height_m * math.tan(theta)
    tilt, yaw = math.radians(sigma_tilt_deg), math.radians(sigma_yaw_deg)
    along = math.sqrt(sigma_xy**2 + (math.tan(theta) * sigma_height) ** 2 + (height_m / cosine**2 * tilt) ** 2)
    cross = math.sqrt(sigma_xy**2 + (height_m / cosine * tilt) ** 2 + (reach * yaw) ** 2)
    return Uncertainty(reach, along, cross)


def meridian_convergence(lon: float, lat: float, epsg: int) -> float:
    """Degrees by which grid north lies east of true north in a projected system (Erdao: +1.643 in UTM 51N)."""
    return float(Proj(CRS.from_epsg(epsg)).get_factors(lon, lat).meridian_convergence)
