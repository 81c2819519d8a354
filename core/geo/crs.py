"""Coordinate systems met in China, converted to WGS-84 once, at the edge.

GCJ-02 (Amap, Tencent) has no exact inverse; a fixed-point iteration brings the error below 1e-9 degrees of the
forward formula.  BD-09 (Baidu) is a shift of GCJ-02.  CGCS2000 differs from WGS-84 by centimetres: taken as equal.
Outside China's box GCJ-02 is the identity, as in the published formula.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # a process that converts single points needs neither numpy (11 MB) nor pyproj
    import numpy as np
    from numpy.typing import NDArray
    from pyproj import Transformer

    Floats = NDArray[np.float64]

System = Literal["wgs84", "gcj02", "bd09", "cgcs2000"]

_A = 6378245.0  # Krasovsky 1940, semi-major axis in metres
_EE = 0.00669342162296594323
_BD = math.pi * 3000.0 / 180.0


def wgs84_to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Degrees in GCJ-02."""
    if not (72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    waves = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + waves
    d_lat += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    d_lat += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + waves
    d_lon += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    d_lon += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    phi = math.radians(lat)
    magic = 1 - _EE * math.sin(phi) ** 2
    root = math.sqrt(magic)
    return (
        lon + d_lon * 180 / (_A / root * math.cos(phi) * math.pi),
        lat + d_lat * 180 / (_A * (1 - _EE) / (magic * root) * math.pi),
    )


def gcj02_to_wgs84(lon: float, lat: float) -> tuple[float, float]:
    """Degrees in WGS-84."""
    guess_lon, guess_lat = lon, lat
    for _ in range(12):
        there_lon, there_lat = wgs84_to_gcj02(guess_lon, guess_lat)
        off_lon, off_lat = there_lon - lon, there_lat - lat
        guess_lon, guess_lat = guess_lon - off_lon, guess_lat - off_lat
        if abs(off_lon) < 1e-10 and abs(off_lat) < 1e-10:
            break
    return guess_lon, guess_lat


def gcj02_to_bd09(lon: float, lat: float) -> tuple[float, float]:
    """Degrees in BD-09."""
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def bd09_to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Degrees in GCJ-02.  The published inverse misses the forward formula by up to 18 cm; this one iterates."""
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(12):
        there_x, there_y = gcj02_to_bd09(x, y)
        x, y = x - (there_x - lon), y - (there_y - lat)
        if abs(there_x - lon) < 1e-11 and abs(there_y - lat) < 1e-11:
            break
    return x, y


def to_wgs84(lon: float, lat: float, system: System) -> tuple[float, float]:
    """``lon``, ``lat`` of ``system`` in WGS-84 degrees."""
    if system == "gcj02":
        return gcj02_to_wgs84(lon, lat)
    if system == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    return lon, lat


def many_to_wgs84(points: Floats, system: System) -> Floats:
    """``points`` (n × 2, longitude and latitude) of ``system`` in WGS-84, all at once; as :func:`to_wgs84` to 1e-10."""
    if system == "bd09":
        points = _inverse(_many_gcj02_to_bd09, points)
    return _inverse(_many_wgs84_to_gcj02, points) if system in {"gcj02", "bd09"} else points


def _inverse(forward: Callable[[Floats], Floats], points: Floats) -> Floats:
    import numpy as np

    guess = points.copy()
    for _ in range(12):
        off = forward(guess) - points
        guess = guess - off
        if not len(off) or np.nanmax(np.abs(off)) < 1e-11:
            break
    return guess


def _many_gcj02_to_bd09(points: Floats) -> Floats:
    import numpy as np

    lon, lat = points[:, 0], points[:, 1]
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


def _many_wgs84_to_gcj02(points: Floats) -> Floats:
    import numpy as np

    lon, lat = points[:, 0], points[:, 1]
    x, y = lon - 105.0, lat - 35.0
    pi = math.pi
    waves = (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    d_lat += (20 * np.sin(y * pi) + 40 * np.sin(y / 3 * pi)) * 2 / 3
    d_lat += (160 * np.sin(y / 12 * pi) + 320 * np.sin(y * pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    d_lon += (20 * np.sin(x * pi) + 40 * np.sin(x / 3 * pi)) * 2 / 3
    d_lon += (150 * np.sin(x / 12 * pi) + 300 * np.sin(x / 30 * pi)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    root = np.sqrt(magic)
    inside = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    there = np.column_stack(
        [
            lon + d_lon * 180 / (_A / root * np.cos(phi) * pi),
            lat + d_lat * 180 / (_A * (1 - _EE) / (magic * root) * pi),
        ]
    )
    return np.where(inside[:, None], there, points)


@functools.lru_cache(maxsize=16)
def _transformer(source: int, target: int) -> Transformer:
    from pyproj import Transformer  # heavy: only where projected coordinates come in

    return Transformer.from_crs(source, target, always_xy=True)


def from_projected(easting: float, northing: float, epsg: int) -> tuple[float, float]:
    """Degrees (CGCS2000 taken as WGS-84) of projected metres, e.g. EPSG 4551 (3° zone 42, Changchun) or 32651."""
    lon, lat = _transformer(epsg, 4326).transform(easting, northing)
    return float(lon), float(lat)


def to_projected(lon: float, lat: float, epsg: int) -> tuple[float, float]:
    """Easting and northing in metres of EPSG ``epsg``."""
    easting, northing = _transformer(4326, epsg).transform(lon, lat)
    return float(easting), float(northing)
