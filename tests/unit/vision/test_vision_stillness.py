"""Frozen although encoded, frozen under a clock, "no video", and what is none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from tests.footage import Picture, street, with_ball
from vision.capture.frames import make_frame, thumbnail
from vision.judging.camera_health import CameraHealth, HealthParams
from vision.judging.stillness import is_no_video

BEGIN = datetime(2026, 11, 28, tzinfo=UTC)
SCENE = street(640, 360)


def noisy(picture: Picture, amount: float, seed: int) -> Picture:
    noise = np.random.default_rng(seed).normal(0, amount, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def encoded(picture: Picture, quality: int) -> Picture:
    """Through an encoder: its noise depends on how much it may spend."""
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def recoded(picture: Picture, seed: int) -> Picture:
    """The same still once more: an encoder spends its bits elsewhere, on some of the pixels."""
    rng = np.random.default_rng(seed)
    there = rng.random(picture.shape[:2]) < 0.15
    return np.clip(picture + there[..., None] * rng.integers(-3, 4, picture.shape), 0, 255).astype(np.uint8)


def clock(picture: Picture, t: float) -> Picture:
    out = picture.copy()
    cv2.rectangle(out, (8, 6), (330, 36), (0, 0, 0), -1)
    words = f"2026-11-28 21:{int(t) // 60:02d}:{int(t) % 60:02d}"
    cv2.putText(out, words, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
    return out


def no_video(colour: tuple[int, int, int], words: str = "NO VIDEO") -> Picture:
    out = np.full((360, 640, 3), colour, np.uint8)
    cv2.putText(out, words, (210, 190), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 3)
    return out


def told(pictures: Callable[[float], Picture], seconds: int = 60, every: int = 1) -> Iterator[tuple[str, str, str]]:
    health = CameraHealth(HealthParams(frozen_s=20, no_video_s=5, over_exposed_s=3600, covered_s=3600))
    for t in range(0, seconds, every):
        frame = make_frame("c", pictures(t), BEGIN + timedelta(seconds=t), float(t), t)
        for f in health.update(frame, float(t)):
            yield f.attributes["state"], f.state, f.attributes["reason"]


STILL = noisy(SCENE, 3, 0)


@pytest.mark.parametrize(
    "pictures",
    [
        lambda t: recoded(STILL, int(t)),
        lambda t: clock(recoded(STILL, int(t)), t),
        lambda t: encoded(STILL, 92) if t > 5 else noisy(with_ball(SCENE, t), 3, int(t)),
    ],
    ids=["noise of the encoder", "a running clock", "after it moved"],
)
def test_a_sensor_that_stands_still_is_frozen(pictures: Callable[[float], Picture]) -> None:
    assert [(s, c) for s, c, _ in told(pictures)] == [("frozen", "open")]


def test_the_running_clock_is_said() -> None:
    assert ["clock" in reason for _, _, reason in told(lambda t: clock(STILL, t))] == [True]


def drawn_anew(t: float, every: int) -> Picture:
    """The same still; each key frame, far apart, draws it a little differently."""
    coarse = np.random.default_rng(int(t) // every).uniform(-1.5, 1.5, (23, 40, 1)).repeat(16, 0).repeat(16, 1)
    return np.clip(STILL + coarse[:360], 0, 255).astype(np.uint8)


def test_key_frames_far_apart_do_not_hide_that_a_sensor_stands_still() -> None:
    found = list(told(lambda t: drawn_anew(t, 12), 80))
    assert [(s, c) for s, c, _ in found] == [("frozen", "open")]


def test_what_moves_now_and_then_before_a_noiseless_camera_is_seen() -> None:
    assert list(told(lambda t: with_ball(SCENE, t // 12) if t % 12 < 2 else SCENE, 120)) == []


@pytest.mark.parametrize("amount", [1.5, 3.0])
def test_an_empty_room_is_not_frozen(amount: float) -> None:
    assert list(told(lambda t: encoded(noisy(SCENE, amount, int(t)), 90), 90)) == []
    assert list(told(lambda t: clock(encoded(noisy(SCENE, amount, int(t)), 90), t), 90)) == []


def test_a_snapshot_a_minute_is_not_frozen_but_one_that_never_changes_again_is() -> None:
    assert list(told(lambda t: noisy(SCENE, 2, int(t) // 300), 3600, 60)) == []
    stopped = list(told(lambda t: noisy(SCENE, 2, min(int(t) // 300, 3)), 7200, 60))
    assert [(s, c) for s, c, _ in stopped] == [("frozen", "open")]


@pytest.mark.parametrize("colour", [(160, 40, 20), (128, 128, 128), (0, 0, 0), (200, 0, 0)])
def test_the_recorders_no_video_is_named_and_is_not_called_frozen(colour: tuple[int, int, int]) -> None:
    found = [(s, c) for s, c, _ in told(lambda t: clock(no_video(colour), t) if t > 4 else noisy(SCENE, 3, int(t)))]
    assert ("no_video", "open") in found
    assert "frozen" not in {s for s, _ in found}


def night() -> Picture:
    out = np.zeros((360, 640, 3), np.float32)
    for x in (100, 260, 430, 560):
        cv2.circle(out, (x, 90), 6, (180, 240, 255), -1)
    return np.clip(cv2.GaussianBlur(out, (0, 0), 9) * 3 + out, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "picture",
    [SCENE, noisy(np.full((360, 640, 3), 150, np.uint8), 3, 1), night(), clock(noisy(night(), 1, 2), 3)],
    ids=["street", "fog", "lamps", "lamps and clock"],
)
def test_what_a_camera_sees_is_not_no_video(picture: Picture) -> None:
    assert not is_no_video(picture, thumbnail(picture))
