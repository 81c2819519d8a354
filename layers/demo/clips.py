"""Video of the demo cameras, made at import: H.264, played in a loop at its own speed.

People are photographs that the installed ultralytics package ships (``assets/bus.jpg``), pasted into a drawn
room; the flame is drawn.  The street is Debian's ``vtest.avi`` where that package is installed, else a slow pan over
the photograph.  Nothing here is a measure of accuracy.
"""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

FPS = 10
WIDTH, HEIGHT = 640, 360
STREET_FOOTAGE = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")  # Debian package opencv-doc
_VERSION = "3"  # raise to have the clips rendered anew

Picture = Any  # np.ndarray of uint8, height × width × 3, BGR


def render_clips(folder: Path, progress: Callable[[str], None] = print) -> list[Path]:
    """``duty_room.mp4``, ``flame.mp4`` and ``street.mp4`` in ``folder``; what stands there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "version"
    fresh = stamp.exists() and stamp.read_text() == _VERSION
    made = []
    for name, frames in (("duty_room", duty_room), ("flame", flame), ("street", street)):
        path = folder / f"{name}.mp4"
        if not (fresh and path.exists()):
            progress(f"demo clip: {name}")
            write_clip(path, frames())
        made.append(path)
    stamp.write_text(_VERSION)
    return made


def write_clip(path: Path, frames: Iterator[Picture], fps: int = FPS) -> None:
    """H.264, yuv420p, a key frame every 2 s, written beside and then moved into place."""
    partial = path.with_suffix(".part.mp4")
    with av.open(str(partial), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "26", "g": str(2 * fps), "bf": "0"}
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    partial.replace(path)


def duty_room(present_s: int = 60, gone_s: int = 30) -> Iterator[Picture]:
    """Two people on duty for ``present_s`` seconds, then an empty room for ``gone_s``."""
    rng = np.random.default_rng(1)
    room = _room()
    people = _people()
    for k in range((present_s + gone_s) * FPS):
        picture = room.copy()
        if k < present_s * FPS:
            sway = int(5 * math.sin(k / 17))
            _paste(picture, people[0], 90 + sway, 92)
            _paste(picture, people[1], 400 - sway, 88)
        yield _noise(rng, picture)


def flame(calm_s: int = 60, fire_s: int = 20) -> Iterator[Picture]:
    """The room without people; then a fire grows on the desk."""
    rng = np.random.default_rng(2)
    drops = random.Random(2)
    room = _room()
    for k in range((calm_s + fire_s) * FPS):
        picture = room.copy()
        age = k - calm_s * FPS
        if age >= 0:
            _burn(picture, drops, 330, 300, min(1.0, 0.35 + age / (fire_s * FPS)))
        yield _noise(rng, picture)


def street() -> Iterator[Picture]:
    """Real footage of pedestrians where installed, else a pan over a photograph of a street."""
    if STREET_FOOTAGE.is_file():
        with av.open(str(STREET_FOOTAGE)) as container:
            for frame in container.decode(video=0):
                yield cv2.resize(frame.to_ndarray(format="bgr24")[72:504], (WIDTH, HEIGHT))
        return
    photograph = _photograph("bus.jpg")
    height, width = photograph.shape[:2]
    crop_h = int(width * HEIGHT / WIDTH)
    for k in range(60 * FPS):
        top = int((height - crop_h) * (0.5 + 0.5 * math.sin(k / 60)))
        yield cv2.resize(photograph[top : top + crop_h], (WIDTH, HEIGHT))


def _photograph(name: str) -> Picture:
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package ultralytics, whose pictures the demo shows, is not installed")
    path = Path(spec.origin).parent / "assets" / name
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(f"the picture {path} is missing or broken: install ultralytics again")
    return picture


def _people() -> list[Picture]:
    """Two standing people cut out of bus.jpg, 240 pixels high."""
    photograph = _photograph("bus.jpg")
    cuts = []
    for x1, y1, x2, y2 in ((48, 396, 246, 906), (212, 404, 346, 862)):
        cut = photograph[y1:y2, x1:x2]
        cuts.append(cv2.resize(cut, (int(240 * cut.shape[1] / cut.shape[0]), 240), interpolation=cv2.INTER_AREA))
    return cuts


def _room() -> Picture:
    """A control room: wall, monitors, cabinets, desk."""
    room = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    room[:] = (176, 182, 184)
    cv2.rectangle(room, (0, 235), (WIDTH, HEIGHT), (120, 128, 132), -1)
    for k in range(6):
        x = 40 + k * 95
        cv2.rectangle(room, (x, 24), (x + 82, 76), (40, 36, 34), -1)
        cv2.rectangle(room, (x + 4, 28), (x + 78, 72), (96 + 12 * (k % 3), 84, 60), -1)
    cv2.rectangle(room, (560, 110), (632, 300), (150, 60, 40), -1)
    for k in range(5):
        cv2.circle(room, (578 + 9 * k, 140), 3, (80, 200, 80), -1)
    cv2.rectangle(room, (200, 290), (520, 302), (70, 96, 126), -1)
    cv2.rectangle(room, (212, 302), (224, 356), (58, 80, 106), -1)
    cv2.rectangle(room, (496, 302), (508, 356), (58, 80, 106), -1)
    return cv2.GaussianBlur(room, (3, 3), 0)


def _paste(picture: Picture, cut: Picture, x: int, y: int) -> None:
    height, width = cut.shape[:2]
    mask = np.zeros((height, width), np.float32)
    cv2.rectangle(mask, (6, 6), (width - 7, height - 7), 1.0, -1)
    mask = cv2.GaussianBlur(mask, (13, 13), 0)[..., None]
    spot = picture[y : y + height, x : x + width]
    spot[:] = (cut * mask + spot * (1 - mask)).astype(np.uint8)


def _burn(picture: Picture, drops: random.Random, x: int, base: int, size: float) -> None:
    picture = picture[base - 240 : base + 40, x - 100 : x + 100]  # a view: the fire stays inside it
    x, base = 100, 240
    glow = np.zeros(picture.shape, np.float32)
    for _ in range(90):
        up = drops.random() ** 1.6
        radius = max(2, int(size * (26 * (1 - up) + 3)))
        centre = (int(x + drops.gauss(0, 16 * size * (1 - up) + 2)), int(base - up * 170 * size))
        colour = (30 + 150 * (1 - up) ** 3, 120 + 120 * (1 - up), 255)
        layer = np.zeros_like(glow)
        cv2.circle(layer, centre, radius, colour, -1)
        glow = np.maximum(glow, layer * drops.uniform(0.7, 1.0))
    glow = cv2.GaussianBlur(glow, (9, 9), 0)
    alpha = np.clip(glow[..., 2:3] / 190, 0, 1)
    picture[:] = (glow * alpha + picture * (1 - alpha)).clip(0, 255).astype(np.uint8)
    for k in range(5):
        haze = (int(x + drops.gauss(0, 22)), max(12, int(base - 190 * size - 22 * k)))
        smoke = picture.copy()
        cv2.circle(smoke, haze, int(18 + 10 * k * size), (92, 92, 94), -1)
        cv2.addWeighted(smoke, 0.18, picture, 0.82, 0, picture)


def _noise(rng: np.random.Generator, picture: Picture) -> Picture:
    """Sensor noise, so that the clip is never taken for a frozen camera."""
    grain = rng.normal(0, 2.5, (HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32)
    grain = cv2.resize(grain, (WIDTH, HEIGHT))[..., None]
    return (picture.astype(np.float32) + grain).clip(0, 255).astype(np.uint8)
