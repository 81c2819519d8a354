"""One exposure for a whole flight: a gain for each picture from how bright both of a pair show the same places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.drones.overlap.matching import Pair

_MOST = 2.0  # times brighter or darker
_STAY = 0.1  # weight that keeps a picture as it is


def gains(pictures: int, found: Sequence[Pair]) -> NDArray[np.float64]:
    """A factor for each picture; 1 where nothing is known.  Least squares on the logarithms."""
    normal, right = np.eye(pictures) * _STAY, np.zeros(pictures)
    for pair in found:
        here, there = pair.bright
        if here < 1 or there < 1:
            continue
        wanted = np.log(there / here)  # gain(first) − gain(second)
        a, b = pair.first, pair.second
        normal[[a, b], [a, b]] += 1
        normal[[a, b], [b, a]] -= 1
        right[a] += wanted
        right[b] -= wanted
    logs = np.linalg.solve(normal, right) if pictures else np.zeros(0)
    return np.asarray(np.exp(logs.clip(-np.log(_MOST), np.log(_MOST))), np.float64)
