"""Hard negatives, drawn: lamps, sunsets, high-visibility vests, screens, vehicle lights, cones.

Things that fool flame detectors in the field.  Each function changes a BGR uint8 picture in place and adds
nothing that burns; the training label of such a picture is empty.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Draw = Callable[[Picture, np.random.Generator], None]


def glow(
    picture: Picture, x: float, y: float, radius: float, colour: tuple[float, float, float], strength: float
) -> None:
    """Add light of ``colour`` (BGR, 0…1) around (x, y), falling off over ``radius`` px, saturating in the core."""
    h, w = picture.shape[:2]
    reach = 3.4 * max(radius, 1.0)  # beyond it the light is less than a grey level
    x0, x1 = int(np.clip(x - reach, 0, w)), int(np.clip(x + reach + 1, 0, w))
    y0, y1 = int(np.clip(y - reach, 0, h)), int(np.clip(y + reach + 1, 0, h))
    if x1 <= x0 or y1 <= y0:
        return
    across = np.exp(-(((np.arange(x0, x1, dtype=np.float32) - x) / max(radius, 1.0)) ** 2))
    down = np.exp(-(((np.arange(y0, y1, dtype=np.float32) - y) / max(radius, 1.0)) ** 2))
    light = strength * (down[:, None] * across)[..., None] * np.asarray(colour, np.float32) * 255
    part = picture[y0:y1, x0:x1]
    np.copyto(part, np.clip(part + light, 0, 255).astype(np.uint8))


def lamps(picture: Picture, rng: np.random.Generator) -> None:
    """One to five warm or white lamps with halo."""
    h, w = picture.shape[:2]
    for _ in range(int(rng.integers(1, 6))):
        x, y, r = rng.uniform(0, w), rng.uniform(0, h * 0.8), rng.uniform(0.01, 0.09) * w
        warm = (rng.uniform(0.15, 0.6), rng.uniform(0.5, 0.85), 1.0)
        glow(picture, x, y, r * rng.uniform(1.5, 4), warm, rng.uniform(0.2, 0.7))
        glow(picture, x, y, r * rng.uniform(0.4, 0.9), (0.8, 0.95, 1.0), rng.uniform(1.0, 2.5))


def sunset(picture: Picture, rng: np.random.Generator) -> None:
    """An orange evening sky with clouds and a low sun over the upper part."""
    h, w = picture.shape[:2]
    horizon = int(h * rng.uniform(0.35, 0.8))
    t = np.linspace(0, 1, horizon, dtype=np.float32)[:, None, None]
    top = np.asarray([rng.uniform(90, 170), rng.uniform(60, 120), rng.uniform(60, 160)], np.float32)
    low = np.asarray([rng.uniform(20, 90), rng.uniform(100, 180), rng.uniform(220, 255)], np.float32)
    sky = top * (1 - t) + low * t + np.zeros((horizon, w, 3), np.float32)
    clouds = clouds_field(rng, horizon, w)[..., None]
    sky = np.clip(sky * (0.55 + 0.9 * clouds), 0, 255)
    keep = rng.uniform(0.0, 0.35)
    picture[:horizon] = (sky * (1 - keep) + picture[:horizon] * keep).astype(np.uint8)
    picture[horizon:] = (picture[horizon:] * rng.uniform(0.25, 0.8)).astype(np.uint8)
    x, y, r = rng.uniform(0.1, 0.9) * w, horizon * rng.uniform(0.5, 1.0), rng.uniform(0.02, 0.08) * w
    glow(picture, x, y, r * 4, (0.25, 0.6, 1.0), 0.6)
    glow(picture, x, y, r, (0.75, 0.95, 1.0), 1.6)


def clouds_field(rng: np.random.Generator, h: int, w: int) -> NDArray[np.float32]:
    """Smooth fractal noise, 0…1, shape (h, w)."""
    field = np.zeros((h, w), np.float32)
    for octave in range(5):
        cells = 3 * 2**octave
        noise = rng.random((cells, cells)).astype(np.float32)
        field += np.asarray(cv2.resize(noise, (w, h), interpolation=cv2.INTER_CUBIC), np.float32) / 2**octave
    low, high = float(field.min()), float(field.max())
    return (field - low) / max(high - low, 1e-6)


def vest(picture: Picture, rng: np.random.Generator) -> None:
    """One to three orange or yellow-green vests with reflective stripes."""
    h, w = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        vw, vh = int(rng.uniform(0.03, 0.2) * w), int(rng.uniform(0.06, 0.3) * h)
        x, y = int(rng.integers(0, max(1, w - vw))), int(rng.integers(h // 4, max(h // 4 + 1, h - vh)))
        orange = rng.random() < 0.6
        colour = (
            (rng.uniform(0, 40), rng.uniform(70, 140), 255)
            if orange
            else (rng.uniform(0, 90), 255, rng.uniform(190, 240))
        )
        lean = rng.uniform(-0.15, 0.15) * vw
        body = np.asarray(
            [[x + lean, y], [x + vw + lean, y], [x + vw * 1.05, y + vh], [x - vw * 0.05, y + vh]], np.int32
        )
        layer = picture.copy()
        cv2.fillPoly(layer, [body], colour, cv2.LINE_AA)
        for level in (0.35, 0.65):
            yy = int(y + vh * level)
            cv2.rectangle(layer, (x, yy), (x + vw, yy + max(1, vh // 10)), (225, 230, 230), -1)
        shade = np.linspace(0.6, 1.1, w, dtype=np.float32)[None, :, None]
        changed = (layer != picture).any(2, keepdims=True)
        np.copyto(picture, np.where(changed, np.clip(layer * shade, 0, 255).astype(np.uint8), picture))


def screen(picture: Picture, rng: np.random.Generator) -> None:
    """A bright display or advertisement: gradients, bars and text, often in warm colours."""
    h, w = picture.shape[:2]
    sw, sh = int(rng.uniform(0.08, 0.4) * w), int(rng.uniform(0.06, 0.3) * h)
    x, y = int(rng.integers(0, max(1, w - sw))), int(rng.integers(0, max(1, h - sh)))
    a, b = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    if rng.random() < 0.5:
        a, b = np.asarray([30.0, 90, 255]), np.asarray([60.0, 220, 255])
    t = np.linspace(0, 1, sw, dtype=np.float32)[None, :, None]
    face = (a * (1 - t) + b * t + np.zeros((sh, sw, 3))).astype(np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        x0, y0 = int(rng.integers(0, sw)), int(rng.integers(0, sh))
        colour = tuple(float(v) for v in rng.uniform(0, 255, 3))
        cv2.rectangle(face, (x0, y0), (x0 + sw // 4, y0 + sh // 8), colour, -1)
        cv2.putText(face, "".join(chr(int(c)) for c in rng.integers(65, 91, 5)), (x0 // 2, y0), 0, sh / 80, colour, 1)
    picture[y : y + sh, x : x + sw] = face
    glow(picture, x + sw / 2, y + sh / 2, sw, (0.5, 0.6, 0.7), rng.uniform(0, 0.3))


def vehicle_lights(picture: Picture, rng: np.random.Generator) -> None:
    """Pairs of tail lights, indicators or head lights."""
    h, w = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        x, y, gap, r = (
            rng.uniform(0, w),
            rng.uniform(0.3, 0.95) * h,
            rng.uniform(0.04, 0.2) * w,
            rng.uniform(0.006, 0.03) * w,
        )
        kinds = [(0.1, 0.1, 1.0), (0.05, 0.55, 1.0), (0.95, 1.0, 1.0)]
        colour = kinds[int(rng.integers(0, 3))]
        for side in (-gap / 2, gap / 2):
            glow(picture, x + side, y, r * 3, colour, rng.uniform(0.4, 1.2))
            glow(picture, x + side, y, r, (0.7, 0.85, 1.0), rng.uniform(0.8, 2))


def cones(picture: Picture, rng: np.random.Generator) -> None:
    """Orange traffic cones and barriers."""
    h, w = picture.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        cw, ch = int(rng.uniform(0.02, 0.1) * w) + 3, int(rng.uniform(0.04, 0.18) * h) + 4
        x, y = int(rng.integers(0, max(1, w - cw))), int(rng.integers(h // 3, max(h // 3 + 1, h - ch)))
        colour = (rng.uniform(0, 60), rng.uniform(60, 120), rng.uniform(200, 255))
        cv2.fillPoly(
            picture, [np.asarray([[x + cw // 2, y], [x + cw, y + ch], [x, y + ch]], np.int32)], colour, cv2.LINE_AA
        )
        cv2.rectangle(
            picture, (x + cw // 4, y + ch // 2), (x + 3 * cw // 4, y + ch // 2 + max(1, ch // 6)), (235, 235, 235), -1
        )


def red_cast(picture: Picture, rng: np.random.Generator) -> None:
    """A warm cast over the whole picture (sodium light, dusk, wrong white balance), with a blown-out window."""
    gain = np.asarray([rng.uniform(0.4, 0.8), rng.uniform(0.7, 0.95), rng.uniform(1.0, 1.4)], np.float32)
    np.copyto(picture, np.clip(picture * gain, 0, 255).astype(np.uint8))
    h, w = picture.shape[:2]
    x, y = int(rng.uniform(0, 0.8) * w), int(rng.uniform(0, 0.5) * h)
    picture[y : y + int(0.15 * h), x : x + int(0.12 * w)] = 250


LURES: tuple[Draw, ...] = (lamps, sunset, vest, screen, vehicle_lights, cones, red_cast)


def add_lures(picture: Picture, rng: np.random.Generator) -> None:
    """One to three kinds of lure."""
    for index in rng.choice(len(LURES), size=int(rng.integers(1, 4)), replace=False):
        LURES[int(index)](picture, rng)
