"""The same thing in overlapping pictures is one thing: by place on the ground, one to one between two pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lap
import numpy as np
from numpy.typing import NDArray

KINDS = {"car": "vehicle", "large_vehicle": "vehicle", "truck": "vehicle", "bus": "vehicle", "minibus": "vehicle"}
_FAR = 1e6


@dataclass(frozen=True)
class Placed:
    """A sight with its place: metres on one plane; ``picture`` tells sights of one picture apart from others'."""

    key: str
    picture: str
    name: str
    east: float
    north: float
    confidence: float


def things(sights: Sequence[Placed], radius_m: float) -> dict[str, str]:
    """For each sight's key the key of the first sight of its thing.

    Two sights of one picture are two things however near they lie.  Cars and large vehicles may be one thing that two
    pictures show differently; nothing else changes its kind.
    """
    out: dict[str, str] = {}
    for kind in dict.fromkeys(_kind(s) for s in sights):
        out.update(_of_kind([s for s in sights if _kind(s) == kind], radius_m))
    return out


def _kind(sight: Placed) -> str:
    return KINDS.get(sight.name, sight.name)


def _of_kind(sights: Sequence[Placed], radius_m: float) -> dict[str, str]:
    out: dict[str, str] = {}
    keys: list[str] = []
    places: list[list[NDArray[np.float64]]] = []
    for picture in dict.fromkeys(s.picture for s in sights):
        here = [s for s in sights if s.picture == picture]
        taken = _assigned(here, places, radius_m)
        for row, sight in enumerate(here):
            at = np.array([sight.east, sight.north])
            index = taken.get(row)
            if index is None:
                index = len(keys)
                keys.append(sight.key)
                places.append([])
            places[index].append(at)
            out[sight.key] = keys[index]
    return out


def _assigned(here: Sequence[Placed], places: Sequence[list[NDArray[np.float64]]], radius_m: float) -> dict[int, int]:
    """Which known thing each sight of a picture is: the nearest within the radius, one to one."""
    if not places:
        return {}
    middles = np.array([np.mean(p, axis=0) for p in places])
    spots = np.array([[s.east, s.north] for s in here])
    apart = np.hypot(*(spots[:, None] - middles[None]).transpose(2, 0, 1))
    _, columns, _ = lap.lapjv(np.where(apart <= radius_m, apart, _FAR), extend_cost=True)
    return {row: int(c) for row, c in enumerate(columns) if c >= 0 and apart[row, c] <= radius_m}
