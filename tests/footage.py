"""Small films made on the spot, for tests that need a stream or a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def street(width: int = 320, height: int = 240, seed: int = 1) -> Picture:
    """A still scene with structure: blocks of different greys and some colour."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 220, (height // 20, width // 20, 3), np.uint8)
    return np.repeat(np.repeat(small, 20, axis=0), 20, axis=1)


def with_ball(scene: Picture, t: float) -> Picture:
    """The scene with a bright square that moves to and fro."""
    picture = scene.copy()
    x = int((0.5 + 0.4 * np.sin(t)) * (scene.shape[1] - 30))
    picture[100:130, x : x + 30] = 255
    return picture


def write_film(path: Path, pictures: Iterable[Picture], fps: int = 10, gop: int = 10, container: str = "mp4") -> Path:
    """Encode pictures (BGR) as H.264."""
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "g": str(gop), "tune": "zerolatency"})
        stream.pix_fmt = "yuv420p"
        first = True
        for index, picture in enumerate(pictures):
            if first:
                stream.height, stream.width = picture.shape[:2]
                first = False
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def film(path: Path, seconds: float = 4.0, fps: int = 10, draw: Callable[[Picture, float], Picture] = with_ball) -> Path:
    """A film of the street with something that moves."""
    scene = street()
    return write_film(path, (draw(scene, i / fps) for i in range(int(seconds * fps))), fps)
