"""A flat metric plane around the demo city's centre: metres east and north, good to 0.1 % over 50 km."""

from __future__ import annotations

import math
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

_LAT_M = 111_132.0
_LON_M_EQUATOR = 111_320.0


@dataclass(frozen=True)
class Plane:
    """Equirectangular plane touching the ground at ``lon``, ``lat`` (degrees, WGS-84)."""

    lon: float
    lat: float

    @property
    def _lon_m(self) -> float:
        return _LON_M_EQUATOR * math.cos(math.radians(self.lat))

    def metres(self, lon: float, lat: float) -> tuple[float, float]:
        """East and north of the centre, in metres."""
        return (lon - self.lon) * self._lon_m, (lat - self.lat) * _LAT_M

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Longitude and latitude, to 7 decimals (1 cm)."""
        return round(self.lon + east / self._lon_m, 7), round(self.lat + north / _LAT_M, 7)

    def to_metres(self, shape: BaseGeometry) -> BaseGeometry:
        """``shape`` in metres."""
        return shapely.transform(shape, lambda p: (p - (self.lon, self.lat)) * (self._lon_m, _LAT_M))

    def to_degrees(self, shape: BaseGeometry) -> BaseGeometry:
        """``shape`` in degrees."""
        return shapely.transform(shape, lambda p: p / (self._lon_m, _LAT_M) + (self.lon, self.lat))
