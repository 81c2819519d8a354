"""Polygons on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Zone
from vision.errors import ZoneInvalid

LEAST_AREA = 1e-4  # of the picture
WHOLE = Zone(zone_id="", name="whole picture", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def parse_zone(text: str, zone_id: str) -> Zone:
    """A zone from ``"x,y x,y x,y …"`` in shares of the picture; :class:`ZoneInvalid` otherwise."""
    try:
        corners = tuple((float(x), float(y)) for x, y in (pair.split(",") for pair in text.split()))
    except ValueError as error:
        raise ZoneInvalid(zone=text, detail="not a list of x,y pairs") from error
    zone = checked(Zone(zone_id=zone_id, name=zone_id, polygon=corners))
    if abs(cv2.contourArea(np.asarray(corners, np.float32))) < LEAST_AREA:
        raise ZoneInvalid(zone=zone_id, detail="its corners enclose no area, or its sides cross")
    return zone


def checked(zone: Zone) -> Zone:
    """``zone`` itself when it is a polygon within the picture; :class:`ZoneInvalid` otherwise."""
    if len(zone.polygon) < 3:
        raise ZoneInvalid(zone=zone.zone_id, detail=f"{len(zone.polygon)} corners")
    if not all(-0.001 <= v <= 1.001 for corner in zone.polygon for v in corner):
        raise ZoneInvalid(zone=zone.zone_id, detail="a corner outside 0…1")
    return zone


def contains(zone: Zone, points: NDArray[np.float64] | Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Which of ``points`` (n, 2; shares of the picture) are inside ``zone`` (even-odd rule, borders count)."""
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    if zone.polygon == WHOLE.polygon:
        return np.ones(len(xy), np.bool_)
    corners = np.asarray(zone.polygon, np.float32)
    scaled = (corners * 8192).astype(np.float32)
    inside = [cv2.pointPolygonTest(scaled, (float(x) * 8192, float(y) * 8192), False) >= 0 for x, y in xy]
    return np.asarray(inside, np.bool_)


def foot_points(xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.float64]:
    """Where objects stand: the middle of a box's lower edge, in shares of the picture (kept inside it)."""
    x = (xyxy[:, 0] + xyxy[:, 2]) / 2 / width
    y = xyxy[:, 3] / height
    return np.stack([x.clip(0, 0.9999), y.clip(0, 0.9999)], axis=1).astype(np.float64)


def centre_points(xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.float64]:
    """Centres of boxes in shares of the picture."""
    x = (xyxy[:, 0] + xyxy[:, 2]) / 2 / width
    y = (xyxy[:, 1] + xyxy[:, 3]) / 2 / height
    return np.stack([x, y], axis=1).astype(np.float64)


def mask(zone: Zone, width: int, height: int) -> NDArray[np.uint8]:
    """The zone as a picture: 255 inside, 0 outside."""
    canvas = np.zeros((height, width), np.uint8)
    corners = np.round(np.asarray(zone.polygon, np.float64) * [width, height]).astype(np.int32)
    cv2.fillPoly(canvas, [corners], 255)
    return canvas
