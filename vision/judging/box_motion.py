"""Boxes that move at a steady speed: the Kalman filter of SORT and ByteTrack, over many boxes at once.

State of a box: centre x and y, width over height, height, and the change of each from picture to picture.  Its noise
grows with the height of the box (a twentieth of it in place, a 160th in speed): Wojke, Bewley and Paulus, "Simple
online and realtime tracking with a deep association metric", 2017, section 2.1, as ByteTrack uses it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEP: Floats = np.eye(8) + np.eye(8, k=4)  # a picture later: place + speed
_PLACE = 1.0 / 20
_SPEED = 1.0 / 160


def measured(xyxy: Floats) -> Floats:
    """Boxes by corners (n, 4) as centre, width over height, height (n, 4)."""
    size = xyxy[:, 2:] - xyxy[:, :2]
    return np.column_stack((xyxy[:, :2] + size / 2, size[:, 0] / size[:, 1], size[:, 1]))


def corners(mean: Floats) -> Floats:
    """Where boxes of these states (n, 8) are, by corners (n, 4)."""
    half = np.column_stack((mean[:, 2] * mean[:, 3], mean[:, 3])) / 2
    return np.hstack((mean[:, :2] - half, mean[:, :2] + half))


def begun(boxes: Floats) -> tuple[Floats, Floats]:
    """States and covariances (n, 8), (n, 8, 8) of boxes (n, 4 as :func:`measured`) seen for the first time: at rest."""
    high = boxes[:, 3]
    place = (2 * _PLACE * high, 2 * _PLACE * high, np.full_like(high, 1e-2), 2 * _PLACE * high)
    speed = (10 * _SPEED * high, 10 * _SPEED * high, np.full_like(high, 1e-5), 10 * _SPEED * high)
    return np.hstack((boxes, np.zeros_like(boxes))), _diagonal(*place, *speed)


def predicted(mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """The same a picture later."""
    high = mean[:, 3]
    place = (_PLACE * high, _PLACE * high, np.full_like(high, 1e-2), _PLACE * high)
    speed = (_SPEED * high, _SPEED * high, np.full_like(high, 1e-5), _SPEED * high)
    return mean @ _STEP.T, _STEP @ covariance @ _STEP.T + _diagonal(*place, *speed)


def corrected(mean: Floats, covariance: Floats, boxes: Floats) -> tuple[Floats, Floats]:
    """States and covariances after ``boxes`` (n, 4 as :func:`measured`) were seen in their place."""
    high = mean[:, 3]
    noise = _diagonal(_PLACE * high, _PLACE * high, np.full_like(high, 1e-1), _PLACE * high)
    seen = covariance[:, :4, :4] + noise
    gain = np.linalg.solve(seen, covariance[:, :4, :]).transpose(0, 2, 1)  # (n, 8, 4); covariances are symmetric
    off = (boxes - mean[:, :4])[:, :, None]
    return mean + (gain @ off)[:, :, 0], covariance - gain @ seen @ gain.transpose(0, 2, 1)


def _diagonal(*deviation: Floats) -> Floats:
    out = np.zeros((len(deviation[0]), len(deviation), len(deviation)))
    rows = np.arange(len(deviation))
    out[:, rows, rows] = np.square(np.column_stack(deviation))
    return out
