"""All pictures of a flight laid together: small affine corrections by least squares, held by what their tags state.

First the height above the ground, common to the flight, which nobody measured: how far the pictures moved between two
shots against how far the receiver did, the median over all pairs.  Then every picture gets x' = c + (I + E)(x − c) + t
about the ground c below its camera.  Matches ask that both pictures put a point at the same place; priors
(standards/10 §4) keep E and t near nought, so that the flight stays where its receiver put it and does not drift.
Robust by Huber's weights.  Every fourth match is left out of the adjustment: the residual that is stated is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.drones.overlap.matching import Pair
from ingest.drones.overlap.pictures import SurveyPicture
from ingest.drones.overlap.plane import Points, applied

# sigma of one height (relative), of the yaw (rad), of what a tilt shears
_SCALE, _TURN, _SHEAR = 0.02, 0.035, 0.01
_FARTHEST = 1.5  # times higher or lower than stated: more is a mistake
_FEWEST = 5  # pairs that may tell the height
_MATCH_PX = 2.0  # trees and roofs stand out of the plane
_COUNTS = 10  # matches of one pair err together: no pair counts more than so many
_HUBER = 2.0  # sigmas
_ROUNDS = 6
_CHECK = 4  # every fourth match is kept apart
_UNKNOWNS = 6  # exx, exy, eyx, eyy, tx, ty


@dataclass(frozen=True)
class Adjusted:
    """Matrices (straightened pixels → metres) by picture, and how well they agree.

    ``scale``: by how much farther the ground is than the tags say (common to the flight); ``residual_m`` and
    ``residual_px`` are RMS of the matches kept apart, ``before_m`` of all matches by the tags alone; ``shift_m``: RMS
    by which the middles moved from where the tags put them; ``within``: share of the matches (by the tags alone) that
    lie within both pictures' stated uncertainty; ``alone``: pictures without a match.
    """

    matrices: tuple[NDArray[np.float64], ...]
    scale: float
    residual_m: float | None
    residual_px: float | None
    before_m: float | None
    shift_m: float
    within: float | None
    matches: int
    alone: tuple[int, ...]


def adjust(pictures: Sequence[SurveyPicture], found: Sequence[Pair]) -> Adjusted:
    """Lay the pictures together; without matches they stay where their tags put them."""
    stated = [_placed(pictures, p) for p in found]
    before = [np.hypot(*(a - b).T) for a, b in stated]
    scale = _common_scale(pictures, found, stated)
    scaled = [_correction(np.array([scale - 1, 0, 0, scale - 1, 0, 0]), p.below) for p in pictures]
    placed = [
        (applied(scaled[p.first], a), applied(scaled[p.second], b)) for p, (a, b) in zip(found, stated, strict=True)
    ]
    gsd = float(np.median([_gsd(p) for p in pictures])) * scale if pictures else 1.0
    solved = _solve(pictures, found, placed, _MATCH_PX * gsd) if found else np.zeros((len(pictures), _UNKNOWNS))
    corrections = [_correction(e, p.below) for e, p in zip(solved, pictures, strict=True)]
    apart = [
        np.hypot(*(applied(corrections[p.first], a) - applied(corrections[p.second], b)).T)[::_CHECK]
        for p, (a, b) in zip(found, placed, strict=True)
    ]
    residual = _rms(apart)
    used = {index for p in found for index in (p.first, p.second)}
    return Adjusted(
        tuple(c @ s @ p.prior for c, s, p in zip(corrections, scaled, pictures, strict=True)), scale,
        residual, None if residual is None else residual / gsd, _rms(before),
        float(np.sqrt(np.mean(np.sum(solved[:, 4:] ** 2, axis=1)))) if len(pictures) else 0.0,
        _within(pictures, found, before), sum(map(len, before)),
        tuple(i for i in range(len(pictures)) if i not in used),
    )  # fmt: skip


def _placed(pictures: Sequence[SurveyPicture], pair: Pair) -> tuple[Points, Points]:
    return applied(pictures[pair.first].prior, pair.here), applied(pictures[pair.second].prior, pair.there)


def _common_scale(
    pictures: Sequence[SurveyPicture], found: Sequence[Pair], stated: Sequence[tuple[Points, Points]]
) -> float:
    """By how much farther the ground is than stated: receiver's base over the pictures' own, the median."""
    told = []
    for pair, (here, there) in zip(found, stated, strict=True):
        one, two = pictures[pair.first], pictures[pair.second]
        base = float(np.hypot(*(two.below - one.below)))
        if base < 2 * 1.5:  # the receiver's own error is as large
            continue
        first, second = (here - one.below) @ [1, 1j], (there - two.below) @ [1, 1j]
        middle = first.mean()
        turn = np.vdot(first - middle, second - second.mean()) / np.vdot(first - middle, first - middle)
        moved = abs(second.mean() - turn * middle)
        if moved > 0:
            told.append(base / moved)
    if len(told) < _FEWEST:
        return 1.0
    scale = float(np.median(told))
    return scale if 1 / _FARTHEST <= scale <= _FARTHEST else 1.0


def _gsd(picture: SurveyPicture) -> float:
    return picture.view.pose.height_m / picture.view.camera.focal_px


def _rms(parts: Sequence[NDArray[np.float64]]) -> float | None:
    values = np.concatenate(parts) if parts else np.zeros(0)
    return float(np.sqrt(np.mean(values**2))) if len(values) else None


def _within(
    pictures: Sequence[SurveyPicture], found: Sequence[Pair], before: Sequence[NDArray[np.float64]]
) -> float | None:
    good = [
        apart <= np.hypot(pictures[p.first].view.uncertainty_m, pictures[p.second].view.uncertainty_m)
        for p, apart in zip(found, before, strict=True)
    ]
    return float(np.concatenate(good).mean()) if good else None


def _correction(e: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    inner = np.array([[1 + e[0], e[1]], [e[2], 1 + e[3]]])
    moved = c + e[4:] - inner @ c
    return np.array([[*inner[0], moved[0]], [*inner[1], moved[1]], [0, 0, 1]])


def _solve(
    pictures: Sequence[SurveyPicture], found: Sequence[Pair], placed: Sequence[tuple[Points, Points]], sigma: float
) -> NDArray[np.float64]:
    """Corrections (n, 6) by reweighted normal equations."""
    blocks = []
    for pair, (here, there) in zip(found, placed, strict=True):
        used = np.ones(len(here), bool)
        used[::_CHECK] = False
        first, second = here[used] - pictures[pair.first].below, there[used] - pictures[pair.second].below
        blocks.append(_equations(pair, first, second, (there - here)[used]))
    counts = [min(1.0, 2 * _COUNTS / len(wanted)) for _, _, wanted in blocks]
    weights = [np.ones(len(wanted)) for _, _, wanted in blocks]
    solved: NDArray[np.float64] = np.zeros(len(pictures) * _UNKNOWNS)
    for _ in range(_ROUNDS):
        normal, right = _priors(pictures)
        for (rows, columns, wanted), weight, count in zip(blocks, weights, counts, strict=True):
            weighed = rows * (weight * count / sigma**2)[:, None]
            normal[np.ix_(columns, columns)] += weighed.T @ rows
            right[columns] += weighed.T @ wanted
        solved = np.asarray(np.linalg.solve(normal, right), np.float64)
        weights = [
            np.minimum(1.0, _HUBER * sigma / np.maximum(np.abs(rows @ solved[columns] - wanted), 1e-9))
            for rows, columns, wanted in blocks
        ]
    return solved.reshape(-1, _UNKNOWNS)


def _equations(
    pair: Pair, first: Points, second: Points, apart: Points
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Rows (2n, 12), their columns, and what they want: correction(first) − correction(second) = ``apart``."""
    rows = np.zeros((2 * len(first), 2 * _UNKNOWNS))
    for offset, points, sign in ((0, first, 1.0), (_UNKNOWNS, second, -1.0)):
        rows[0::2, offset] = sign * points[:, 0]
        rows[0::2, offset + 1] = sign * points[:, 1]
        rows[1::2, offset + 2] = sign * points[:, 0]
        rows[1::2, offset + 3] = sign * points[:, 1]
        rows[0::2, offset + 4] = sign
        rows[1::2, offset + 5] = sign
    at = [np.arange(_UNKNOWNS) + index * _UNKNOWNS for index in (pair.first, pair.second)]
    return rows, np.concatenate(at), apart.ravel()


def _priors(pictures: Sequence[SurveyPicture]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """E and t are near nought: scale, turn, shear; t within half of the stated 95 %."""
    size = len(pictures) * _UNKNOWNS
    normal = np.zeros((size, size))
    scale, turn = np.array([1, 0, 0, 1]) / 2, np.array([0, 1, -1, 0]) / 2
    stretch, shear = np.array([1, 0, 0, -1]) / 2, np.array([0, 1, 1, 0]) / 2
    inner = sum(np.outer(v, v) / s**2 for v, s in ((scale, _SCALE), (turn, _TURN), (stretch, _SHEAR), (shear, _SHEAR)))
    for index, picture in enumerate(pictures):
        at = index * _UNKNOWNS
        normal[at : at + 4, at : at + 4] += inner
        sigma = picture.view.uncertainty_m / 2.448
        normal[at + 4, at + 4] += 1 / sigma**2
        normal[at + 5, at + 5] += 1 / sigma**2
    return normal, np.zeros(size)
