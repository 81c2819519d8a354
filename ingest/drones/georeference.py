"""From pixel to ground on flat terrain, and how sure that is (standards/08 §6.2, standards/10 §0 and §9).

Gimbal angles in degrees: yaw against true north, pitch 0 ahead and −90 down, roll; a nadir frame may carry roll ±180.
Pixels: u to the right, v down, origin at the upper left corner of the upper left pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import YiwangError
from ingest.drones.geodesic import forward
from ingest.drones.lens import Camera

EN = tuple[float, float]
Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]


class NoPosition(YiwangError):
    code = "no_position"
    message = "the picture has no position (0/0 or nothing)"
    remedy = "wait for the first fix, or place the picture by hand"
    zh = "照片没有位置（0/0 或空）"
    zh_remedy = "请等定位成功后拍摄，或手工放置"


class PositionOutOfRange(YiwangError):
    code = "position_out_of_range"
    message = "latitude {lat}, longitude {lon} is no place on Earth"
    remedy = "check the order: latitude lies within ±90, longitude within ±180"
    zh = "纬度 {lat}、经度 {lon} 不在地球上"
    zh_remedy = "请核对顺序：纬度在 ±90 之内，经度在 ±180 之内"


class HeightNotPositive(YiwangError):
    code = "height_not_positive"
    message = "the camera would be {height} m above the ground"
    remedy = "check take-off and ground elevation"
    zh = "相机离地高度为 {height} 米"
    zh_remedy = "请核对起飞点与地面高程"


class NoGroundInView(YiwangError):
    code = "no_ground_in_view"
    message = "the ray meets no ground"
    remedy = "choose a pixel below the horizon"
    zh = "视线不与地面相交"
    zh_remedy = "请选地平线以下的像素"


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
        if abs(self.lat) > 90 or abs(self.lon) > 180:
            raise PositionOutOfRange(lat=self.lat, lon=self.lon)
        if not self.height_m > 0:
            raise HeightNotPositive(height=self.height_m)


def rotation(yaw: float, pitch: float, roll: float) -> Matrix:
    """R = Rz(yaw)·Ry(pitch)·Rx(roll): body (forward, right, down) → north, east, down."""
    (sy, cy), (sp, cp), (sr, cr) = ((math.sin(a), math.cos(a)) for a in map(math.radians, (yaw, pitch, roll)))
    return (
        (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
        (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
        (-sp, cp * sr, cp * cr),
    )


def _turned(matrix: Matrix, ray: Vector) -> Vector:
    north, east, down = (row[0] * ray[0] + row[1] * ray[1] + row[2] * ray[2] for row in matrix)
    return north, east, down


def look(camera: Camera, pose: Pose, u: float, v: float) -> Vector:
    """North, east, down of the direction in which a pixel looks."""
    return _turned(rotation(pose.yaw, pose.pitch, pose.roll), camera.ray(u, v))


def ground_offset(camera: Camera, pose: Pose, u: float, v: float) -> EN | None:
    """East and north of the point below the camera, in metres; None at or above the horizon."""
    north, east, down = look(camera, pose, u, v)
    if down <= 1e-9:
        return None
    return east / down * pose.height_m, north / down * pose.height_m


def place(pose: Pose, offset: EN) -> EN:
    """Longitude and latitude of an offset, by the geodesic."""
    east, north = offset
    distance = math.hypot(east, north)
    if distance == 0:
        return pose.lon, pose.lat
    return forward(pose.lon, pose.lat, math.degrees(math.atan2(east, north)), distance)


def footprint(camera: Camera, pose: Pose) -> list[EN | None]:
    """Offsets of the corners: upper left, upper right, lower right, lower left of the picture."""
    corners = ((0, 0), (camera.width, 0), (camera.width, camera.height), (0, camera.height))
    return [ground_offset(camera, pose, u, v) for u, v in corners]


def pixel_of(camera: Camera, pose: Pose, offset: EN) -> EN:
    """The pixel that shows a ground point; :class:`NoGroundInView` when it lies behind the camera."""
    east, north = offset
    first, second, third = zip(*rotation(pose.yaw, pose.pitch, pose.roll), strict=True)
    ahead, right, down = _turned((first, second, third), (north, east, pose.height_m))
    if ahead <= 0:
        raise NoGroundInView()
    return camera.pixel(right / ahead, down / ahead)


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
    from pyproj import CRS, Proj  # a folder of photos is placed without it

    return float(Proj(CRS.from_epsg(epsg)).get_factors(lon, lat).meridian_convergence)
