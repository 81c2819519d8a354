"""The plane on which a flight's pictures are laid together: UTM of the place, in metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2)


@dataclass(frozen=True)
class GroundPlane:
    """A UTM zone of WGS 84 by its EPSG code (326zz north, 327zz south of the equator)."""

    epsg: int

    @cached_property
    def _there(self) -> Any:
        from pyproj import Transformer

        return Transformer.from_crs(4326, self.epsg, always_xy=True)

    def metres(self, degrees: Points) -> Points:
        """East and north of (lon, lat) rows."""
        return np.column_stack(self._there.transform(degrees[:, 0], degrees[:, 1]))

    def degrees(self, metres: Points) -> Points:
        """Longitude and latitude of (east, north) rows."""
        return np.column_stack(self._there.transform(metres[:, 0], metres[:, 1], direction="INVERSE"))


def plane_at(lon: float, lat: float) -> GroundPlane:
    """The UTM zone of a place."""
    zone = min(60, int((lon + 180) // 6) + 1)
    return GroundPlane((32600 if lat >= 0 else 32700) + zone)


def applied(matrix: NDArray[np.float64], points: Points) -> Points:
    """Points through a 3×3 homography."""
    out = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(out[:, :2] / out[:, 2:3], np.float64)
