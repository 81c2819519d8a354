"""From the picture to the ground: where a finding stands, and the ground that it covers."""

from __future__ import annotations

import math

import shapely

from core.geo.homography import Homography
from core.records import JSON
from vision.detections import Box

AREAS = frozenset({"waterlogging", "congestion", "crowding", "queue"})  # their box lies on the ground as a whole
LONGEST_M = 20.0  # a lorry with trailer; a wider box is no single object
LEAST_M = 0.3


def footprint(homography: Homography, box: Box, kind: str) -> JSON | None:
    """The ground under ``box`` (shares of the picture) as a GeoJSON polygon in degrees; None out of reach.

    For kinds in :data:`AREAS` the box itself lies on the ground.  Else an object stands on the lower edge of its box:
    as wide as that edge, and taken to be as deep as it is wide (a single camera cannot tell), away from the camera.
    """
    x1, y1, x2, y2 = box
    lower = homography.ground(x1, y2), homography.ground(x2, y2)
    if lower[0] is None or lower[1] is None:
        return None
    left, right = lower[0], lower[1]
    if kind in AREAS:
        upper = _highest(homography, x1, y1, y2), _highest(homography, x2, y1, y2)
        return _polygon([left, right, upper[1], upper[0]])
    per_lon = 111_320.0 * math.cos(math.radians(left[1]))
    east, north = (right[0] - left[0]) * per_lon, (right[1] - left[1]) * 111_132.0
    width = math.hypot(east, north)
    if not LEAST_M <= width <= LONGEST_M:
        return None
    # seen from the camera, what is farther lies to the left of the way from the left to the right corner
    back = -north / per_lon, east / 111_132.0
    return _polygon([left, right, (right[0] + back[0], right[1] + back[1]), (left[0] + back[0], left[1] + back[1])])


def _highest(homography: Homography, x: float, top: float, bottom: float) -> tuple[float, float]:
    """The ground at ``top``, or the farthest below it that is still trusted."""
    found = homography.ground(x, bottom)
    for step in range(1, 21):
        place = homography.ground(x, bottom + (top - bottom) * step / 20)
        if place is None:
            break
        found = place
    assert found is not None
    return found


def _polygon(corners: list[tuple[float, float]]) -> JSON | None:
    shape = shapely.convex_hull(shapely.MultiPoint(corners))
    if shape.geom_type != "Polygon" or shape.area == 0:
        return None
    ring: list[JSON] = [[round(lon, 7), round(lat, 7)] for lon, lat in shape.exterior.coords]
    return {"type": "Polygon", "coordinates": [ring]}
