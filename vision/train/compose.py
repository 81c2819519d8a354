"""Small flames and plumes put into CCTV-like scenes.

The sets show fires that fill the picture; a camera first sees a small one.  Flames are cut from labelled training
images by their own light and screened onto backgrounds (light adds); plumes are drawn from fractal noise.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.train.lures import Picture, clouds_field, glow

Box = tuple[float, float, float, float]  # cx cy w h, normalised
VISIBLE = 40.0  # grey levels by which a composed flame must stand out from what was there


def flame_light(crop: Picture) -> tuple[NDArray[np.float32], float]:
    """Soft mask (0…1) of what glows like flame in ``crop``, and its share of the crop.

    Flame is bright, red ≥ green ≥ blue, and clearly warm or blown out next to warm pixels.
    """
    b, g, r = (crop[..., i].astype(np.float32) for i in range(3))
    warm = (r > 150) & (r >= g + 8) & (g >= b - 5) & (r - b > 50)
    near = cv2.dilate(warm.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    core = (r > 220) & (g > 190) & near
    mask = (warm | core).astype(np.float32)
    share = float(mask.mean())
    h, w = mask.shape
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    edge = np.clip(2.2 * (1 - np.maximum(np.abs(xx), np.abs(yy))), 0, 1)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.6, min(h, w) / 40)), np.float32)
    return (soft * edge).astype(np.float32), share


def place_flame(scene: Picture, crop: Picture, rng: np.random.Generator, size: float) -> Box | None:
    """Screen the flame of ``crop`` onto ``scene``, its longer side ``size`` × the scene's width; its box, or None."""
    h, w = scene.shape[:2]
    scale = size * w / max(crop.shape[:2])
    small = cv2.resize(crop, None, fx=scale * rng.uniform(0.8, 1.2), fy=scale, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        small = np.ascontiguousarray(small[:, ::-1])
    small = np.asarray(small, np.uint8)[:h, :w]
    alpha, share = flame_light(small)
    if share < 0.12 or min(alpha.shape) < 4:
        return None
    fh, fw = alpha.shape
    x, y = int(rng.integers(0, w - fw + 1)), int(rng.integers(int(h * 0.1), max(int(h * 0.1) + 1, h - fh + 1)))
    y = min(y, h - fh)
    glow(scene, x + fw / 2, y + fh / 2, max(fw, fh) * rng.uniform(1.0, 2.5), (0.2, 0.5, 1.0), rng.uniform(0.05, 0.35))
    if rng.random() < 0.35:  # seen through an opening, as in a window or under a hood
        margin = int(max(fw, fh) * rng.uniform(0.05, 0.5)) + 1
        shade = tuple(float(v) for v in rng.uniform(10, 90, 3))
        cv2.rectangle(scene, (x - margin, y - margin), (x + fw + margin, y + fh + margin // 3), shade, -1)
    part = scene[y : y + fh, x : x + fw].astype(np.float32) / 255
    before = scene.copy()
    light = np.clip(small.astype(np.float32) / 255 * rng.uniform(0.8, 1.25), 0, 1)
    if rng.random() < 0.5:  # at night light adds; by day a flame hides what is behind it
        burning = 1 - (1 - part) * (1 - light * alpha[..., None])
    else:
        cover = alpha[..., None] * rng.uniform(0.6, 1.0)
        burning = part * (1 - cover) + light * cover
    scene[y : y + fh, x : x + fw] = np.clip(burning * 255, 0, 255)
    if _contrast(scene, before, alpha > 0.3, x, y) < VISIBLE:
        np.copyto(scene, before)  # nobody could tell it: as a label it would teach to see what is not there
        return None
    return _box(alpha > 0.3, x, y, w, h)


def _contrast(scene: Picture, before: Picture, mask: NDArray[np.bool_], x: int, y: int) -> float:
    """Mean change of the brightest-changed channel inside ``mask`` at (x, y), in grey levels."""
    h, w = mask.shape
    area = (slice(y, y + h), slice(x, x + w))
    change = np.abs(scene[area].astype(np.float32) - before[area].astype(np.float32)).max(2)
    return float(change[mask].mean()) if mask.any() else 0.0


def place_plume(scene: Picture, rng: np.random.Generator) -> Box | None:
    """Draw a rising plume of smoke, light or dark, over ``scene``; its box, or None when it came out too thin."""
    h, w = scene.shape[:2]
    pw, ph = int(rng.uniform(0.12, 0.7) * w), int(rng.uniform(0.2, 0.9) * h)
    t = np.linspace(1, 0, ph, dtype=np.float32)[:, None]  # 1 at the top
    lean = rng.uniform(-0.3, 0.3)
    across = np.linspace(-0.5, 0.5, pw, dtype=np.float32)[None, :] - lean * t
    width = 0.06 + rng.uniform(0.15, 0.3) * t
    noise = clouds_field(rng, ph, pw)
    envelope = (
        np.exp(-((across + 0.25 * (noise - 0.5)) ** 2) / (2 * width**2))
        * np.clip(4 * (1 - t), 0, 1)
        * np.clip(6 * t + 0.4, 0, 1)
    )
    alpha = np.clip(envelope * (0.35 + 1.1 * noise) * rng.uniform(0.45, 1.1), 0, 0.95).astype(np.float32)
    alpha *= np.clip(8 * np.minimum(np.linspace(0, 1, pw), np.linspace(1, 0, pw)), 0, 1)[None, :].astype(np.float32)
    alpha *= np.clip(6 * np.linspace(0, 1, ph), 0, 1)[:, None].astype(np.float32)
    if float(alpha.max()) < 0.3:
        return None
    x, y = int(rng.integers(0, w - pw + 1)), int(rng.integers(0, h - ph + 1))
    base = rng.uniform(40, 235) if rng.random() < 0.5 else rng.uniform(170, 240)
    tint = np.asarray([base + rng.uniform(-8, 12), base, base + rng.uniform(-8, 8)], np.float32)
    colour = tint * (0.75 + 0.4 * clouds_field(rng, ph, pw)[..., None])
    part = scene[y : y + ph, x : x + pw].astype(np.float32)
    scene[y : y + ph, x : x + pw] = np.clip(part * (1 - alpha[..., None]) + colour * alpha[..., None], 0, 255)
    return _box(alpha > 0.18, x, y, w, h)


def degrade(picture: Picture, rng: np.random.Generator) -> Picture:
    """What a cheap camera does: other aspect, few pixels, blur, noise, night mode (grey), JPEG blocks."""
    h, w = picture.shape[:2]
    aspect = (1.0, 4 / 3, 16 / 9)[int(rng.integers(0, 3))]
    out = np.asarray(cv2.resize(picture, (w, max(32, int(w / aspect))), interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.6:
        few = rng.uniform(0.35, 0.9)
        down = cv2.resize(out, None, fx=few, fy=few, interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(down, (out.shape[1], out.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.15:
        out = np.asarray(cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    out = np.clip(out * rng.uniform(0.6, 1.2) + rng.uniform(-15, 15), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        out = np.clip(out + rng.normal(0, rng.uniform(2, 10), out.shape), 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def _box(mask: NDArray[np.bool_], x: int, y: int, w: int, h: int) -> Box | None:
    ys, xs = np.nonzero(mask)
    if len(xs) < 6:
        return None
    x0, x1, y0, y1 = x + xs.min(), x + xs.max() + 1, y + ys.min(), y + ys.max() + 1
    return (float((x0 + x1) / 2 / w), float((y0 + y1) / 2 / h), float((x1 - x0) / w), float((y1 - y0) / h))
