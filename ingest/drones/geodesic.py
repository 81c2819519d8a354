"""The direct problem on the WGS 84 ellipsoid: from a point, an azimuth and a distance to the next point.

Vincenty, *Survey Review* XXIII 176 (1975), exact to a millimetre.  Written out here because a command that reads a
folder of photos starts in a third of the time without a projection library; the tests compare it with PROJ.
"""

from __future__ import annotations

import math

A = 6378137.0  # m, semi-major axis of WGS 84
F = 1 / 298.257223563
B = A * (1 - F)
_STEPS = 50


def forward(lon: float, lat: float, azimuth: float, distance: float) -> tuple[float, float]:
    """Longitude and latitude in degrees after ``distance`` metres along ``azimuth`` degrees from true north."""
    turn = math.radians(azimuth)
    reduced = math.atan((1 - F) * math.tan(math.radians(lat)))
    sin_u, cos_u = math.sin(reduced), math.cos(reduced)
    sigma_1 = math.atan2(math.tan(reduced), math.cos(turn))
    sin_alpha = cos_u * math.sin(turn)
    cos_sq = 1 - sin_alpha**2
    u_sq = cos_sq * (A**2 - B**2) / B**2
    big_a = 1 + u_sq / 16384 * (4096 + u_sq * (-768 + u_sq * (320 - 175 * u_sq)))
    big_b = u_sq / 1024 * (256 + u_sq * (-128 + u_sq * (74 - 47 * u_sq)))
    sigma = start = distance / (B * big_a)
    for _ in range(_STEPS):
        middle = math.cos(2 * sigma_1 + sigma)
        change = big_b * math.sin(sigma) * (
            middle + big_b / 4 * (math.cos(sigma) * (-1 + 2 * middle**2)
            - big_b / 6 * middle * (-3 + 4 * math.sin(sigma) ** 2) * (-3 + 4 * middle**2))
        )  # fmt: skip
        before, sigma = sigma, start + change
        if abs(sigma - before) < 1e-12:
            break
    sin_s, cos_s, cos_t = math.sin(sigma), math.cos(sigma), math.cos(turn)
    middle = math.cos(2 * sigma_1 + sigma)
    up = sin_u * cos_s + cos_u * sin_s * cos_t
    across = (1 - F) * math.hypot(sin_alpha, sin_u * sin_s - cos_u * cos_s * cos_t)
    around = math.atan2(sin_s * math.sin(turn), cos_u * cos_s - sin_u * sin_s * cos_t)
    c = F / 16 * cos_sq * (4 + F * (4 - 3 * cos_sq))
    bend = sigma + c * sin_s * (middle + c * cos_s * (-1 + 2 * middle**2))
    found = lon + math.degrees(around - (1 - c) * F * sin_alpha * bend)
    return (found + 180) % 360 - 180, math.degrees(math.atan2(up, across))


def offset_of(lon: float, lat: float, to_lon: float, to_lat: float) -> tuple[float, float]:
    """East and north in metres of a near point (some kilometres), by the radii of curvature at the first."""
    sine = math.sin(math.radians((lat + to_lat) / 2))
    squeeze = 1 - F * (2 - F) * sine**2
    meridian, normal = A * (1 - F) ** 2 / squeeze**1.5, A / math.sqrt(squeeze)
    across = math.radians((to_lon - lon + 180) % 360 - 180)
    return across * normal * math.cos(math.radians((lat + to_lat) / 2)), math.radians(to_lat - lat) * meridian
