"""Pictures as matching needs them: read small, straightened, with the homography that their tags give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.drones.lens import Camera
from ingest.drones.overlap.plane import GroundPlane, Points, applied
from ingest.drones.view import View

STEEP = -70.0  # degrees of pitch: flatter pictures lean too far for a plane (standards/10 §5)
_GRID = 5


@dataclass(frozen=True)
class SurveyPicture:
    """A picture to be laid on the plane.  ``prior``: its straightened pixels → metres, by its own tags; ``below``: the
    ground below the camera."""

    key: str
    path: Path
    view: View
    prior: NDArray[np.float64]
    below: NDArray[np.float64]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.view.camera.width, self.view.camera.height

    def outline(self, matrix: NDArray[np.float64] | None = None) -> Points:
        """The corners on the plane, from the upper left, clockwise."""
        width, height = self.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        return applied(self.prior if matrix is None else matrix, corners)


def picture_of(key: str, path: Path, view: View, plane: GroundPlane) -> SurveyPicture | None:
    """None for a view that is too oblique to lie on a plane."""
    if view.pose.pitch > STEEP:
        return None
    width, height = view.camera.width, view.camera.height
    pixels = np.array([(u, v) for u in np.linspace(0, width, _GRID) for v in np.linspace(0, height, _GRID)])
    ideal = _without_lens(view.camera)
    straight = View(ideal, view.pose, view.uncertainty_m)
    ground = [straight.ground(float(u), float(v)) for u, v in pixels]
    if any(at is None for at in ground):
        return None
    metres = plane.metres(np.array([at for at in ground if at is not None], np.float64))
    middle = metres.mean(axis=0)  # numbers near nought: the fit stays exact
    matrix, _ = cv2.findHomography(pixels, metres - middle)
    below = plane.metres(np.array([[view.pose.lon, view.pose.lat]]))[0]
    return SurveyPicture(key, path, view, _shifted(middle) @ np.asarray(matrix, np.float64), below)


def read(
    picture: SurveyPicture, longest: int | None = None, grey: bool = False
) -> tuple[NDArray[np.uint8], float] | None:
    """Pixels as the file has them (no turning), straightened where the lens is known; and by how much it was scaled.

    None when the file cannot be decoded.
    """
    width, height = picture.size
    most = max(width, height)
    reduced = 1
    while longest is not None and most / (reduced * 2) >= longest and reduced < 8:
        reduced *= 2
    pixels = cv2.imread(str(picture.path), _flags(reduced, grey))
    if pixels is None:
        return None
    scale = min(1.0, (longest or most) / most)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    if (pixels.shape[1], pixels.shape[0]) != target:
        pixels = cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)
    return _straightened(np.asarray(pixels, np.uint8), picture.view.camera, target[0] / width), target[0] / width


def _flags(reduced: int, grey: bool) -> int:
    which = {
        1: (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE),
        2: (cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
        4: (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
        8: (cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    }
    return int(which[reduced][grey]) | int(cv2.IMREAD_IGNORE_ORIENTATION)


def _without_lens(camera: Camera) -> Camera:
    return Camera(camera.width, camera.height, camera.focal_px, camera.cx, camera.cy)


def _straightened(pixels: NDArray[np.uint8], camera: Camera, scale: float) -> NDArray[np.uint8]:
    bent = camera.distortion
    if bent is None:
        return pixels
    focal, cx, cy = camera.focal_px * scale, camera.cx * scale, camera.cy * scale
    matrix: Any = np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1]])
    return np.asarray(cv2.undistort(pixels, matrix, np.array([bent.k1, bent.k2, bent.p1, bent.p2, bent.k3])), np.uint8)


def _shifted(by: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([[1, 0, by[0]], [0, 1, by[1]], [0, 0, 1]], np.float64)
