"""Video of the demo cameras, made at import: H.264, played in a loop at its own speed.

People are photographs that the installed ultralytics package ships (``assets/bus.jpg``), pasted into a drawn
room; the flame is drawn.  The street is Debian's ``vtest.avi`` where that package is installed, else a slow pan over
the photograph.  Nothing here is a measure of accuracy.
"""

from __future__ import annotations

import importlib.util
import math
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
_VERSION = "4"  # raise to have the clips rendered anew

Picture = Any  # np.ndarray of uint8, height × width × 3, BGR
Cut = tuple[Any, Any]  # picture and alpha 0…1, height × width × 1


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
            _paste(picture, people[0], 60 + sway, 8)
            _paste(picture, people[1], 372 - sway, 14)
        yield _noise(rng, picture)


def flame(calm_s: int = 60, fire_s: int = 20) -> Iterator[Picture]:
    """The dim room without people; then a fire grows on the desk."""
    rng = np.random.default_rng(2)
    fire = _Fire(rng)
    room = (_room() * 0.55).astype(np.uint8)
    for k in range((calm_s + fire_s) * FPS):
        picture = room.copy()
        age = k - calm_s * FPS
        if age >= 0:
            fire.draw(picture, 330, 296, min(1.0, 0.45 + age / (8 * FPS)), k)
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


def _people() -> list[Cut]:
    """Two people on duty: one man of bus.jpg, cut out, and his mirror image in another coat."""
    x1, y1, x2, y2 = 34, 375, 260, 920
    photograph = _photograph("bus.jpg")[y1:y2, x1:x2].copy()
    height, width = photograph.shape[:2]

    def part(left: float, right: float, top: float, bottom: float, label: int) -> None:
        mask[int(height * top) : int(height * bottom), int(width * left) : int(width * right)] = label

    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    part(0.2, 0.8, 0.05, 0.97, cv2.GC_PR_FGD)
    part(0.42, 0.58, 0.06, 0.75, cv2.GC_FGD)
    part(0.0, 1.0, 0.0, 0.015, cv2.GC_BGD)
    part(0.0, 0.08, 0.0, 1.0, cv2.GC_BGD)
    part(0.92, 1.0, 0.0, 1.0, cv2.GC_BGD)
    part(0.72, 1.0, 0.75, 1.0, cv2.GC_BGD)  # the pavement beside his feet
    cv2.setRNGSeed(1)
    cv2.grabCut(photograph, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_MASK)
    inside = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)
    alpha = cv2.GaussianBlur(inside, (5, 5), 0)
    darker = (photograph.astype(np.float32) * (0.62, 0.58, 0.52)).astype(np.uint8)
    return [_scaled(photograph, alpha, 345), _scaled(darker[:, ::-1], alpha[:, ::-1], 338)]


def _scaled(picture: Picture, alpha: Picture, height: int) -> Cut:
    size = (int(height * picture.shape[1] / picture.shape[0]), height)
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    return small, cv2.resize(np.ascontiguousarray(alpha), size)[..., None]


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
    return cv2.GaussianBlur(room, (9, 9), 0)


def _paste(picture: Picture, cut: Cut, x: int, y: int) -> None:
    person, alpha = cut
    height, width = person.shape[:2]
    spot = picture[y : y + height, x : x + width]
    spot[:] = (person * alpha + spot * (1 - alpha)).astype(np.uint8)


class _Fire:
    """A procedural flame: turbulence that rises through a cone, coloured like glowing soot."""

    def __init__(self, rng: np.random.Generator, width: int = 200, height: int = 240) -> None:
        self._width, self._height = width, height
        self._noise = []
        for cell in (34, 17, 8):
            small = rng.random((900 // cell + 2, width // cell + 2)).astype(np.float32)
            self._noise.append(cv2.resize(small, (width, 900), interpolation=cv2.INTER_CUBIC))
        self._y, self._x = np.mgrid[0:height, 0:width].astype(np.float32)

    def draw(self, picture: Picture, x: int, base: int, size: float, k: int) -> None:
        """Burn at (``x``, ``base``), ``size`` 0…1, frame ``k``."""
        spot = picture[base - self._height : base, x - self._width // 2 : x + self._width // 2]
        spot = spot[:, : self._width]
        rows = [np.arange(self._height) + speed * k for speed in (9, 14, 21)]
        waves = sum(w * n[np.mod(r, 900)] for w, n, r in zip((0.5, 0.3, 0.2), self._noise, rows, strict=True))
        up = (self._height - self._y) / (self._height * size)
        lean = 14 * np.sin(k / 9 + up * 3) * up
        across = np.abs(self._x - self._width / 2 - lean) / (self._width * 0.30 * size)
        heat = np.clip(1.55 - 1.15 * up - across**2 * (0.8 + up) - 0.95 * (1 - waves), 0, 1)[..., None]
        colour = np.concatenate(
            [np.clip(heat * 2.6 - 1.7, 0, 1), np.clip(heat * 1.9 - 0.35, 0, 1), np.clip(heat * 3.2, 0, 1)], axis=2
        )
        alpha = np.clip(heat * 2.4, 0, 1)
        spot[:] = (255 * colour * alpha + spot * (1 - alpha)).clip(0, 255).astype(np.uint8)
        glow = np.clip(1.0 - np.hypot(self._x - self._width / 2, (self._height - self._y) * 0.42) / 98, 0, 1)
        spot[:] = (spot + glow[..., None] * (10, 40, 80) * size).clip(0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, picture: Picture) -> Picture:
    """Sensor noise, so that the clip is never taken for a frozen camera."""
    grain = rng.normal(0, 2.5, (HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32)
    grain = cv2.resize(grain, (WIDTH, HEIGHT))[..., None]
    return (picture.astype(np.float32) + grain).clip(0, 255).astype(np.uint8)
