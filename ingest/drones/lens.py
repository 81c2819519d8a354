"""The camera of a picture: focal length in pixels, principal point, lens distortion (standards/10 §2.1 and §3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FILM = 36.0  # mm across the 35 mm frame
_STEPS = 30
# Nominal sensor widths in mm by camera model, for pictures that state a focal length in mm and nothing better.
SENSOR_WIDTHS = {
    "FC300S": 6.17, "FC300X": 6.17, "FC300C": 6.17, "FC330": 6.17, "FC350": 6.17, "FC220": 6.17, "FC7203": 6.17,
    "FC6310": 13.2, "FC6310S": 13.2, "FC6310R": 13.2, "FC6510": 13.2, "FC6520": 17.3, "FC3411": 13.2, "FC3582": 9.6,
    "L1D-20C": 13.2, "L2D-20C": 17.3, "M3E": 17.3, "M3T": 6.4, "M30T": 6.4, "M30": 6.4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Distortion:
    """Brown's model on normalised coordinates: ``k1 k2 k3`` radial, ``p1 p2`` tangential, in OpenCV's signs."""

    k1: float
    k2: float
    p1: float
    p2: float
    k3: float

    def bend(self, x: float, y: float) -> tuple[float, float]:
        """Where the lens shows the ideal point (x, y)."""
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        return (
            x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x),
            y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y,
        )

    def straighten(self, x: float, y: float) -> tuple[float, float]:
        """The ideal point that the lens shows at (x, y), by fixed-point iteration."""
        ideal_x, ideal_y = x, y
        for _ in range(_STEPS):
            shown_x, shown_y = self.bend(ideal_x, ideal_y)
            ideal_x, ideal_y = ideal_x + x - shown_x, ideal_y + y - shown_y
            if abs(x - shown_x) + abs(y - shown_y) < 1e-10:
                break
        return ideal_x, ideal_y


@dataclass(frozen=True, slots=True)
class Camera:
    """Size in pixels, focal length and principal point in pixels."""

    width: int
    height: int
    focal_px: float
    cx: float
    cy: float
    distortion: Distortion | None = None

    def ray(self, u: float, v: float) -> tuple[float, float, float]:
        """Forward, right, down of a pixel, in the camera's axes."""
        x, y = (u - self.cx) / self.focal_px, (v - self.cy) / self.focal_px
        if self.distortion is not None:
            x, y = self.distortion.straighten(x, y)
        return 1.0, x, y

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of an ideal direction."""
        if self.distortion is not None:
            x, y = self.distortion.bend(x, y)
        return self.cx + self.focal_px * x, self.cy + self.focal_px * y


def focal_pixels(width: int, focal_mm: float, sensor_width_mm: float, zoom: float = 1.0) -> float:
    """Focal length in pixels; square pixels, digital zoom multiplies."""
    return focal_mm / sensor_width_mm * width * zoom


def focal_pixels_35(width: int, height: int, focal35_mm: float, zoom: float = 1.0) -> float:
    """From the 35 mm equivalent, which is defined over the diagonal (43.27 mm)."""
    return focal35_mm / math.hypot(_FILM, 24.0) * math.hypot(width, height) * zoom
