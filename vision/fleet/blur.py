"""Faces and number plates made unrecognisable in evidence, where the district's policy asks for it.

Heads come from MoveNet's keypoints on every person (their box's top when the pose is unsure), plates from the lower
middle of every vehicle: too much is hidden rather than too little.  With a policy, no clips are kept: they are not
transcoded and could not be blurred.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.errors import InputInvalid
from vision.detections import Box, Image
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need
from vision.judging.pose import movenet

_VEHICLES = ("car", "truck", "bus", "motorcycle")
POLICIES = {"faces", "plates"}


class Blur:
    """``policy`` as in the settings: ``faces``, ``plates`` or ``faces,plates``."""

    def __init__(self, policy: str, pool: DetectorPool) -> None:
        self.policy = {p.strip() for p in policy.split(",") if p.strip()}
        if self.policy - POLICIES:
            raise InputInvalid(
                field="YIWANG_VISION_BLUR", detail=f"{policy!r} is not known", how="use faces, plates, or both"
            )
        self._pool = pool
        self._need = Need("nanodet", ("person", *_VEHICLES))

    def apply(self, image: Image) -> Image:
        """A copy with everything hidden that the policy names."""
        seen = self._pool.detect(self._need, [image])[0]
        out = image.copy()
        if "faces" in self.policy:
            people = seen.of("person", confidence=0.25)
            for row in range(len(people)):
                _hide(out, head_of(image, people.box(row)))
        if "plates" in self.policy:
            vehicles = seen.of(*_VEHICLES, confidence=0.25)
            for row in range(len(vehicles)):
                x1, y1, x2, y2 = vehicles.box(row)
                w, h = x2 - x1, y2 - y1
                _hide(out, (x1 + 0.1 * w, y1 + 0.5 * h, x2 - 0.1 * w, y2))
        return out


def head_of(image: Image, box: Box) -> Box:
    """The head's box: around the face's keypoints, else the top quarter of the person."""
    x1, y1, x2, y2 = box
    pose = movenet().look(image, box)
    sure = pose.score[:5] >= 0.3
    top: Box = (x1, y1, x2, y1 + max(0.25 * (y2 - y1), 4.0))
    if sure.sum() < 2:
        return top
    points = pose.points[:5][sure]
    reach = max(float(np.ptp(points[:, 0])), float(np.ptp(points[:, 1])), 0.12 * (y2 - y1)) * 1.2
    x, y = (float(v) for v in points.mean(axis=0))
    return x - reach, y - 1.2 * reach, x + reach, y + 1.2 * reach


def _hide(image: Image, box: Box) -> None:
    """Pixelate in place: eight blocks across, then smoothed."""
    height, width = image.shape[:2]
    x1, y1 = max(int(box[0]), 0), max(int(box[1]), 0)
    x2, y2 = min(int(box[2]) + 1, width), min(int(box[3]) + 1, height)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    small = cv2.resize(image[y1:y2, x1:x2], (6, 6), interpolation=cv2.INTER_AREA)
    image[y1:y2, x1:x2] = cv2.resize(small, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
