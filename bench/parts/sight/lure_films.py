"""Films without any fire that look like one: flickering lamps, sunsets, vests, screens, vehicle lights, cones.

Drawn on the street of :mod:`bench.parts.sight.films`; every lure moves or flickers as in life, 4 pictures a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bench.parts.sight.films import HEIGHT, WIDTH, Picture, backdrop
from vision.train.lures import LURES

FPS = 4


def pictures(kind: int, seconds: float, seed: int) -> Iterator[Picture]:
    """Pictures of lure ``kind`` (an index of ``LURES``), drawn with the same dice in every picture so that it stays.

    The light of the whole picture flickers a little, the camera trembles, and every four seconds the lure moves on.
    """
    rng = np.random.default_rng(seed)
    scene = backdrop(seed)
    for step in range(round(seconds * FPS)):
        picture = np.roll(scene, (int(rng.integers(-1, 2)), int(rng.integers(-1, 2))), (0, 1)).copy()
        LURES[kind](picture, np.random.default_rng(seed * 1000 + step // (4 * FPS)))
        gain = 1 + 0.06 * np.sin(step * 2.1) + rng.normal(0, 0.02)
        yield np.clip(picture * gain + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def make(folder: Path, seconds: float = 20.0, seed: int = 0) -> list[Path]:
    """One film per kind of lure."""
    paths = []
    for kind, draw in enumerate(LURES):
        path = folder / f"lure_{draw.__name__}_{seed}.mp4"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=Fraction(FPS), options={"preset": "veryfast", "crf": "24"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for picture in pictures(kind, seconds, seed):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            out.mux(stream.encode(None))
        paths.append(path)
    return paths
