"""Films without fire, composed: what moves, blinks, sways and glows before a camera and is no flame.

Each film is one still scene (a photograph where there is one, else the street of :mod:`bench.parts.sight.films`), a
trembling and noisy camera, and one or two of ``KINDS`` acting on it, 4 pictures a second.  They are composed, not
filmed: an alarm on one shows a weakness, silence on all of them proves less than as many hours of a real camera
would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from bench.parts.sight.films import HEIGHT, WIDTH, Picture, backdrop
from vision.train.lures import clouds_field, glow, vest

FPS = 4
Rng = np.random.Generator
Act = Callable[[Picture, float, Rng], None]  # draws the moment ``t`` in seconds; the dice are the same for every moment


def walkers(picture: Picture, t: float, rng: Rng) -> None:
    """People crossing and lingering in clothes of any colour, red and orange among them; their limbs move."""
    for _ in range(4):
        tall = int(rng.uniform(50, 150))
        pace, start, y = rng.uniform(-60, 60), rng.uniform(0, WIDTH), rng.uniform(HEIGHT * 0.5, HEIGHT)
        halt = rng.uniform(5, 50)
        coat = (int(rng.integers(0, 90)), int(rng.integers(20, 150)), int(rng.integers(90, 256)))
        legs = tuple(int(v) for v in rng.integers(10, 110, 3))
        stopped = min(max(t - halt, 0), 15)
        x = (start + pace * (t - stopped)) % (WIDTH + 200) - 100
        swing = np.sin(t * 7 + start) * (0.15 if 0 < stopped < 15 else 1)
        sway = 2 * np.sin(t * 1.3 + y)
        _person(picture, x + sway, y, tall, swing, coat, legs)


def _person(picture: Picture, x: float, y: float, tall: int, swing: float, coat: tuple[int, ...],
            legs: tuple[int, ...]) -> None:  # fmt: skip
    wide = tall // 5
    for side in (-1, 1):
        foot = (int(x + side * swing * wide * 0.9), int(y))
        cv2.line(picture, (int(x), int(y - tall * 0.45)), foot, legs, max(2, wide // 2), cv2.LINE_AA)
        hand = (int(x - side * swing * wide), int(y - tall * 0.45))
        cv2.line(picture, (int(x), int(y - tall * 0.8)), hand, coat, max(2, wide // 3), cv2.LINE_AA)
    cv2.ellipse(
        picture, (int(x), int(y - tall * 0.63)), (wide // 2 + 1, int(tall * 0.2)), 0, 0, 360, coat, -1, cv2.LINE_AA
    )
    cv2.circle(picture, (int(x), int(y - tall * 0.91)), max(2, tall // 12), (120, 150, 200), -1, cv2.LINE_AA)


def workers(picture: Picture, t: float, rng: Rng) -> None:
    """High-visibility vests at work: they stay at a place, bend and turn."""
    for _ in range(2):
        own = np.random.default_rng(int(rng.integers(0, 1 << 30)))
        x, y, side = own.uniform(0.1, 0.8), own.uniform(0.4, 0.8), int(own.integers(60, 150))
        dx, dy = 12 * np.sin(t * own.uniform(0.6, 2.5)), 8 * np.sin(t * own.uniform(0.5, 2.0) + 1)
        part = np.full((side, side, 3), 255, np.uint8)
        vest(part, np.random.default_rng(int(own.integers(0, 99))))
        mask = (part != 255).any(2)
        _paste(picture, part, mask, int(x * WIDTH + dx), int(y * HEIGHT + dy))


def traffic(picture: Picture, t: float, rng: Rng) -> None:
    """Night traffic: head lights come, tail and brake lights go, indicators blink."""
    np.copyto(picture, (picture * 0.45).astype(np.uint8))
    for _ in range(4):
        pace, start = rng.uniform(-90, 90), rng.uniform(0, WIDTH)
        y, gap, r = rng.uniform(0.4, 0.9) * HEIGHT, rng.uniform(15, 70), rng.uniform(3, 9)
        waits, blinks = rng.uniform(0, 40), rng.random() < 0.5
        x = (start + pace * (t - min(max(t - waits, 0), 12))) % (WIDTH + 200) - 100
        coming = pace > 0
        colour = (0.95, 1.0, 1.0) if coming else (0.1, 0.15, 1.0)
        if blinks and int(t * 3) % 2:
            glow(picture, x + gap / 2, y, r * 1.5, (0.05, 0.55, 1.0), 2.0)
        braking = 0.7 if coming or waits < t < waits + 12 else 0.4
        for side in (-gap / 2, gap / 2):
            glow(picture, x + side, y, r * 3, colour, braking)
            glow(picture, x + side, y, r, (0.7, 0.85, 1.0), 2 * braking)


def beacon(picture: Picture, t: float, rng: Rng) -> None:
    """Amber beacons and blue-red police lights that turn or flash."""
    for _ in range(2):
        x, y, r = rng.uniform(0, WIDTH), rng.uniform(0.2, 0.9) * HEIGHT, rng.uniform(4, 14)
        turns, police = rng.uniform(0.7, 2.5), rng.random() < 0.4
        phase = np.sin(2 * np.pi * turns * t)
        if phase > -0.2:
            colour = ((0.1, 0.1, 1.0) if phase > 0.5 else (1.0, 0.3, 0.1)) if police else (0.05, 0.55, 1.0)
            glow(picture, x, y, r * 3, colour, 0.7 * (phase + 0.2))
            glow(picture, x, y, r, (0.6, 0.85, 1.0), 1.6 * (phase + 0.2))


def lamp(picture: Picture, t: float, rng: Rng) -> None:
    """Lamps that swing on their wire, and one with a loose contact."""
    np.copyto(picture, (picture * 0.6).astype(np.uint8))
    for number in range(3):
        x, y, r = rng.uniform(0, WIDTH), rng.uniform(0.05, 0.6) * HEIGHT, rng.uniform(5, 25)
        swing, pace, odd = rng.uniform(0, 25), rng.uniform(1, 4), rng.uniform(0, 99)
        bright = 1.0 if number else float(np.random.default_rng(int(t * 4) + int(odd)).choice([0.3, 1.0]))
        x += swing * np.sin(pace * t)
        glow(picture, x, y, r * 3, (0.3, 0.7, 1.0), 0.4 * bright)
        glow(picture, x, y, r * 0.7, (0.8, 0.95, 1.0), 1.8 * bright)


def lanterns(picture: Picture, t: float, rng: Rng) -> None:
    """Red lanterns that sway, and a red flag in the wind."""
    for _ in range(4):
        x, y, r = rng.uniform(0, WIDTH), rng.uniform(0.05, 0.5) * HEIGHT, rng.uniform(8, 26)
        angle = 0.25 * np.sin(t * rng.uniform(1, 2.5) + x)
        at = (int(x + 30 * np.sin(angle)), int(y + 30 * np.cos(angle)))
        cv2.ellipse(picture, at, (int(r), int(r * 0.8)), np.degrees(angle), 0, 360, (25, 35, 225), -1, cv2.LINE_AA)
        glow(picture, *at, r * 0.8, (0.2, 0.55, 1.0), rng.uniform(0.2, 0.9))
    x0, y0, w, h = rng.uniform(0.1, 0.7) * WIDTH, rng.uniform(0.1, 0.5) * HEIGHT, 70, 44
    for column in range(w):
        wave = np.sin(column / 9 - t * 6) * column / 10
        shade = 0.75 + 0.25 * np.cos(column / 9 - t * 6)
        top = int(y0 + wave)
        picture[max(0, top) : top + h, int(x0) + column] = (20 * shade, 30 * shade, 225 * shade)


def screen(picture: Picture, t: float, rng: Rng) -> None:
    """A television or an LED wall: cuts, moving pictures in warm colours, running red text."""
    sw, sh = int(rng.uniform(60, 220)), int(rng.uniform(40, 130))
    x, y = int(rng.integers(0, WIDTH - sw)), int(rng.integers(0, HEIGHT - sh))
    seed, still = int(rng.integers(0, 1 << 30)), rng.uniform(0.8, 4)
    scene = np.random.default_rng(seed + int(t / still))
    low, high = scene.uniform(0, 120, 3), scene.uniform(60, 255, 3)
    field = np.roll(clouds_field(scene, sh, sw), int(t * scene.uniform(-30, 30)), 1)[..., None]
    face = (low + (high - low) * field).astype(np.uint8)
    if scene.random() < 0.5:
        text = "WELCOME  SALE 50%  "
        cv2.putText(face, text * 3, (int(-t * 40) % sw - sw, sh // 2), 0, sh / 90, (20, 60, 255), 2, cv2.LINE_AA)
    picture[y : y + sh, x : x + sw] = face
    glow(picture, x + sw / 2, y + sh / 2, sw * 0.8, (0.6, 0.6, 0.7), 0.15 + 0.1 * float(scene.random()))


def rain(picture: Picture, t: float, rng: Rng) -> None:
    """Rain in the light of a lamp, drops on the glass, lights mirrored on the wet road."""
    now = np.random.default_rng(int(t * FPS) + int(rng.integers(0, 999)))
    np.copyto(picture, (picture * 0.6).astype(np.uint8))
    for _ in range(3):
        x, y = rng.uniform(0, WIDTH), rng.uniform(0.15, 0.4) * HEIGHT
        glow(picture, x, y, 12, (0.5, 0.8, 1.0), 1.5)
        for step in range(8):  # the mirrored light breaks on the ripples
            glow(picture, x + now.normal(0, 3), HEIGHT * 0.65 + step * 12, 7, (0.3, 0.65, 1.0), now.uniform(0.1, 0.6))
    for _ in range(150):
        x, y, length = int(now.integers(0, WIDTH)), int(now.integers(0, HEIGHT)), int(now.integers(6, 18))
        cv2.line(picture, (x, y), (x + 2, y + length), (170, 170, 170), 1, cv2.LINE_AA)


def foliage(picture: Picture, t: float, rng: Rng) -> None:
    """Autumn leaves that tremble in the wind and the sun."""
    for _ in range(160):
        x, y, r = rng.normal(0.7, 0.1) * WIDTH, rng.normal(0.3, 0.12) * HEIGHT, rng.uniform(2, 6)
        colour = np.asarray([rng.uniform(0, 50), rng.uniform(60, 170), rng.uniform(150, 240)])
        wave = np.sin(t * rng.uniform(2, 6) + x)
        at = (int(x + 3 * wave), int(y + 2 * np.cos(t * 3 + y)))
        shade = 0.8 + 0.2 * wave
        cv2.ellipse(picture, at, (int(r), int(r * 0.6)), x % 180, 0, 360, tuple(float(v) for v in colour * shade), -1)


def sunset(picture: Picture, t: float, rng: Rng) -> None:
    """Evening sky with drifting clouds, a low sun, and the sun in a window."""
    horizon = int(HEIGHT * rng.uniform(0.3, 0.6))
    field = clouds_field(rng, horizon, WIDTH * 2)[:, int(t * 2) % WIDTH :][:, :WIDTH, None]
    rise = np.linspace(0, 1, horizon, dtype=np.float32)[:, None, None]
    sky = np.asarray([130.0, 90, 110]) * (1 - rise) + np.asarray([50.0, 140, 245]) * rise
    picture[:horizon] = np.clip(sky * (0.55 + 0.9 * field), 0, 255).astype(np.uint8)
    picture[horizon:] = (picture[horizon:] * 0.5).astype(np.uint8)
    glow(picture, rng.uniform(0, WIDTH), horizon - 10, 30, (0.7, 0.95, 1.0), 1.4 + 0.3 * np.sin(t / 3))
    glow(picture, rng.uniform(0, WIDTH), HEIGHT * 0.75, 10, (0.4, 0.75, 1.0), 1.2 + 0.2 * np.sin(t * 0.7))


def steam(picture: Picture, t: float, rng: Rng) -> None:
    """A little white steam from a vent or an exhaust pipe, gone after a metre."""
    x, y = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.5, 0.9) * HEIGHT
    for number in range(5):
        age = (t * 0.9 + number / 5) % 1
        glow(picture, x + 14 * age * np.sin(number + t), y - 30 * age, 5 + 12 * age, (1.0, 1.0, 1.0), 0.25 * (1 - age))


def jackets(picture: Picture, t: float, rng: Rng) -> None:
    """Red and orange jackets that walk, stop and turn, large and small."""
    for _ in range(4):
        tall, y = int(rng.uniform(40, 200)), rng.uniform(0.55, 1.0) * HEIGHT
        pace, start = rng.uniform(-50, 50), rng.uniform(0, WIDTH)
        red = (int(rng.integers(10, 60)), int(rng.integers(20, 110)), int(rng.integers(170, 256)))
        x = int((start + pace * (t - min(max(t - 5, 0), 6))) % (WIDTH + 200) - 100 + 2 * np.sin(3 * t + start))
        wide = max(3, tall // 5)
        swing = int(0.5 * wide * np.sin(6 * t + start))
        cv2.line(picture, (x, int(y - tall * 0.45)), (x + swing, int(y)), (50, 40, 40), wide // 2 + 1)
        cv2.line(picture, (x, int(y - tall * 0.45)), (x - swing, int(y)), (50, 40, 40), wide // 2 + 1)
        cv2.ellipse(picture, (x, int(y - tall * 0.63)), (wide // 2 + 1, int(tall * 0.2)), 0, 0, 360, red, -1)
        cv2.circle(picture, (x, int(y - tall * 0.91)), max(2, tall // 12), (120, 150, 200), -1)


def welding(picture: Picture, t: float, rng: Rng) -> None:
    """An arc: a blue-white point that flashes at random, its glow on the wall, a few sparks that fall."""
    np.copyto(picture, (picture * 0.7).astype(np.uint8))
    x, y = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.4, 0.8) * HEIGHT
    now = np.random.default_rng(int(t * 100) + int(x))
    bright = now.choice([0.0, 0.5, 1.0, 1.0]) if t % 9 < 6 else 0.0
    glow(picture, x, y, 60, (1.0, 0.85, 0.75), 0.5 * bright)
    glow(picture, x, y, 8, (1.0, 1.0, 1.0), 3.0 * bright)
    for _ in range(int(8 * bright)):
        angle, far = now.uniform(-1.0, 1.0), now.uniform(5, 40)
        at = (int(x + far * angle), int(y + far * (1 - 0.4 * abs(angle))))
        cv2.circle(picture, at, 1, (120, 200, 255), -1)


def traffic_lights(picture: Picture, t: float, rng: Rng) -> None:
    """Two signals at night, red, amber and green in turn, one of them flashing amber."""
    np.copyto(picture, (picture * 0.5).astype(np.uint8))
    for number in range(2):
        x, y, r = rng.uniform(0.1, 0.9) * WIDTH, rng.uniform(0.15, 0.5) * HEIGHT, rng.uniform(3, 9)
        phase = int((t + rng.uniform(0, 9)) / 3) % 3 if number else 1
        if number == 0 and int(2 * t) % 2:
            continue
        colour = ((0.1, 0.1, 1.0), (0.05, 0.6, 1.0), (0.4, 1.0, 0.2))[phase]
        glow(picture, x, y + (phase - 1) * 2.5 * r, r * 3, colour, 0.6)
        glow(picture, x, y + (phase - 1) * 2.5 * r, r, (0.5, 0.8, 1.0) if phase < 2 else (0.8, 1.0, 0.8), 1.6)


KINDS: tuple[Act, ...] = (
    walkers, workers, traffic, beacon, lamp, lanterns, screen, rain, foliage, sunset, steam,
)  # fmt: skip


MORE: tuple[Act, ...] = (jackets, welding, traffic_lights)


def pictures(acts: Sequence[Act], scene: Picture, seconds: float, seed: int) -> Iterator[Picture]:
    """``scene`` with ``acts``; the camera trembles by a pixel, exposure breathes by 2 %, the sensor is noisy."""
    now = np.random.default_rng(seed)
    noise = now.normal(0, 2.0, (8, HEIGHT, WIDTH, 1)).astype(np.float32)
    for step in range(round(seconds * FPS)):
        picture = scene.copy()
        for number, act in enumerate(acts):
            act(picture, step / FPS, np.random.default_rng(seed * 97 + number))
        shift = now.uniform(-0.5, 0.5, 2)
        moved = cv2.warpAffine(picture, np.asarray([[1, 0, shift[0]], [0, 1, shift[1]]]), (WIDTH, HEIGHT), borderMode=1)
        gain = 1 + 0.02 * np.sin(step * 0.37) + now.normal(0, 0.004)
        yield np.clip(moved * gain + noise[int(now.integers(0, 8))], 0, 255).astype(np.uint8)


def make(folder: Path, photographs: Sequence[Path] = (), seconds: float = 60.0, rounds: int = 1) -> Iterator[Path]:
    """``rounds`` films of every kind, each on another scene, every second one with another kind acting as well."""
    for turn in range(rounds):
        for number, act in enumerate(KINDS):
            seed = turn * len(KINDS) + number
            other = KINDS[(number + turn) % len(KINDS)]
            acts = [act] if turn % 2 == 0 or other is act else [act, other]
            path = folder / f"quiet_{'_'.join(a.__name__ for a in acts)}_{seed}.mp4"
            encode(path, pictures(acts, scene_of(photographs, seed), seconds, seed))
            yield path


def scene_of(photographs: Sequence[Path], seed: int) -> Picture:
    if not photographs:
        return backdrop(seed)
    photo = cv2.imread(str(photographs[seed * 7 % len(photographs)]), cv2.IMREAD_COLOR)
    if photo is None:
        return backdrop(seed)
    return np.asarray(cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def encode(path: Path, film: Iterator[Picture]) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(FPS), options={"preset": "veryfast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in film:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))


def _paste(
    picture: Picture, part: Picture, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], x: int, y: int
) -> None:
    h, w = part.shape[:2]
    x0, y0, x1, y1 = max(0, x), max(0, y), min(WIDTH, x + w), min(HEIGHT, y + h)
    if x1 <= x0 or y1 <= y0:
        return
    cut = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
    picture[y0:y1, x0:x1][mask[cut]] = part[cut][mask[cut]]
