"""Pictures on one plane become one georeferenced picture, block by block, so that memory does not grow with the area.

Each place is shown by the picture whose middle is nearest (it leans least there), with a soft seam: weights are a high
power of the distance from the picture's edge.  Exposure follows the gains that are given.  The file is a COG: tiled,
with overviews and a mask, and how good it is stands in its tags.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputInvalid

BLOCK = 512
MOST_PIXELS = 48_000_000  # of a quick mosaic
MARGIN = 2.0  # pixels of a picture's edge that are not shown
_SEAM = 6  # power of the weight: the higher, the narrower the seam
_HELD = 32 << 20  # bytes of decoded pictures
Matrix = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Load = Callable[[float], tuple[Pixels, float] | None]


@dataclass(frozen=True)
class LaidPicture:
    """A picture with its place.

    ``matrix`` takes its pixels (full size) to metres of the plane; ``load(scale)`` gives BGR at about that scale and
    the scale itself, None when it cannot be read.
    """

    key: str
    size: tuple[int, int]
    matrix: Matrix
    load: Load
    gain: float = 1.0


@dataclass(frozen=True)
class MosaicReport:
    """What was made: metres a pixel, size in pixels, west-south-east-north in metres, pictures that were left out."""

    gsd_m: float
    width: int
    height: int
    bounds: tuple[float, float, float, float]
    used: tuple[str, ...]
    unread: tuple[str, ...]


def lay_out(pictures: Sequence[LaidPicture], gsd_m: float) -> tuple[float, tuple[float, float, float, float]]:
    """The ground resolution that fits :data:`MOST_PIXELS`, and the bounds in metres, whole pixels.

    Raises:
        InputInvalid: no pictures, or an extent that is none (a wrong height, mixed places).
    """
    if not pictures:
        raise InputInvalid(field="pictures", detail="none has a place", how="give pictures with position and height")
    corners = np.concatenate([_corners(p) for p in pictures])
    low, high = corners.min(axis=0), corners.max(axis=0)
    extent = high - low
    if not np.isfinite(extent).all() or gsd_m <= 0 or extent.max() > 50_000:
        raise InputInvalid(
            field="pictures", detail=f"they lie {extent.max():.0f} m apart", how="make one mosaic of each survey"
        )
    gsd = max(gsd_m, float(np.sqrt(extent[0] * extent[1] / MOST_PIXELS)))
    west, south = np.floor(low / gsd) * gsd
    east, north = np.ceil(high / gsd) * gsd
    return gsd, (float(west), float(south), float(east), float(north))


def make_mosaic(
    pictures: Sequence[LaidPicture], epsg: int, target: Path, gsd_m: float, tags: Mapping[str, Any] | None = None
) -> MosaicReport:
    """Write the mosaic as a COG to ``target``; it is there whole or not at all."""
    import rasterio
    from rasterio.shutil import copy
    from rasterio.transform import from_origin

    gsd, bounds = lay_out(pictures, gsd_m)
    width, height = (max(1, round((bounds[k + 2] - bounds[k]) / gsd)) for k in (0, 1))
    to_pixel = np.array([[1 / gsd, 0, -bounds[0] / gsd], [0, -1 / gsd, bounds[3] / gsd], [0, 0, 1]])
    store = _Store(pictures, gsd)
    plain = target.with_name(f".{target.name}.plain.tif")
    part = target.with_name(f".{target.name}.part.tif")
    profile = {
        "driver": "GTiff", "width": width, "height": height, "count": 4, "dtype": "uint8", "tiled": True,
        "blockxsize": 256, "blockysize": 256, "crs": f"EPSG:{epsg}", "compress": "deflate", "zlevel": 1,
        "transform": from_origin(bounds[0], bounds[3], gsd, gsd), "photometric": "RGB", "alpha": "yes",
        "bigtiff": "if_safer",
    }  # fmt: skip
    try:
        with rasterio.open(plain, "w", **profile) as out:
            _paint(out, pictures, to_pixel, store)
            out.update_tags(**{k: str(v) for k, v in (tags or {}).items()})
        copy(
            plain, part, driver="COG", compress="deflate", level=4, blocksize=512, bigtiff="if_safer",
            overview_resampling="average", num_threads=2,
        )  # fmt: skip
        part.replace(target)
    finally:
        plain.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    unread = tuple(p.key for p in pictures if p.key in store.unread)
    used = tuple(p.key for p in pictures if p.key not in store.unread)
    return MosaicReport(gsd, width, height, bounds, used, unread)


def _corners(picture: LaidPicture) -> NDArray[np.float64]:
    width, height = picture.size
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    return np.asarray(cv2.perspectiveTransform(corners, picture.matrix)[0], np.float64)


def _paint(out: Any, pictures: Sequence[LaidPicture], to_pixel: Matrix, store: _Store) -> None:
    from rasterio.windows import Window

    shown = [to_pixel @ p.matrix for p in pictures]
    extents = [cv2.perspectiveTransform(_corners(p)[None], to_pixel)[0] for p in pictures]
    for top in range(0, out.height, BLOCK):
        for left in range(0, out.width, BLOCK):
            wide, high = min(BLOCK, out.width - left), min(BLOCK, out.height - top)
            near = [i for i, e in enumerate(extents) if _touches(e, left, top, wide, high)]
            if not near:
                continue
            block = _blend(near, pictures, shown, (left, top, wide, high), store)
            out.write(block, window=Window(left, top, wide, high))


def _touches(extent: NDArray[np.float64], left: int, top: int, wide: int, high: int) -> bool:
    (x1, y1), (x2, y2) = extent.min(axis=0), extent.max(axis=0)
    return bool(x1 < left + wide and x2 > left and y1 < top + high and y2 > top)


def _blend(
    near: Sequence[int], pictures: Sequence[LaidPicture], shown: Sequence[Matrix], at: tuple[int, int, int, int],
    store: _Store,
) -> Pixels:  # fmt: skip
    """Red, green, blue and alpha of one block."""
    left, top, wide, high = at
    total = np.zeros((high, wide, 3), np.float32)
    weights = np.zeros((high, wide), np.float32)
    for index in near:
        found = store.get(pictures[index])
        if found is None:
            continue
        pixels, scale = found
        matrix = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ shown[index] @ np.diag([1 / scale, 1 / scale, 1])
        weight = cv2.warpPerspective(_weight(pixels.shape[1], pixels.shape[0]), matrix, (wide, high))
        if not weight.any():
            continue
        warped = cv2.warpPerspective(
            pixels, matrix, (wide, high), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        weight **= _SEAM
        total += warped.astype(np.float32) * (weight * pictures[index].gain)[:, :, None]
        weights += weight
    colours = (total / np.maximum(weights, 1e-20)[:, :, None]).clip(0, 255)[:, :, ::-1]
    alpha = np.where(weights > 0, 255, 0)
    return np.concatenate([colours, alpha[:, :, None]], axis=2).astype(np.uint8).transpose(2, 0, 1)


def _weight(width: int, height: int) -> NDArray[np.float32]:
    """1 in the middle of a picture, falling to nought at its edges."""
    x = np.abs((np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1)
    y = np.abs((np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1)
    inside = (x * width < width - 2 * MARGIN)[None] & (y * height < height - 2 * MARGIN)[:, None]
    return np.asarray((1 - np.maximum(x[None], y[:, None])) * inside, np.float32)


class _Store:
    """Decoded pictures at the mosaic's scale, the last used ones."""

    def __init__(self, pictures: Sequence[LaidPicture], gsd: float) -> None:
        self.unread: set[str] = set()
        self._scales = {p.key: min(1.0, _own_gsd(p) / gsd) for p in pictures}
        self._held: OrderedDict[str, tuple[Pixels, float]] = OrderedDict()

    def get(self, picture: LaidPicture) -> tuple[Pixels, float] | None:
        """The picture's pixels and their scale; None when it cannot be read."""
        key = picture.key
        if key in self.unread:
            return None
        if key not in self._held:
            found = picture.load(self._scales[key])
            if found is None:
                self.unread.add(key)
                return None
            self._held[key] = found
            while len(self._held) > 1 and sum(p.nbytes for p, _ in self._held.values()) > _HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return self._held[key]


def _own_gsd(picture: LaidPicture) -> float:
    """Metres a pixel in its middle."""
    middle = np.array(picture.size, np.float64) / 2
    around = np.array([[middle, middle + [1, 0]]])
    a, b = cv2.perspectiveTransform(around, picture.matrix)[0]
    return float(np.hypot(*(b - a)))


def own_gsd(pictures: Sequence[LaidPicture]) -> float:
    """The median ground resolution of the pictures, metres a pixel."""
    return float(np.median([_own_gsd(p) for p in pictures])) if pictures else 0.0
