"""Films without fire on which nothing was chosen: lights on wet streets, and what else glows and moves, drawn in other
ways than :mod:`bench.parts.sight.quiet_films`.

The wet road is a mirror: what stands above its edge is turned over, dimmed, blurred downwards and torn sideways by
ripples that are new in every picture.  Half of the kinds stand on photographs of streets where there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.parts.sight.films import HEIGHT, WIDTH, Picture, backdrop
from bench.parts.sight.quiet_films import encode, scene_of

FPS = 4
Rng = np.random.Generator
Light = tuple[float, float, float, tuple[float, float, float], float]  # x, y, radius, BGR 0…1, strength
Act = Callable[[Picture, float, Rng, Rng], None]  # picture, seconds, the film's dice, the moment's dice
LAMP, SODIUM = (0.7, 0.9, 1.0), (0.15, 0.55, 1.0)
RED, AMBER, GREEN = (0.1, 0.08, 1.0), (0.02, 0.5, 1.0), (0.5, 1.0, 0.3)
HORIZON = 0.55


def lamps_in_rain(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """Three to six street lamps, white or sodium, over a wet road."""
    lights = [
        (rng.uniform(0, WIDTH), rng.uniform(0.08, 0.4) * HEIGHT, rng.uniform(4, 11),
         SODIUM if rng.random() < 0.6 else LAMP, rng.uniform(0.8, 1.4))
        for _ in range(int(rng.integers(3, 7)))
    ]  # fmt: skip
    _wet(picture, lights, rng, now)


def waiting_cars(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """Cars that stand and drive on: two tail lights each, brakes on and off, hazard lights, all mirrored."""
    lights: list[Light] = []
    for _ in range(4):
        x, y, gap, r = rng.uniform(0.05, 0.9) * WIDTH, rng.uniform(0.4, 0.53) * HEIGHT, rng.uniform(16, 60), 0.0
        r, leaves, hazard = gap / 9, rng.uniform(6, 30), rng.random() < 0.3
        x += max(t - leaves, 0.0) * 25
        brake = 1.3 if (t + y) % 7 < 4 else 0.6
        lights += [(x, y, r, RED, brake), (x + gap, y, r, RED, brake)]
        if hazard and t * 1.5 % 1 < 0.5:
            lights += [(x - r, y, r, AMBER, 1.4), (x + gap + r, y, r, AMBER, 1.4)]
    _wet(picture, lights, rng, now)


def beacons(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """A works vehicle's amber beacons and a patrol car's lights; the road and the walls answer."""
    lights: list[Light] = []
    for _ in range(2):
        x, y, turns = rng.uniform(0.1, 0.9) * WIDTH, rng.uniform(0.3, 0.5) * HEIGHT, rng.uniform(0.8, 2.2)
        colour, r = ((1.0, 0.25, 0.1) if rng.random() < 0.3 else AMBER), rng.uniform(4, 9)
        beam = max(0.0, float(np.cos(2 * np.pi * turns * t + x))) ** 3
        lights += [(x, y, r, colour, 0.2 + 1.6 * beam), (x + rng.uniform(-90, 90), y, 70.0, colour, 0.25 * beam)]
    _wet(picture, lights, rng, now)


def signals(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """Traffic lights over a wet crossing, one of them out of order and flashing amber."""
    lights: list[Light] = []
    for number in range(3):
        x, y, r, start = rng.uniform(0, WIDTH), rng.uniform(0.12, 0.4) * HEIGHT, rng.uniform(4, 9), rng.uniform(0, 9)
        turn = int((t + start) / 4) % 3
        if number == 0 and t % 1 < 0.5:
            lights.append((x, y, r, AMBER, 1.4))
        elif number:
            lights.append((x, y + (turn - 1) * 2.4 * r, r, (RED, AMBER, GREEN)[turn], 1.3))
    _wet(picture, lights, rng, now)


def lens_drops(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """Drops on the glass: lamps and sunlit signs become discs that slide and tremble."""
    np.copyto(picture, (picture * 0.5).astype(np.uint8))
    for _ in range(14):
        x, y, r = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(8, 26)
        y = (y + rng.choice([0.0, 0.0, 1.0]) * 9 * t) % HEIGHT
        colour = np.asarray(SODIUM if rng.random() < 0.6 else LAMP) * (60 + 150 * rng.random()) * now.uniform(0.9, 1.1)
        disc = np.zeros_like(picture)
        cv2.circle(disc, (int(x), int(y)), int(r), tuple(float(v) for v in colour), -1, cv2.LINE_AA)
        np.copyto(picture, cv2.add(picture, cv2.GaussianBlur(disc, (0, 0), 2.0)))


def red_coats(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """People in red, orange and yellow who walk, wait and wave: folds and reflecting strips move with them."""
    for _ in range(5):
        tall, y = rng.uniform(60, 190), rng.uniform(0.6, 1.0) * HEIGHT
        pace, start, waits = rng.uniform(-45, 45), rng.uniform(0, WIDTH), rng.uniform(0, 12)
        hue = np.asarray([rng.uniform(0, 50), rng.uniform(20, 190), rng.uniform(190, 255)])
        x = (start + pace * (t - min(max(t - waits, 0.0), 10.0))) % (WIDTH + 160) - 80
        wave = float(np.sin(t * rng.uniform(3, 8)))
        _figure(picture, x, y, tall, wave, hue, strips=rng.random() < 0.5)


def sparks(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """Welding and grinding: a white-blue arc in bursts, a fan of orange sparks, smoke that is lit by it."""
    np.copyto(picture, (picture * 0.6).astype(np.uint8))
    x, y = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.5, 0.8) * HEIGHT
    if (t + rng.uniform(0, 5)) % 5 > 3:
        return
    bright = float(now.uniform(0.3, 1.0))
    _add(picture, (x, y, 45.0, (1.0, 0.8, 0.7), 0.5 * bright))
    _add(picture, (x, y, 5.0, (1.0, 1.0, 1.0), 3 * bright))
    side = 1 if rng.random() < 0.5 else -1
    for _ in range(12):
        far, fall = now.uniform(4, 60), now.uniform(0, 1)
        start = (int(x + side * far), int(y + far * fall * 0.8))
        cv2.line(picture, start, (start[0] + side * 4, start[1] + 3), (90, 190, 255), 1, cv2.LINE_AA)


def vapour(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """Steam from a manhole and a kitchen's vent: white, torn, gone after a few metres; lit by a lamp beside it."""
    x, y = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.6, 0.9) * HEIGHT
    for number in range(9):
        age = (t * 0.6 + number / 9) % 1
        wide = 5 + 26 * age
        _add(picture, (x + 20 * age * np.sin(3 * age + number), y - 60 * age, wide, (1, 1, 1), 0.2 * (1 - age) ** 2))
    _add(picture, (x + 40, y - 80, 7.0, SODIUM, 1.2))


def low_sun(picture: Picture, t: float, rng: Rng, now: Rng) -> None:
    """A low sun over water or wet asphalt: a path of glints that are new in every picture."""
    rise = np.linspace(1, 0, HEIGHT, dtype=np.float32)[:, None, None]
    tint = np.asarray([0.55, 0.75, 1.05], np.float32) * (0.8 + 0.2 * rise)
    np.copyto(picture, np.clip(picture * tint, 0, 255).astype(np.uint8))
    x, y = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.15, 0.4) * HEIGHT
    _add(picture, (x, y, 22.0, (0.6, 0.9, 1.0), 1.6))
    _add(picture, (x, y, 80.0, (0.2, 0.5, 1.0), 0.5))
    for _ in range(60):
        down = now.uniform(HEIGHT * HORIZON, HEIGHT)
        wide = 6 + 0.12 * (down - HEIGHT * HORIZON)
        at = (int(x + now.normal(0, wide)), int(down))
        cv2.ellipse(picture, at, (int(now.integers(2, 7)), 1), 0, 0, 360, (120, 200, 255), -1, cv2.LINE_AA)


ACTS: tuple[Act, ...] = (
    lamps_in_rain, waiting_cars, beacons, signals, lens_drops, red_coats, sparks, vapour, low_sun,
)  # fmt: skip


def pictures(act: Act, scene: Picture, seconds: float, seed: int) -> Iterator[Picture]:
    """``scene`` with ``act``, four pictures a second; the sensor is noisy and the mast sways by half a pixel."""
    now = np.random.default_rng(seed + 5000)
    noise = now.normal(0, 2.5, (6, HEIGHT, WIDTH, 1)).astype(np.float32)
    for step in range(round(seconds * FPS)):
        picture = scene.copy()
        act(picture, step / FPS, np.random.default_rng(seed * 131 + 7), now)
        sway = 0.5 * np.sin(step * 0.9 + np.arange(2))
        held = cv2.warpAffine(picture, np.asarray([[1, 0, sway[0]], [0, 1, sway[1]]]), (WIDTH, HEIGHT), borderMode=1)
        yield np.clip(held + noise[int(now.integers(0, 6))], 0, 255).astype(np.uint8)


def make(folder: Path, photographs: Sequence[Path] = (), seconds: float = 30.0, rounds: int = 1) -> Iterator[Path]:
    """``rounds`` films of every kind, every second one on a photograph where there are any."""
    for turn in range(rounds):
        for number, act in enumerate(ACTS):
            seed = 600 + turn * len(ACTS) + number
            scene = scene_of(photographs, seed) if seed % 2 and photographs else backdrop(seed // 2)
            path = folder / f"wet_{act.__name__}_{seed}.mp4"
            encode(path, pictures(act, scene, seconds, seed))
            yield path


def _wet(picture: Picture, lights: list[Light], rng: Rng, now: Rng) -> None:
    """Night, ``lights``, the road below :data:`HORIZON` as their mirror, and rain."""
    np.copyto(picture, (picture * rng.uniform(0.15, 0.4)).astype(np.uint8))
    for light in lights:
        _add(picture, light)
        _add(picture, (light[0], light[1], 3.5 * light[2], light[3], 0.3 * light[4]))
    edge = int(HEIGHT * HORIZON)
    depth = HEIGHT - edge
    above = cv2.resize(picture[:edge][::-1], (WIDTH, depth), interpolation=cv2.INTER_LINEAR)
    tall = int(rng.integers(20, 60)) | 1
    smear = cv2.blur(above, (3, tall)).astype(np.float32) * rng.uniform(1.0, 2.5)
    rows = np.arange(depth, dtype=np.float32)[:, None]
    torn = now.normal(0, 1.0, (depth // 3 + 1, 1)).repeat(3, 0)[:depth].astype(np.float32)
    across = np.arange(WIDTH, dtype=np.float32)[None] + torn * rng.uniform(1, 5) + 0 * rows
    mirrored = cv2.remap(smear, across, (rows + 0 * across).astype(np.float32), cv2.INTER_LINEAR, borderMode=1)
    broken = now.uniform(0.4, 1.0, (depth // 3 + 1, 1, 1)).repeat(3, 0)[:depth]
    picture[edge:] = np.clip(picture[edge:] * 0.6 + mirrored * broken, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(60, 260))):
        x, y, long = int(now.integers(0, WIDTH)), int(now.integers(0, HEIGHT)), int(now.integers(5, 20))
        cv2.line(picture, (x, y), (x + 1, y + long), (140, 140, 140), 1, cv2.LINE_AA)


def _add(picture: Picture, light: Light) -> None:
    x, y, radius, colour, strength = light
    reach = int(3 * radius) + 2
    x0, y0 = max(0, int(x) - reach), max(0, int(y) - reach)
    x1, y1 = min(WIDTH, int(x) + reach), min(HEIGHT, int(y) + reach)
    if x1 <= x0 or y1 <= y0:
        return
    ys, xs = np.mgrid[y0:y1, x0:x1]
    far = ((xs - x) ** 2 + (ys - y) ** 2) / radius**2
    shine = (strength * np.exp(-far))[..., None] * np.asarray(colour) * 255
    picture[y0:y1, x0:x1] = np.clip(picture[y0:y1, x0:x1] + shine, 0, 255).astype(np.uint8)


def _figure(
    picture: Picture, x: float, y: float, tall: float, wave: float, hue: NDArray[np.float64], *, strips: bool
) -> None:
    wide = tall * 0.26
    top, hip = y - tall * 0.83, y - tall * 0.42
    for side in (-1, 1):
        foot = (int(x + side * wide * (0.25 + 0.2 * wave)), int(y))
        cv2.line(picture, (int(x + side * wide * 0.2), int(hip)), foot, (60, 45, 40), max(2, int(wide * 0.35)))
    torso = np.asarray([[x - wide / 2, top], [x + wide / 2, top], [x + wide * 0.4, hip], [x - wide * 0.4, hip]])
    cv2.fillConvexPoly(picture, torso.astype(np.int32), tuple(float(v) for v in hue), cv2.LINE_AA)
    for fold in range(3):
        at = int(x + wide * (0.3 * np.sin(fold * 2 + wave)))
        cv2.line(picture, (at, int(top + 3)), (at + fold - 1, int(hip)), tuple(float(v) for v in hue * 0.75), 2)
    if strips:
        for share in (0.4, 0.7):
            row = int(top + share * (hip - top))
            cv2.line(picture, (int(x - wide * 0.42), row), (int(x + wide * 0.42), row), (225, 235, 235), 3)
    hand = (int(x + wide), int(top + tall * 0.2 * (1 - wave)))
    sleeve = tuple(float(v) for v in hue * 0.9)
    cv2.line(picture, (int(x + wide * 0.45), int(top + 4)), hand, sleeve, int(wide * 0.25) + 1)
    cv2.circle(picture, (int(x), int(top - tall * 0.08)), max(2, int(tall * 0.075)), (130, 160, 205), -1, cv2.LINE_AA)
