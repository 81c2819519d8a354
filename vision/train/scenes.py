"""Grouping near-duplicate images into scenes, so that a held-out split is honest.

Frames of one video are nearly the same picture; a random split would put them on both sides and
flatter the model.  Images are one scene when their file names share a video's stem, or when their
difference hashes are close.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.evaluate.dataset import IMAGE_SUFFIXES

VIDEO_FRAME = re.compile(r"^(?P<video>.+?_(?:mp4|avi|mov))[-_]\d+", re.IGNORECASE)
NUMBERED = re.compile(r"^(?P<stem>.*?)(?P<number>\d+)(?:-.*)?$")


HELD_SHARE = 0.18  # of the pictures, by whole scenes


def pictures_below(folder: Path) -> list[Path]:
    """Every picture's path, in order."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


def difference_hash(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """256 bits: whether each of 16×16 cells is brighter than its right neighbour."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    small = cv2.resize(gray, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.asarray(small[:, 1:] > small[:, :-1]).ravel()


def group_scenes(paths: Sequence[Path], *, near_bits: int = 30, neighbour_bits: int = 70) -> list[int]:
    """A scene number per path: same video, hash within ``near_bits``, or consecutive numbers within ``neighbour_bits``.

    Flips and small colour changes of augmented copies stay within ``near_bits`` of 256 except mirrored ones, which
    are compared mirrored as well.
    """
    hashes, mirrored = _hashes(paths)
    parent = list(range(len(paths)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    keys = [_frame_key(p) for p in paths]
    first: dict[str, int] = {}
    for i, (stem, number) in enumerate(keys):
        if number is None:
            parent[find(i)] = find(first.setdefault(stem, i))
    for i in range(len(paths)):
        distance = np.minimum((hashes[i + 1 :] != hashes[i]).sum(1), (mirrored[i + 1 :] != hashes[i]).sum(1))
        for j in (np.flatnonzero(distance <= neighbour_bits) + i + 1).tolist():
            a, b = keys[i], keys[j]
            close = a[0] == b[0] and a[1] is not None and b[1] is not None and abs(a[1] - b[1]) <= 3
            if distance[j - i - 1] <= near_bits or close:
                parent[find(j)] = find(i)
    roots = [find(i) for i in range(len(paths))]
    number_of = {root: n for n, root in enumerate(dict.fromkeys(roots))}
    return [number_of[root] for root in roots]


def split_scenes(scenes: Sequence[int], share: float, seed: int) -> list[bool]:
    """True for held-out images: whole scenes, drawn by ``seed``, until ``share`` of the images is reached.

    With many scenes, none larger than half the share is held out, so that the held-out part has several.
    """
    sizes: dict[int, int] = {}
    for scene in scenes:
        sizes[scene] = sizes.get(scene, 0) + 1
    order = sorted(sizes)
    random.Random(seed).shuffle(order)  # noqa: S311 - reproducible, not a secret
    wanted, taken, held = share * len(scenes), 0, set()
    largest = wanted / 2 if len(sizes) >= 10 else wanted
    for scene in order:
        if taken + sizes[scene] <= wanted + 1 and sizes[scene] <= max(1, largest):
            held.add(scene)
            taken += sizes[scene]
    return [scene in held for scene in scenes]


def divide(paths: Sequence[Path], held_share: float, choose_share: float, seed: int) -> list[str]:
    """``train``, ``choose`` or ``report`` for each picture, whole scenes together.

    ``held_share`` of the pictures are held out; ``choose_share`` of those are for choosing, the others report figures.
    """
    scenes = group_scenes(paths)
    held = split_scenes(scenes, held_share, seed)
    kept = [s for s, h in zip(scenes, held, strict=True) if h]
    chosen = split_scenes(kept, choose_share, seed + 1) if choose_share else [False] * len(kept)
    choosing = {s for s, c in zip(kept, chosen, strict=True) if c}
    return [("choose" if s in choosing else "report") if h else "train" for s, h in zip(scenes, held, strict=True)]


def _frame_key(path: Path) -> tuple[str, int | None]:
    match = VIDEO_FRAME.match(path.stem)
    if match:
        return match["video"], None
    match = NUMBERED.match(path.stem)
    return (match["stem"], int(match["number"])) if match and len(match["number"]) < 9 else (str(path), None)


def _hashes(paths: Sequence[Path]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    plain, mirrored = [], []
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2)
        image = np.zeros((16, 17, 3), np.uint8) if image is None else np.asarray(image, np.uint8)
        plain.append(difference_hash(image))
        mirrored.append(difference_hash(np.ascontiguousarray(image[:, ::-1])))
    return np.asarray(plain), np.asarray(mirrored)
