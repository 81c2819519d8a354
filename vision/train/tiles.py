"""Cut-outs of labelled pictures: overlapping tiles, and close-ups of what is labelled."""

from __future__ import annotations

import cv2
import numpy as np

from vision.train.compose import Box
from vision.train.lures import Picture


def tiles(picture: Picture, boxes: list[tuple[int, Box]], side: int) -> list[tuple[Picture, list[tuple[int, Box]]]]:
    """The whole picture, or with ``side`` > 0 overlapping tiles; a box stays where ≥ 60 % of it is inside."""
    h, w = picture.shape[:2]
    if side <= 0 or max(h, w) <= side:
        return [(picture, boxes)]
    out: list[tuple[Picture, list[tuple[int, Box]]]] = []
    for y in _starts(h, side):
        for x in _starts(w, side):
            tile = np.ascontiguousarray(picture[y : y + side, x : x + side])
            out.append((tile, [b for b in (_inside(n, box, x, y, tile, w, h) for n, box in boxes) if b]))
    return out


def close_up(
    scene: Picture, boxes: list[tuple[int, Box]], rng: np.random.Generator
) -> tuple[Picture, list[tuple[int, Box]]]:
    """A square cut-out around one of the boxes, with the boxes that are mostly inside it."""
    h, w = scene.shape[:2]
    _, (cx, cy, bw, bh) = boxes[int(rng.integers(0, len(boxes)))]
    side = int(min(max(max(bw * w, bh * h) * rng.uniform(1.3, 4), 64), h, w))
    x = int(min(max(cx * w - side * rng.uniform(0.3, 0.7), 0), w - side))
    y = int(min(max(cy * h - side * rng.uniform(0.3, 0.7), 0), h - side))
    cut = np.ascontiguousarray(scene[y : y + side, x : x + side])
    inside = [b for b in (_inside(n, box, x, y, cut, w, h) for n, box in boxes) if b]
    if not inside:
        return scene, boxes
    return np.asarray(cv2.resize(cut, (400, 400), interpolation=cv2.INTER_LINEAR), np.uint8), inside


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-(length - side) // (side * 3 // 4)) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _inside(number: int, box: Box, x: int, y: int, tile: Picture, w: int, h: int) -> tuple[int, Box] | None:
    th, tw = tile.shape[:2]
    x0, x1 = (box[0] - box[2] / 2) * w - x, (box[0] + box[2] / 2) * w - x
    y0, y1 = (box[1] - box[3] / 2) * h - y, (box[1] + box[3] / 2) * h - y
    cx0, cx1, cy0, cy1 = max(0.0, x0), min(float(tw), x1), max(0.0, y0), min(float(th), y1)
    if cx1 <= cx0 or cy1 <= cy0 or (cx1 - cx0) * (cy1 - cy0) < 0.6 * (x1 - x0) * (y1 - y0):
        return None
    return number, ((cx0 + cx1) / 2 / tw, (cy0 + cy1) / 2 / th, (cx1 - cx0) / tw, (cy1 - cy0) / th)
