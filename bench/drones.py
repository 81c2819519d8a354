"""Drones: aircraft on the page, tags beside exiftool, a survey's mosaic beside OpenCV's own stitcher (SCANS).

    python -m bench drones --json            # 50 simulated aircraft at 2 Hz
    python -m bench drones FOLDER            # JPEGs of one survey: tags, mosaic and a folder of 100 large ones, too

Prints CPU seconds, success, residual of matches that were kept out of the adjustment, and geometry: the pictures'
middles are found again in each product, laid on the receiver's positions by one similarity (turn, scale, shift), and
the RMS that is left is told.  Ours leans on those positions, the stitcher knows none: read it with that in mind.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.parts.aircraft import flown
from bench.parts.folder import folder
from bench.parts.tags import tags
from core.errors import InputInvalid
from dashboard.drones.mosaics import Laid, lay, mosaic
from ingest.drones.overlap.pictures import read
from ingest.drones.overlap.plane import applied

SIDE = 1000  # pixels at which middles are looked for
LEAST = 20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", help="JPEGs of one survey: tags and mosaic are measured, too")
    parser.add_argument("--photos", type=int, default=100, help="a folder of so many is made; 0: none")
    parser.add_argument("--wait", type=float, default=300.0, help="seconds after the last byte at most")
    parser.add_argument("--times", type=int, default=6, help="so often the folder's tags are read")
    parser.add_argument("--aircraft", type=int, default=50, help="0: none fly")
    parser.add_argument("--hz", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=20.0)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of what was asked for."""
    told: dict[str, Any] = {}
    if args.aircraft:
        told["aircraft"] = flown(args.aircraft, args.hz, args.seconds)
    if args.folder is None:
        return told
    paths = sorted(p for p in args.folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
    if not paths:
        raise InputInvalid(field=str(args.folder), detail="holds no JPEG", how="name a folder with a survey's pictures")
    if args.photos:
        told["folder"] = folder(paths, args.photos, args.wait)
    return {**told, "tags": tags(paths * args.times), **measure(paths)}


def measure(paths: Sequence[Path]) -> dict[str, Any]:
    """Both, one after the other."""
    start = time.process_time()
    laid = lay(paths)
    with tempfile.TemporaryDirectory() as folder:
        report, told = mosaic(laid, Path(folder) / "m.tif")
        ours = time.process_time() - start
    middles = np.array(
        [
            applied(m, np.array([p.size], np.float64) / 2)[0]
            for p, m in zip(laid.pictures, laid.adjusted.matrices, strict=True)
        ]
    )
    return {
        "pictures": len(paths),
        "ours": {
            "cpu_s": round(ours, 1), "size": [report.width, report.height], **told,
            "middles_rms_m": _laid_on(middles, _below(laid)),
        },
        "stitcher": _stitcher(laid),
    }  # fmt: skip


def _below(laid: Laid) -> NDArray[np.float64]:
    """Where the receiver says that the cameras were; nadir pictures show that in their middle."""
    return np.array([p.below for p in laid.pictures])


def _stitcher(laid: Laid) -> dict[str, Any]:
    pictures = [found[0] for p in laid.pictures if (found := read(p)) is not None]
    start = time.process_time()
    status, panorama = cv2.Stitcher.create(cv2.Stitcher_SCANS).stitch(pictures)
    took = round(time.process_time() - start, 1)
    if status != cv2.Stitcher_OK:
        return {"cpu_s": took, "status": int(status), "georeferenced": False}
    where = [_middle_in(panorama, picture) for picture in pictures]
    seen = [i for i, at in enumerate(where) if at is not None]
    spots = np.array([where[i] for i in seen], np.float64) * [1, -1]
    return {
        "cpu_s": took, "status": 0, "size": list(panorama.shape[1::-1]), "georeferenced": False,
        "pictures_found_again": len(seen), "middles_rms_m": _laid_on(spots, _below(laid)[seen]),
    }  # fmt: skip


def _middle_in(panorama: NDArray[np.uint8], picture: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Where the picture's middle lies in the panorama; None when it is not found."""
    sift: Any = cv2.SIFT_create(4000)  # type: ignore[attr-defined]  # OpenCV 5 has it, its stubs do not
    scale = min(1.0, SIDE / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    wide = cv2.resize(panorama, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    keys, marks = sift.detectAndCompute(small, None)
    others, other_marks = sift.detectAndCompute(wide, None)
    if marks is None or other_marks is None:
        return None
    good = [
        f[0]
        for f in cv2.BFMatcher().knnMatch(marks, other_marks, k=2)
        if len(f) == 2 and f[0].distance < 0.75 * f[1].distance
    ]
    if len(good) < LEAST:
        return None
    here = np.array([keys[m.queryIdx].pt for m in good])
    there = np.array([others[m.trainIdx].pt for m in good])
    matrix, mask = cv2.findHomography(here, there, cv2.USAC_MAGSAC, 3.0)
    if matrix is None or int(mask.sum()) < LEAST:
        return None
    middle = applied(matrix, np.array([[small.shape[1] / 2, small.shape[0] / 2]]))[0] / scale
    return float(middle[0]), float(middle[1])


def _laid_on(spots: NDArray[np.float64], truth: NDArray[np.float64]) -> float | None:
    """RMS in metres after the best similarity; None with fewer than three."""
    if len(spots) < 3:
        return None
    one, two = (spots - spots.mean(axis=0)) @ [1, 1j], (truth - truth.mean(axis=0)) @ [1, 1j]
    turn = np.vdot(one, two) / np.vdot(one, one)
    return round(float(np.sqrt(np.mean(np.abs(two - turn * one) ** 2))), 2)
