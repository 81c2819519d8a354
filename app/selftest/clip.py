"""The self-test's clip: people in a room, then nobody; composed from a picture that the ultralytics package ships."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 480, 10
PRESENT_S, ABSENT_S = 14, 16


def compose(path: Path) -> Path:
    """Write an H.264 clip to ``path``: ``PRESENT_S`` seconds with people, ``ABSENT_S`` without; it may be looped."""
    room = _room()
    people = room.copy()
    picture = _people_picture()
    people[HEIGHT - picture.shape[0] :, 40 : 40 + picture.shape[1]] = picture
    noise = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23"}
        for number in range((PRESENT_S + ABSENT_S) * FPS):
            base = people if number < PRESENT_S * FPS else room
            # A sensor's noise: a picture without any would count as frozen.
            grain = noise.normal(0, 4, base.shape)
            image = np.clip(base + grain, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def _people_picture() -> NDArray[np.uint8]:
    """Whole people from the package's street picture, scaled to the room."""
    spec = find_spec("ultralytics")
    assert spec is not None and spec.origin is not None  # ultralytics is a pinned requirement
    picture = cv2.imread(str(Path(spec.origin).parent / "assets" / "bus.jpg"))
    assert picture is not None
    crop = picture[380:1000, 20:420]
    scale = 420 / crop.shape[0]
    return np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _room() -> NDArray[np.float64]:
    """A plain room: wall, floor, a desk and a panel cabinet."""
    room = np.full((HEIGHT, WIDTH, 3), (168, 176, 180), dtype=np.uint8)
    cv2.rectangle(room, (0, 340), (WIDTH, HEIGHT), (96, 104, 112), -1)
    cv2.rectangle(room, (430, 120), (560, 330), (60, 60, 150), -1)
    for row in range(4):
        for column in range(4):
            cv2.circle(room, (455 + 27 * column, 150 + 30 * row), 6, (60, 200, 60), -1)
    cv2.rectangle(room, (360, 320), (620, 345), (50, 80, 110), -1)
    return room.astype(np.float64)
