"""A made-up flight over textured ground: pictures whose true place differs from what their tags say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.drones.geodesic import offset_of
from ingest.drones.georeference import Pose, ground_offset, place
from ingest.drones.lens import Camera
from ingest.drones.overlap.pictures import SurveyPicture, picture_of
from ingest.drones.overlap.plane import GroundPlane, plane_at
from ingest.drones.view import View

HOME = (125.371, 43.866)
GROUND_M = 0.06  # metres a pixel of the ground's picture
CAMERA = Camera(480, 360, 400.0, 240.0, 180.0)
HEIGHT_M = 30.0


@dataclass(frozen=True)
class Flight:
    pictures: list[SurveyPicture]
    truth: list[Pose]
    plane: GroundPlane
    ground: NDArray[np.uint8]


def ground(seed: int = 1, side: int = 1600) -> NDArray[np.uint8]:
    """Grains at three sizes: enough corners everywhere."""
    random = np.random.default_rng(seed)
    total = np.zeros((side, side, 3), np.float32)
    for grain in (4, 12, 40):
        noise = random.uniform(0, 255, (side // grain, side // grain, 3)).astype(np.float32)
        total += cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) / 3
    return np.asarray(total.clip(0, 255), np.uint8)


def shot(texture: NDArray[np.uint8], pose: Pose, camera: Camera = CAMERA) -> NDArray[np.uint8]:
    """What the camera sees of the ground, whose picture has its middle at HOME."""
    east, north = offset_of(*HOME, pose.lon, pose.lat)
    side = texture.shape[0]
    pixels = np.array([[0, 0], [camera.width, 0], [camera.width, camera.height], [0, camera.height]], np.float32)
    spots = []
    for u, v in pixels:
        offset = ground_offset(camera, pose, float(u), float(v))
        assert offset is not None
        spots.append([(east + offset[0]) / GROUND_M + side / 2, side / 2 - (north + offset[1]) / GROUND_M])
    matrix = cv2.getPerspectiveTransform(np.array(spots, np.float32), pixels)
    return np.asarray(cv2.warpPerspective(texture, matrix, (camera.width, camera.height)), np.uint8)


def flight(
    folder: Path, *, off_m: float = 1.0, yaw_off: float = 2.0, height_off: float = 1.0,
    texture: NDArray[np.uint8] | None = None, dark: int | None = None, rows: int = 2, columns: int = 3,
) -> Flight:  # fmt: skip
    """``height_off``: how many times higher the camera truly was; ``dark``: the picture that is badly exposed."""
    texture = ground() if texture is None else texture
    random = np.random.default_rng(7)
    plane = plane_at(*HOME)
    pictures, truth = [], []
    for number in range(rows * columns):
        east, north = (number % columns - (columns - 1) / 2) * 14, (number // columns - (rows - 1) / 2) * 11
        lon, lat = place(Pose(*HOME, 1, 0, -90), (east, north))
        off = random.normal(0, off_m, 2)
        true = Pose(
            *place(Pose(lon, lat, 1, 0, -90), (off[0], off[1])), HEIGHT_M * height_off,
            float(random.normal(0, yaw_off)), -90,
        )  # fmt: skip
        pixels = shot(texture, true)
        if number == dark:
            pixels = (pixels * 0.6).astype(np.uint8)
        path = folder / f"p{number}.jpg"
        cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
        picture = picture_of(f"{number}:{path.name}", path, View(CAMERA, Pose(lon, lat, HEIGHT_M, 0, -90), 5.0), plane)
        assert picture is not None
        pictures.append(picture)
        truth.append(true)
    return Flight(pictures, truth, plane, texture)
