"""Points that two overlapping pictures both show (SIFT, mutual best, MAGSAC), gated by where their tags put them."""

from __future__ import annotations

import itertools
import threading
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
_one = threading.Lock()  # features of one picture hold 180 MB, and use every core by themselves
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
    marks: NDArray[np.float16]
    bright: NDArray[np.uint8]  # grey around each point
    scale: float


def pairs(pictures: Sequence[SurveyPicture]) -> tuple[list[Pair], set[int], int]:
    """Matched pairs, pictures that could not be read, and how many pairs should have matched by their footprints."""
    wanted = _neighbours(pictures)
    needed = sorted({index for pair in wanted for index in pair})
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # decoding and features leave the interpreter's lock
        looked = list(pool.map(lambda index: _look(pictures[index]), needed))
    seen = {index: found for index, found in zip(needed, looked, strict=True) if found is not None}
    both = [(a, b) for a, b in wanted if a in seen and b in seen]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        out = [pair for pair in pool.map(lambda two: _match(pictures, seen, *two), both) if pair is not None]
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
    with _one:
        keys, marks = sift.detectAndCompute(grey, None)
    if marks is None or len(keys) < LEAST:
        return _Seen(np.zeros((0, 2)), np.zeros((0, 128), np.float16), np.zeros(0, np.uint8), scale)
    root = np.sqrt(marks / np.maximum(marks.sum(axis=1, keepdims=True), 1e-9))  # Arandjelović and Zisserman, 2012
    at = np.array([k.pt for k in keys], np.float64)
    columns, rows = np.round(at).astype(int).T
    soft = cv2.blur(grey, (9, 9))[rows.clip(0, grey.shape[0] - 1), columns.clip(0, grey.shape[1] - 1)]
    return _Seen(at / scale, root.astype(np.float16), np.asarray(soft, np.uint8), scale)


def _match(pictures: Sequence[SurveyPicture], seen: dict[int, _Seen], a: int, b: int) -> Pair | None:
    one, two = seen[a], seen[b]
    if min(len(one.points), len(two.points)) < LEAST:
        return None
    mutual = _mutual(one.marks, two.marks)
    first, second = (np.array([p[k] for p in mutual], int) for k in (0, 1))
    here, there = one.points[first], two.points[second]
    apart = np.hypot(*(applied(pictures[a].prior, here) - applied(pictures[b].prior, there)).T)
    gate = 1 + _GATE * float(np.hypot(pictures[a].view.uncertainty_m, pictures[b].view.uncertainty_m))
    near = apart < gate
    here, there, first, second = here[near], there[near], first[near], second[near]
    if len(here) < LEAST:
        return None
    _, mask = cv2.findHomography(here * one.scale, there * one.scale, cv2.USAC_MAGSAC, _FIT_PX)
    if mask is None or int(mask.sum()) < LEAST:
        return None
    kept = np.flatnonzero(mask.ravel())
    kept = kept[np.linspace(0, len(kept) - 1, min(len(kept), _CHOSEN)).astype(int)]
    bright = float(np.median(one.bright[first[kept]])), float(np.median(two.bright[second[kept]]))
    return Pair(a, b, here[kept], there[kept], bright)


def _mutual(marks: NDArray[np.float16], others: NDArray[np.float16]) -> list[tuple[int, int]]:
    """Rows that are each other's nearest, and clearly nearer than the second."""
    alike = marks.astype(np.float32) @ others.astype(np.float32).T
    best, back = alike.argmax(axis=1), alike.argmax(axis=0)
    every = np.arange(len(best))
    nearest = alike[every, best]
    alike[every, best] = -1
    first, second = (np.sqrt(np.maximum(2 - 2 * cosine, 0)) for cosine in (nearest, alike.max(axis=1)))
    rows = np.flatnonzero((first < RATIO * second) & (back[best] == every))
    return [(int(i), int(best[i])) for i in rows]
