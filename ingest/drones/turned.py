"""Copies that a program has turned by 180°: found by comparing neighbours, where the tags alone cannot tell.

Programs that write a picture anew (smaller, rotated upright) keep the gimbal's yaw: the footprint is then upside down.
Between two overlapping pictures of one flight line the ground moves one way by the tags; when it moved the other way in
the pixels, the line's pictures are turned.  Pictures of the camera's own size are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.drones.geodesic import offset_of
from ingest.drones.problems import note

if TYPE_CHECKING:
    from ingest.drones.facts import Attitude
    from ingest.drones.placed import Located

SIDE = 160  # pixels of the copies that are compared
_NADIR = -80.0
_SAME_LINE = 25.0  # degrees of yaw
_NEAR, _FAR = 0.08, 0.6  # of the picture's height: what the ground must have moved
_AROUND = 0.12  # of the side: how far the peak may lie from where the tags put it
_CLEARER = 1.25
_PAIRS, _AGREE = 3, 2


def turned(paths: Sequence[Path], found: Sequence[Located]) -> set[int]:
    """Indices of pictures that were turned by 180°."""
    result: set[int] = set()
    for line in _lines(found):
        if _told(line, paths, found) < 0:
            result |= set(line)
    return result


def _told(line: Sequence[int], paths: Sequence[Path], found: Sequence[Located]) -> int:
    """What the pairs of a line say together: two that agree are enough, of three that say something."""
    votes = seen = 0
    copies: dict[int, Any] = {}
    for first, second in zip(line, line[1:], strict=False):
        shift = _shift(found[first], found[second])
        if shift is None:
            continue
        for index in (first, second):
            if index not in copies:
                copies[index] = _small(paths[index])
        vote = _vote(copies[first], copies[second], shift)
        votes += vote
        seen += vote != 0
        if abs(votes) == _AGREE or seen == _PAIRS:
            break
    return votes


def _lines(found: Sequence[Located]) -> list[list[int]]:
    """Runs of pictures that were written anew and look down with nearly the same yaw."""
    lines: list[list[int]] = []
    last: float | None = None
    for index, located in enumerate(found):
        facts = located.facts
        if facts is None or located.place is None or not facts.resaved or not _down(facts.attitude):
            last = None
            continue
        yaw = _image_yaw(facts.attitude)
        if last is None or abs((yaw - last + 180) % 360 - 180) > _SAME_LINE:
            lines.append([])
        lines[-1].append(index)
        last = yaw
    return [line for line in lines if len(line) > 1]


def _down(attitude: Attitude | None) -> bool:
    return attitude is not None and attitude.pitch <= _NADIR


def _image_yaw(attitude: Attitude | None) -> float:
    return attitude.yaw + attitude.roll if attitude is not None else 0.0


def _shift(first: Located, second: Located) -> tuple[float, float] | None:
    """By which part of its width and height the ground moves from one picture to the next; None if too little."""
    a, b, place = first.facts, second.facts, first.place
    if (
        a is None
        or b is None
        or place is None
        or a.camera is None
        or a.attitude is None
        or (a.width, a.height) != (b.width, b.height)
    ):
        return None
    east, north = offset_of(a.lon or 0.0, a.lat or 0.0, b.lon or 0.0, b.lat or 0.0)
    turn = math.radians(_image_yaw(a.attitude))
    right, up = east * math.cos(turn) - north * math.sin(turn), east * math.sin(turn) + north * math.cos(turn)
    scale = a.camera.focal_px / place.height_m
    moved = -right * scale / a.width, up * scale / a.height
    length = math.hypot(moved[0] * a.width, moved[1] * a.height) / a.height
    return moved if _NEAR < length < _FAR else None


def _small(path: Path) -> Any:
    """A small grey copy, as the file's pixels lie; None when it cannot be decoded."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.draft("L", (SIDE, SIDE))
            return np.asarray(picture.convert("L").resize((SIDE, SIDE)), dtype=np.float32)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def _vote(first: Any, second: Any, shift: tuple[float, float]) -> int:
    """+1: the ground moved as the tags say; −1: it moved the other way; 0: the pictures do not tell."""
    import numpy as np

    if first is None or second is None:
        return 0
    window = _window()
    one, two = (np.fft.rfft2((p - p.mean()) * window) for p in (first, second))
    cross = two * np.conj(one)
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-6), s=(SIDE, SIDE))
    right, down = round(shift[0] * SIDE), round(shift[1] * SIDE)
    there, back = _peak(surface, right, down), _peak(surface, -right, -down)
    if max(there, back) < _CLEARER * min(there, back):
        return 0
    return 1 if there > back else -1


@cache
def _window() -> Any:
    import numpy as np

    return np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)


def _peak(surface: Any, right: int, down: int) -> float:
    reach = round(_AROUND * SIDE)
    rows = [(down + r) % SIDE for r in range(-reach, reach + 1)]
    columns = [(right + c) % SIDE for c in range(-reach, reach + 1)]
    return float(surface[rows][:, columns].max())


def upright(located: Located) -> Located:
    """The same file with its pixels turned by 180° against the tags."""
    facts = located.facts
    if facts is None or facts.attitude is None:
        return located
    attitude = replace(facts.attitude, yaw=(facts.attitude.yaw + 360) % 360 - 180)
    return replace(located, facts=replace(facts, attitude=attitude), notes=(*located.notes, note("turned_copy")))
