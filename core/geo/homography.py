"""Picture to ground: a homography from at least four points clicked on picture and map, with a stated error.

Picture coordinates are shares (x right, y down, 0…1), so that main and sub-stream share one calibration.  The ground is
a plane tangent at ``origin``; a bridge or a slope within the view breaks that assumption and shows in the error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputInvalid
from core.records import JSON, Record

CLICK_ERROR = 0.004  # of the picture's width: how exactly a person clicks
FARTHEST_M = 500.0
_LAT_M = 111_132.0
_LON_M = 111_320.0


class GroundPoint(Record, frozen=True):
    """A point seen in the picture (shares) and on the ground (WGS-84 degrees)."""

    x: float
    y: float
    lon: float
    lat: float


class Homography(Record, frozen=True):
    """``matrix`` (row-major 3×3): (x, y, 1) to metres east and north of ``origin``, with standard error ``error_m``."""

    matrix: tuple[float, ...]
    origin: tuple[float, float]
    error_m: float
    reach_m: float  # ground farther than this from the clicked points is not trusted

    def ground(self, x: float, y: float) -> tuple[float, float] | None:
        """Longitude and latitude of the picture point, None above the horizon or out of reach."""
        m = self.matrix
        w = m[6] * x + m[7] * y + m[8]
        if w <= 1e-9:
            return None
        east = (m[0] * x + m[1] * y + m[2]) / w
        north = (m[3] * x + m[4] * y + m[5]) / w
        if math.hypot(east, north) > self.reach_m:
            return None
        lon, lat = self.origin
        return lon + east / (_LON_M * math.cos(math.radians(lat))), lat + north / _LAT_M


def fit(points: Sequence[GroundPoint]) -> Homography:
    """The homography through ``points``; :class:`InputInvalid` for fewer than 4 or points that fix none.

    ``error_m``: with 5 points and more the root mean square of leaving one out, never less than what an inexact
    click moves a point on the ground.
    """
    if not 4 <= len(points) <= 50:
        raise _invalid(f"{len(points)} points", "give 4 to 50 points, spread over the ground that the camera sees")
    origin = (float(np.mean([p.lon for p in points])), float(np.mean([p.lat for p in points])))
    picture = np.array([(p.x, p.y) for p in points])
    ground = np.array([_metres(p, origin) for p in points])
    matrix = _solve(picture, ground)
    errors = [_click_error(matrix, picture)]
    if len(points) > 4:
        errors.append(_leave_one_out(picture, ground))
    extent = float(np.hypot(*ground.T).max())
    return Homography(
        matrix=tuple(float(v) for v in matrix.ravel()),
        origin=origin,
        error_m=round(max(errors), 2),
        reach_m=min(FARTHEST_M, max(60.0, 3 * extent)),
    )


def field_of_view(homography: Homography, columns: int = 13) -> JSON | None:
    """The ground that the camera sees as a GeoJSON polygon, None when it sees none."""
    import shapely

    near, far = [], []
    for x in np.linspace(0, 1, columns):
        seen = [homography.ground(float(x), float(y)) for y in np.linspace(1, 0, 101)]
        # From the lower edge upwards, as far as the ground is trusted.
        reached = []
        for place in seen:
            if place is None:
                break
            reached.append(place)
        if reached:
            near.append(reached[0])
            far.append(reached[-1])
    if len(near) < 2:
        return None
    shape = shapely.Polygon([*near, *reversed(far)])
    if not shape.is_valid:
        shape = shapely.convex_hull(shape)
    if shape.geom_type != "Polygon" or shape.area == 0:
        return None
    return {"type": "Polygon", "coordinates": [[[round(a, 7), round(b, 7)] for a, b in shape.exterior.coords]]}


def calibration_of(points: Sequence[GroundPoint]) -> dict[str, JSON]:
    """What is stored in a camera's ``calibration``: points, matrix, origin, error, reach, field of view."""
    found = fit(points)
    return {
        "points": [{"x": p.x, "y": p.y, "lon": p.lon, "lat": p.lat} for p in points],
        "matrix": list(found.matrix),
        "origin": list(found.origin),
        "error_m": found.error_m,
        "reach_m": found.reach_m,
        "field_of_view": field_of_view(found),
    }


def of_calibration(calibration: dict[str, Any]) -> Homography | None:
    """The homography of a stored ``calibration``, None when the camera was never calibrated."""
    if len(calibration.get("matrix") or ()) != 9:
        return None
    lon, lat = calibration["origin"]
    return Homography(
        matrix=tuple(float(v) for v in calibration["matrix"]),
        origin=(float(lon), float(lat)),
        error_m=float(calibration["error_m"]),
        reach_m=float(calibration.get("reach_m", FARTHEST_M)),
    )


def _metres(point: GroundPoint, origin: tuple[float, float]) -> tuple[float, float]:
    east = (point.lon - origin[0]) * _LON_M * math.cos(math.radians(origin[1]))
    return east, (point.lat - origin[1]) * _LAT_M


def _solve(picture: NDArray[np.float64], ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direct linear transform on normalised coordinates (Hartley), scaled so that the clicked points lie in front."""
    to_p, to_g = _normaliser(picture), _normaliser(ground)
    p, g = _apply(to_p, picture), _apply(to_g, ground)
    rows = []
    for (x, y), (e, n) in zip(p, g, strict=True):
        rows.append([-x, -y, -1, 0, 0, 0, e * x, e * y, e])
        rows.append([0, 0, 0, -x, -y, -1, n * x, n * y, n])
    _, singular, axes = np.linalg.svd(np.array(rows))
    if singular[7] < 1e-6 * singular[0]:
        raise _invalid("the points do not fix the plane", "no three points in a line, and no point twice")
    matrix = np.linalg.inv(to_g) @ axes[-1].reshape(3, 3) @ to_p
    depth = np.c_[picture, np.ones(len(picture))] @ matrix[2]
    if not (np.all(depth > 0) or np.all(depth < 0)):
        raise _invalid("some points would lie behind the camera", "look for two points that were mixed up")
    solved: NDArray[np.float64] = matrix / (np.abs(depth).mean() * np.sign(depth[0]))
    return solved


def _normaliser(points: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = points.mean(axis=0)
    spread = float(np.sqrt(((points - centre) ** 2).sum(axis=1)).mean())
    if spread == 0:
        raise _invalid("all points are the same", "click different points")
    s = math.sqrt(2) / spread
    return np.array([[s, 0, -s * centre[0]], [0, s, -s * centre[1]], [0, 0, 1]])


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    there = np.c_[points, np.ones(len(points))] @ matrix.T
    projected: NDArray[np.float64] = there[:, :2] / there[:, 2:]
    return projected


def _click_error(matrix: NDArray[np.float64], picture: NDArray[np.float64]) -> float:
    moved = [
        np.hypot(*(_apply(matrix, picture + shift) - _apply(matrix, picture)).T)
        for shift in (np.array([CLICK_ERROR, 0]), np.array([0, CLICK_ERROR]))
    ]
    return float(np.sqrt(np.mean(np.square(moved)) * 2))


def _leave_one_out(picture: NDArray[np.float64], ground: NDArray[np.float64]) -> float:
    errors = []
    for k in range(len(picture)):
        rest = np.arange(len(picture)) != k
        try:
            matrix = _solve(picture[rest], ground[rest])
        except InputInvalid:
            continue  # the others alone fix no plane: this point cannot be checked
        errors.append(float(np.hypot(*(_apply(matrix, picture[k : k + 1]) - ground[k])[0])))
    return math.sqrt(sum(e * e for e in errors) / len(errors)) if errors else 0.0


def _invalid(detail: str, how: str) -> InputInvalid:
    return InputInvalid(field="calibration", detail=detail, how=how)
