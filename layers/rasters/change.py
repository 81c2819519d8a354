"""What changed between two mosaics of one place: registered first, then compared by structure and colour, by region.

Registration is by features on the common grid; more than two pixels of residual, or more than half of the picture
changed (snow, another season), is refused: not comparable.  Leaves that stay green and shadows that come and go are
left out (standards/10 §5).  Regions are ranked by area times contrast.  ``guess`` is a guess: a car's size and shape,
a smooth rectangle that came or went (building), a smooth place where there was structure (water), a compact spot
without leaves (heap), else unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import YiwangError

GRID_M = 0.15
MOST_PIXELS = 16_000_000
LEAST_INLIERS = 25
MOST_RESIDUAL_PX = 2.0
MOST_CHANGED = 0.5
LEAST_M2 = 1.0
_WINDOW = 11
_GREEN = 0.08  # excess green, normalised
_STRUCTURE = 40.0  # grey levels²
_SQUARE, _ROUND, _ROOF_M, _ROOF_ROUGH = 0.8, 0.75, 4.0, 30.0  # shares of rectangle and circle, metres, grey levels
_HEAP_M2, _HEAP_LONG = 600.0, 2.5
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


class NotComparable(YiwangError):
    code = "not_comparable"
    message = "the two pictures cannot be compared: {detail}"
    remedy = "compare flights of the same place, height and season"
    zh = "两张图无法比较：{detail}"
    zh_remedy = "请比较同一地点、高度和季节的飞行"


@dataclass(frozen=True)
class ChangedRegion:
    """``ring``: corners in degrees, closed; ``contrast`` 0 … 1; ``guess``: vehicle, building, water, heap,
    unknown."""

    ring: tuple[tuple[float, float], ...]
    area_m2: float
    contrast: float
    guess: str

    @property
    def rank(self) -> float:
        """Area times contrast."""
        return self.area_m2 * self.contrast


@dataclass(frozen=True)
class ChangeReport:
    """Regions, the highest rank first; ``residual_px`` of the registration on a grid of ``grid_m``."""

    regions: tuple[ChangedRegion, ...]
    residual_px: float
    grid_m: float
    compared_m2: float
    changed_share: float

    def geojson(self) -> dict[str, Any]:
        """A FeatureCollection in the order of rank."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[list(at) for at in r.ring]]},
                    "properties": {"rank": number, "area_m2": round(r.area_m2, 1), "contrast": round(r.contrast, 3),
                                   "guess": r.guess},
                }
                for number, r in enumerate(self.regions, 1)
            ],
            "residual_px": round(self.residual_px, 2), "grid_m": round(self.grid_m, 3),
            "compared_m2": round(self.compared_m2, 1), "changed_share": round(self.changed_share, 4),
        }  # fmt: skip


def changes(old: Path, new: Path) -> ChangeReport:
    """Compare two georeferenced pictures; :class:`NotComparable` with the reason where that says nothing."""
    (before, seen_before), (after, seen_after), grid = _on_one_grid(old, new)
    turn, residual = _registered(before, after)
    size = after.shape[1::-1]
    before = np.asarray(cv2.warpAffine(before, turn, size), np.uint8)
    seen_before = cv2.warpAffine(seen_before.astype(np.uint8), turn, size) > 0
    both = cv2.erode((seen_before & seen_after).astype(np.uint8), np.ones((_WINDOW, _WINDOW), np.uint8)) > 0
    if not both.any():
        raise NotComparable(detail="they have no ground in common")
    contrast = _contrast(before, after, both)
    changed = _cleaned(contrast > 0.5, grid.gsd_m)
    share = float(changed[both].mean())
    if share > MOST_CHANGED:
        raise NotComparable(detail=f"{share:.0%} of the ground looks different (season, snow, another exposure)")
    regions = _regions(changed, contrast, before, after, grid)
    return ChangeReport(regions, residual, grid.gsd_m, float(both.sum()) * grid.gsd_m**2, share)


@dataclass(frozen=True)
class _Grid:
    crs: Any
    transform: Any
    gsd_m: float

    def degrees(self, points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
        from rasterio.warp import transform

        x = self.transform.c + points[:, 0] * self.gsd_m
        y = self.transform.f - points[:, 1] * self.gsd_m
        lons, lats = transform(self.crs, "EPSG:4326", x.tolist(), y.tolist())
        return tuple((round(lon, 8), round(lat, 8)) for lon, lat in zip(lons, lats, strict=True))


def _on_one_grid(old: Path, new: Path) -> tuple[tuple[Pixels, Mask], tuple[Pixels, Mask], _Grid]:
    import rasterio
    from rasterio.transform import from_origin
    from rasterio.vrt import WarpedVRT
    from rasterio.warp import transform_bounds

    try:
        with rasterio.open(old) as first, rasterio.open(new) as second:
            if first.crs is None or second.crs is None or not second.crs.is_projected:
                raise NotComparable(detail="one has no metric coordinate system")
            a, b = transform_bounds(first.crs, second.crs, *first.bounds), second.bounds
            west, south, east, north = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
            if east - west < 2 or north - south < 2:
                raise NotComparable(detail="they do not overlap")
            gsd = max(GRID_M, second.res[0], ((east - west) * (north - south) / MOST_PIXELS) ** 0.5)
            place = from_origin(west, north, gsd, gsd)
            how = {"crs": second.crs, "transform": place, "width": int((east - west) / gsd),
                   "height": int((north - south) / gsd)}  # fmt: skip
            read = []
            for source in (first, second):
                with WarpedVRT(source, **how) as warped:
                    bands = warped.read([1, 2, 3]) if warped.count >= 3 else np.repeat(warped.read([1]), 3, axis=0)
                    read.append((np.ascontiguousarray(bands[::-1].transpose(1, 2, 0)), warped.dataset_mask() > 0))
            return read[0], read[1], _Grid(second.crs, place, gsd)
    except rasterio.errors.RasterioError as error:
        raise NotComparable(detail=str(error)) from error


def _registered(before: Pixels, after: Pixels) -> tuple[NDArray[np.float64], float]:
    """The similarity that lays the old picture on the new one, and what is left, RMS in pixels."""
    sift: Any = cv2.SIFT_create(4000)  # type: ignore[attr-defined]  # OpenCV 5 has it, its stubs do not
    found = [sift.detectAndCompute(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), None) for p in (before, after)]
    if any(marks is None for _, marks in found):
        raise NotComparable(detail="one shows nothing that could be found again")
    (keys, marks), (others, other_marks) = found
    good = [f[0] for f in cv2.BFMatcher().knnMatch(marks, other_marks, k=2) if len(f) == 2 and _clear(f)]
    here = np.array([keys[m.queryIdx].pt for m in good]).reshape(-1, 2)
    there = np.array([others[m.trainIdx].pt for m in good]).reshape(-1, 2)
    matrix, mask = (None, None)
    if len(good) >= LEAST_INLIERS:
        matrix, mask = cv2.estimateAffinePartial2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=3.0)
    if matrix is None or mask is None or int(mask.sum()) < LEAST_INLIERS:
        raise NotComparable(detail="too little of the one is found again in the other")
    kept = mask.ravel() > 0
    left = here[kept] @ matrix[:, :2].T + matrix[:, 2] - there[kept]
    residual = float(np.sqrt(np.mean(np.sum(left**2, axis=1))))
    if residual > MOST_RESIDUAL_PX:
        raise NotComparable(detail=f"they still differ by {residual:.1f} pixels after registration")
    return np.asarray(matrix, np.float64), residual


def _clear(found: Any) -> bool:
    return bool(found[0].distance < 0.75 * found[1].distance)


def _contrast(before: Pixels, after: Pixels, both: Mask) -> Floats:
    """0 … 1: structure that is gone or new, colour that differs; nought for leaves, shadows, what was not seen."""
    greys = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).astype(np.float32) for p in (before, after)]
    alike, structure = _alike(*greys)
    lab = [cv2.cvtColor(cv2.blur(p, (5, 5)), cv2.COLOR_BGR2LAB).astype(np.float32) for p in (before, after)]
    for channel in range(3):  # one exposure and white balance
        lab[0][:, :, channel] += np.median(lab[1][both][:, channel]) - np.median(lab[0][both][:, channel])
    light = np.abs(lab[1][:, :, 0] - lab[0][:, :, 0])
    hue = np.hypot(lab[1][:, :, 1] - lab[0][:, :, 1], lab[1][:, :, 2] - lab[0][:, :, 2])
    colour = np.clip(np.hypot(light / 2, hue) / 30, 0, 1)
    told = np.where(structure, np.clip((0.8 - alike) / 0.6, 0, 1) * 0.5 + colour * 0.5, colour)
    shadow = (light > 30) & (hue < 10) & (np.minimum(lab[0][:, :, 0], lab[1][:, :, 0]) < 90)
    leaves = (_green(before) > _GREEN) & (_green(after) > _GREEN)
    return np.where(both & ~leaves & ~shadow, told, 0).astype(np.float32)


def _alike(a: Floats, b: Floats) -> tuple[Floats, Mask]:
    """Local correlation, the best over a pixel's shift, and where either has structure."""

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, (_WINDOW, _WINDOW)), np.float32)

    mean_a = mean(a)
    spread_a = np.maximum(mean(a * a) - mean_a**2, 0)
    best, most = np.full(a.shape, -1, np.float32), spread_a
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            moved = np.roll(b, (dy, dx), (0, 1))
            mean_b = mean(moved)
            spread_b = np.maximum(mean(moved * moved) - mean_b**2, 0)
            shared = mean(a * moved) - mean_a * mean_b
            best = np.maximum(best, shared / np.sqrt(np.maximum(spread_a, 1) * np.maximum(spread_b, 1)))
            most = np.maximum(most, spread_b)
    return best, np.asarray(most > _STRUCTURE, np.bool_)


def _green(picture: Pixels) -> Floats:
    soft = cv2.blur(picture, (5, 5)).astype(np.float32)
    total = np.maximum(soft.sum(axis=2), 1)
    return np.asarray((2 * soft[:, :, 1] - soft[:, :, 0] - soft[:, :, 2]) / total, np.float32)


def _cleaned(changed: Mask, gsd_m: float) -> Mask:
    side = max(3, round(0.6 / gsd_m) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel) > 0, np.bool_)


def _regions(changed: Mask, contrast: Floats, before: Pixels, after: Pixels, grid: _Grid) -> tuple[ChangedRegion, ...]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8))
    out = []
    for number in range(1, count):
        area = float(stats[number, cv2.CC_STAT_AREA]) * grid.gsd_m**2
        if area < LEAST_M2:
            continue
        left, top, wide, high = (int(v) for v in stats[number, :4])
        window = np.s_[top : top + high, left : left + wide]
        inside = labels[window] == number
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outline = max(contours, key=cv2.contourArea)
        corners = cv2.boxPoints(cv2.minAreaRect(outline)).astype(np.float64)
        ring = grid.degrees(np.vstack([corners, corners[:1]]) + [left, top])
        sides = sorted(float(v) * grid.gsd_m for v in cv2.minAreaRect(outline)[1])
        filled = area / max(sides[0] * sides[1], 1e-6)
        circle = np.pi * (float(cv2.minEnclosingCircle(outline)[1]) * grid.gsd_m) ** 2
        guess = _guess(sides, filled, area, area / circle, before[window][inside], after[window][inside])
        out.append(ChangedRegion(ring, area, float(contrast[window][inside].mean()), guess))
    return tuple(sorted(out, key=lambda r: -r.rank))


def _guess(sides: list[float], filled: float, area: float, round_: float, was: Pixels, now: Pixels) -> str:
    """By size, outline (shares of its rectangle and of its circle) and smoothness; no model looks at it."""
    if 1.3 <= sides[0] <= 3.2 and 3.0 <= sides[1] <= 7.5 and filled > 0.6:
        return "vehicle"
    rough_was, rough_now = (float(np.asarray(p, np.float32).std(axis=0).mean()) for p in (was, now))
    square = filled > _SQUARE and round_ < _ROUND and sides[0] >= _ROOF_M
    if square and min(rough_was, rough_now) < _ROOF_ROUGH:
        return "building"
    if area > 20 and rough_now < 12 and rough_was > 2 * rough_now:
        return "water"
    if area <= _HEAP_M2 and sides[1] <= _HEAP_LONG * sides[0] and filled > 0.5 and not _grown(was, now):
        return "heap"
    return "unknown"


def _grown(was: Pixels, now: Pixels) -> bool:
    """Leaves that came or went."""
    mean = [np.asarray(p, np.float32).mean(axis=0) for p in (was, now)]
    return any(m[1] > max(m[0], m[2]) and float(2 * m[1] - m[0] - m[2]) > _GREEN * float(m.sum()) for m in mean)
