"""Films for the vision benchmarks, made on the spot: a street sub-stream with a fire now and then.

640×360, 12.5 pictures a second, H.264 with a key frame every two seconds, sensor noise; somebody or something moves on
at most a fifth of the time.  The pictures come from what an installed package ships, and from arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
WIDTH, HEIGHT, FPS, GOP = 640, 360, 12.5, 25


def backdrop(seed: int = 0) -> Picture:
    """A street: the upper part of the photograph that ultralytics ships, mirrored for odd seeds."""
    import ultralytics

    photo: Any = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    part = photo[0:456, :] if seed % 2 == 0 else photo[624:1080, ::-1]
    return np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def flame(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Light of a flame (size × size × 3, BGR 0…1): tongues of fractal noise, hot below, red above."""
    field = np.zeros((size, size), np.float32)
    for octave, weight in ((4, 0.5), (8, 0.3), (16, 0.2)):
        grain = rng.random((octave, octave), np.float32)
        field += weight * cv2.resize(grain, (size, size), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[1 : 0 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    width = 0.75 * (1 - y) ** 0.6 + 0.05
    body = np.clip(1.2 - np.abs(x) / width - 0.35 * y, 0, 1)
    heat = np.clip(body * (0.45 + 1.1 * field), 0, 1)
    return np.stack([np.clip(3 * heat - 2, 0, 1), np.clip(1.8 * heat - 0.55, 0, 1), np.clip(2.6 * heat, 0, 1)], axis=-1)


def pictures(seconds: float, events: list[tuple[float, float]], seed: int = 0) -> Iterator[Picture]:
    """The film's pictures; a flame burns during ``events`` (from, to in seconds)."""
    rng = np.random.default_rng(seed)
    scene = backdrop(seed)
    noise = rng.normal(0, 2.0, (16, HEIGHT, WIDTH, 1)).astype(np.float32)
    for i in range(round(seconds * FPS)):
        now = i / FPS
        picture = scene.astype(np.float32) + noise[int(rng.integers(0, 16))]
        for start, end in events:
            if start <= now < end:
                size = int(110 + 30 * np.sin(now * 3))
                left, top = 360, 340 - size
                part = picture[top : top + size, left : left + size] / 255
                picture[top : top + size, left : left + size] = 255 * (1 - (1 - part) * (1 - flame(size, rng)))
        yield np.clip(picture, 0, 255).astype(np.uint8)


def make(path: Path, seconds: float, events: list[tuple[float, float]], seed: int = 0) -> Path:
    """Encode the film."""
    with av.open(str(path), "w") as out:
        rate = Fraction(25, 2)
        options = {"preset": "veryfast", "g": str(GOP), "bf": "0", "crf": "26"}
        stream = out.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for i, picture in enumerate(pictures(seconds, events, seed)):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = i, Fraction(2, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
