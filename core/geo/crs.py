"""Coordinate systems met in China, converted to WGS-84 once, at the edge.

GCJ-02 (Amap, Tencent) and BD-09 (Baidu) have no exact inverse; a fixed-point iteration brings the error below
1e-9 degrees of the forward formula.  CGCS2000 differs from WGS-84 by centimetres and is taken as equal.
Outside China's box GCJ-02 is the identity, as in the published formula.
"""

from __future__ import annotations

import math
from typing import Literal

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
    """Degrees in GCJ-02."""
    guess_lon, guess_lat = lon - 0.0065, lat - 0.006
    for _ in range(12):
        there_lon, there_lat = gcj02_to_bd09(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon - (there_lon - lon), guess_lat - (there_lat - lat)
    return guess_lon, guess_lat


def to_wgs84(lon: float, lat: float, system: System) -> tuple[float, float]:
    """``lon``, ``lat`` of ``system`` in WGS-84 degrees."""
    if system == "gcj02":
        return gcj02_to_wgs84(lon, lat)
    if system == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    return lon, lat
