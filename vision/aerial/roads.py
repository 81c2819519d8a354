"""Vehicles by road segment: how many stand or drive on each, and how densely.

A photograph cannot tell a jam from parked cars: the density is a fact, the jam a suggestion that waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

WIDTH_M = 12.0  # from a road's middle line to its edge, where nothing says how wide it is
LEAST_M = 40.0  # of a road that was seen, for a density
DENSE_PER_KM = 70.0  # vehicles a kilometre of road, both directions: half of what stands in a queue on two lanes


@dataclass(frozen=True)
class SegmentCount:
    """``seen_m``: how much of the segment the pictures show; ``middle``: a point of that part, metres."""

    name: str
    vehicles: int
    large: int
    seen_m: float
    per_km: float | None
    dense: bool
    middle: tuple[float, float]


def by_segment(
    vehicles: Sequence[tuple[float, float, bool]], segments: Sequence[tuple[str, Any]], seen: Any
) -> list[SegmentCount]:
    """Counts for every segment with a vehicle or enough of it in view.

    ``vehicles``: east, north in metres and whether large; ``segments``: name and line in metres; ``seen``: what the
    pictures show, as an area in metres.  A vehicle belongs to the nearest segment within :data:`WIDTH_M`.
    """
    parts = [(name, shapely.intersection(line, seen)) for name, line in segments]
    parts = [(name, part) for name, part in parts if not shapely.is_empty(part) and shapely.length(part) > 0]
    if not parts:
        return []
    lines = np.array([part for _, part in parts], dtype=object)
    counts = np.zeros((len(parts), 2), int)
    for east, north, large in vehicles:
        apart = shapely.distance(lines, shapely.Point(east, north))
        nearest = int(np.argmin(apart))
        if apart[nearest] <= WIDTH_M:
            counts[nearest, int(large)] += 1
    out = []
    for (name, part), (small, large) in zip(parts, counts, strict=True):
        length, total = float(shapely.length(part)), int(small + large)
        if not total and length < LEAST_M:
            continue
        density = 1000 * total / length if length >= LEAST_M else None
        middle = (
            shapely.line_interpolate_point(part, 0.5, normalized=True)
            if part.geom_type == "LineString"
            else part.centroid
        )
        dense = density is not None and density >= DENSE_PER_KM
        out.append(SegmentCount(name, total, int(large), length, density, dense, (middle.x, middle.y)))
    return sorted(out, key=lambda s: (-s.vehicles, s.name))
