"""Points that two overlapping pictures both show (SIFT, mutual best, MAGSAC), gated by where their tags put them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.drones.overlap.pictures import SurveyPicture, read
from ingest.drones.overlap.plane import Points, applied

LONGEST = 1000  # pixels at which features are looked for
FEATURES = 1500
RATIO = 0.75
LEAST = 25  # inliers below which two pictures are not matched (standards/10 §5)
_OVERLAP = 0.25  # of the smaller footprint
_FIT_PX = 3.0  # of the small picture
_GATE = 1.5  # times what both pictures state as their uncertainty, and a metre
_AT_ONCE = 2
_CHOSEN = 60  # points a pair brings to the adjustment


@dataclass(frozen=True)
class Pair:
    """Points in full-size pixels of two pictures (by index) that show the same places; ``bright``: grey there."""

    first: int
    second: int
    here: Points
    there: Points
    bright: tuple[float, float]


@dataclass(frozen=True)
class _Seen:
    points: Points
    marks: NDArray[np.float32]
    grey: NDArray[np.uint8]
    scale: float


def pairs(pictures: Sequence[SurveyPicture]) -> tuple[list[Pair], set[int], int]:
    """Matched pairs, pictures that could not be read, and how many pairs should have matched by their footprints."""
    wanted = _neighbours(pictures)
    needed = sorted({index for pair in wanted for index in pair})
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # decoding and features leave the interpreter's lock
        looked = list(pool.map(lambda index: _look(pictures[index]), needed))
    seen = {index: found for index, found in zip(needed, looked, strict=True) if found is not None}
    out = []
    for a, b in wanted:
        if a in seen and b in seen:
            pair = _match(pictures, seen, a, b)
            if pair is not None:
                out.append(pair)
    return out, set(needed) - set(seen), len(wanted)


def _neighbours(pictures: Sequence[SurveyPicture]) -> list[tuple[int, int]]:
    shapes = [shapely.Polygon(p.outline()) for p in pictures]
    out = []
    for a, b in itertools.combinations(range(len(shapes)), 2):
        least = min(shapes[a].area, shapes[b].area)
        if least and shapes[a].intersects(shapes[b]) and shapes[a].intersection(shapes[b]).area > _OVERLAP * least:
            out.append((a, b))
    return out


def _look(picture: SurveyPicture) -> _Seen | None:
    found = read(picture, LONGEST, grey=True)
    if found is None:
        return None
    grey, scale = found
    sift: Any = cv2.SIFT_create(FEATURES)  # type: ignore[attr-defined]  # OpenCV 5 has it, its stubs do not
    keys, marks = sift.detectAndCompute(grey, None)
    if marks is None or len(keys) < LEAST:
        return _Seen(np.zeros((0, 2)), np.zeros((0, 128), np.float32), grey, scale)
    root = np.sqrt(marks / np.maximum(marks.sum(axis=1, keepdims=True), 1e-9))  # Arandjelović and Zisserman, 2012
    return _Seen(np.array([k.pt for k in keys], np.float64) / scale, np.asarray(root, np.float32), grey, scale)


def _match(pictures: Sequence[SurveyPicture], seen: dict[int, _Seen], a: int, b: int) -> Pair | None:
    one, two = seen[a], seen[b]
    if min(len(one.points), len(two.points)) < LEAST:
        return None
    mutual = _mutual(one.marks, two.marks)
    here = one.points[[i for i, _ in mutual]]
    there = two.points[[j for _, j in mutual]]
    apart = np.hypot(*(applied(pictures[a].prior, here) - applied(pictures[b].prior, there)).T)
    gate = 1 + _GATE * float(np.hypot(pictures[a].view.uncertainty_m, pictures[b].view.uncertainty_m))
    here, there = here[apart < gate], there[apart < gate]
    if len(here) < LEAST:
        return None
    _, mask = cv2.findHomography(here * one.scale, there * one.scale, cv2.USAC_MAGSAC, _FIT_PX)
    if mask is None or int(mask.sum()) < LEAST:
        return None
    kept = np.flatnonzero(mask.ravel())
    kept = kept[np.linspace(0, len(kept) - 1, min(len(kept), _CHOSEN)).astype(int)]
    bright = _level(one, here[kept]), _level(two, there[kept])
    return Pair(a, b, here[kept], there[kept], bright)


def _mutual(marks: NDArray[np.float32], others: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Rows that are each other's nearest, and clearly nearer than the second."""
    apart = np.sqrt(np.maximum(2 - 2 * (marks @ others.T), 0))
    two = np.argpartition(apart, 1, axis=1)[:, :2]
    near = np.take_along_axis(apart, two, axis=1)
    best = two[np.arange(len(two)), near.argmin(axis=1)]
    clear = near.min(axis=1) < RATIO * near.max(axis=1)
    back = apart.argmin(axis=0)
    rows = np.flatnonzero(clear & (back[best] == np.arange(len(best))))
    return [(int(i), int(best[i])) for i in rows]


def _level(seen: _Seen, points: Points) -> float:
    """Median brightness around the points."""
    soft = cv2.blur(seen.grey, (9, 9))
    at = np.round(points * seen.scale).astype(int)
    rows, columns = at[:, 1].clip(0, soft.shape[0] - 1), at[:, 0].clip(0, soft.shape[1] - 1)
    return float(np.median(soft[rows, columns]))
