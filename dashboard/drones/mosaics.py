"""From a flight's located pictures to one georeferenced picture: laid together, blended, written as a COG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import YiwangError
from ingest.drones.locate import locate_all
from ingest.drones.overlap.adjust import Adjusted, adjust
from ingest.drones.overlap.brightness import gains
from ingest.drones.overlap.matching import Pair, pairs
from ingest.drones.overlap.pictures import SurveyPicture, picture_of, read
from ingest.drones.overlap.plane import GroundPlane, plane_at
from ingest.drones.placed import Located
from ingest.drones.view import view_of
from layers.rasters.mosaic import LaidPicture, MosaicReport, make_mosaic, own_gsd

MOST_PICTURES = 300  # beyond that photogrammetry does it better (standards/10 §5)
_HEIGHTS = 1.3  # times the median height: another flight's picture


class NothingToLay(YiwangError):
    code = "nothing_to_lay"
    message = "none of {files} pictures looks down from a known place"
    remedy = "give pictures with position, height and gimbal angles, at most 20° off the vertical"
    zh = "{files} 张照片都不是从已知位置向下拍的"
    zh_remedy = "请给有位置、高度和云台角度、偏离垂直不超过 20° 的照片"


class TooManyPictures(YiwangError):
    code = "too_many_pictures"
    message = "{files} pictures are more than a quick mosaic takes ({most})"
    remedy = "split the survey, or give it to photogrammetry (NodeODM)"
    zh = "{files} 张照片超过快速拼图的上限（{most}）"
    zh_remedy = "请分批，或交给摄影测量（NodeODM）"


@dataclass(frozen=True)
class Laid:
    """Pictures of a flight on one plane; ``left_out``: file and reason."""

    plane: GroundPlane
    pictures: tuple[SurveyPicture, ...]
    found: tuple[Pair, ...]
    adjusted: Adjusted
    wanted: int
    left_out: tuple[tuple[str, str], ...]


def lay(paths: Sequence[Path], located: Sequence[Located] | None = None) -> Laid:
    """Match and adjust the pictures at ``paths``; what cannot be used is named, the rest goes on.

    Raises:
        NothingToLay: no picture looks down from a known place.
        TooManyPictures: more than :data:`MOST_PICTURES`.
    """
    if len(paths) > MOST_PICTURES:
        raise TooManyPictures(files=len(paths), most=MOST_PICTURES)
    located = located if located is not None else locate_all(paths)
    seen = [(one, path, view) for one, path in zip(located, paths, strict=True) if (view := view_of(one)) is not None]
    left_out = [(one.file, "no_place") for one in located if view_of(one) is None]
    if not seen:
        raise NothingToLay(files=len(paths))
    plane = plane_at(seen[0][2].pose.lon, seen[0][2].pose.lat)
    usual = float(np.median([view.pose.height_m for _, _, view in seen]))
    pictures: list[SurveyPicture] = []
    for number, (one, path, view) in enumerate(seen):
        picture = picture_of(f"{number}:{one.file}", path, view, plane)
        if picture is None:
            left_out.append((one.file, "oblique"))
        elif not usual / _HEIGHTS < view.pose.height_m < usual * _HEIGHTS:
            left_out.append((one.file, "other_height"))
        else:
            pictures.append(picture)
    if not pictures:
        raise NothingToLay(files=len(paths))
    found, unread, wanted = pairs(pictures)
    left_out += [(pictures[index].key.partition(":")[2], "unreadable") for index in sorted(unread)]
    return Laid(plane, tuple(pictures), tuple(found), adjust(pictures, found), wanted, tuple(left_out))


def mosaic(laid: Laid, target: Path, gsd_m: float | None = None) -> tuple[MosaicReport, dict[str, Any]]:
    """Write the COG; its report and the numbers of :func:`quality`, which stand in its tags too."""
    bright = gains(len(laid.pictures), laid.found)
    shown = [
        LaidPicture(p.key, p.size, matrix, _loader(p), float(gain))
        for p, matrix, gain in zip(laid.pictures, laid.adjusted.matrices, bright, strict=True)
    ]
    told = quality(laid)
    report = make_mosaic(
        shown, laid.plane.epsg, target, gsd_m or own_gsd(shown), {f"YIWANG_{k}": v for k, v in told.items()}
    )
    return report, told


def quality(laid: Laid) -> dict[str, Any]:
    """How well the pictures agree: metres, pixels, shares; None where nothing could be matched."""
    a = laid.adjusted
    return {
        "pictures": len(laid.pictures), "pairs": len(laid.found), "pairs_expected": laid.wanted,
        "matches": a.matches, "residual_m": _rounded(a.residual_m), "residual_px": _rounded(a.residual_px),
        "before_m": _rounded(a.before_m), "within_stated": _rounded(a.within), "shift_m": _rounded(a.shift_m),
        "scale": _rounded(a.scale), "unmatched": [laid.pictures[i].key.partition(":")[2] for i in a.alone],
        "left_out": [{"file": file, "reason": why} for file, why in laid.left_out],
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _loader(picture: SurveyPicture) -> Callable[[float], tuple[NDArray[np.uint8], float] | None]:
    return lambda scale: read(picture, max(1, round(max(picture.size) * scale)))
