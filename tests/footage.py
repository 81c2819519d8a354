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
    """A still scene with structure: rectangles of different sizes, greys and colours."""
    rng = np.random.default_rng(seed)
    scene = np.full((height, width, 3), 110, np.uint8)
    for _ in range(60):
        x, y = int(rng.integers(0, width - 10)), int(rng.integers(0, height - 10))
        w, h = int(rng.integers(8, width // 3)), int(rng.integers(8, height // 3))
        scene[y : y + h, x : x + w] = rng.integers(30, 220, 3, np.uint8)
    return scene


def with_ball(scene: Picture, t: float) -> Picture:
    """The scene with a bright square that moves to and fro."""
    picture = scene.copy()
    x = int((0.5 + 0.4 * np.sin(t)) * (scene.shape[1] - 30))
    picture[100:130, x : x + 30] = 255
    return picture


def write_film(path: Path, pictures: Iterable[Picture], fps: int = 10, gop: int = 10) -> Path:
    """Encode pictures (BGR) as H.264; the suffix names the container."""
    with av.open(str(path), "w", format="mpegts" if path.suffix == ".ts" else None) as out:
        options = {"preset": "ultrafast", "g": str(gop), "tune": "zerolatency"}
        stream = out.add_stream("libx264", rate=fps, options=options)
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


Draw = Callable[[Picture, float], Picture]


def film(path: Path, seconds: float = 4.0, fps: int = 10, draw: Draw = with_ball) -> Path:
    """A film of the street with something that moves."""
    scene = street()
    return write_film(path, (draw(scene, i / fps) for i in range(int(seconds * fps))), fps)
