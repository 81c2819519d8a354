"""Clips, shedding, schedules, blurring."""

from __future__ import annotations

import io
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputInvalid
from core.records import CameraConfig
from tests.footage import film
from vision.capture.camera_thread import CameraCapture
from vision.fleet.blur import Blur
from vision.fleet.load_shedding import HIGH, LEAST_FPS, Demand, Shedder, exhausted, shed, surplus
from vision.judging.arm_schedule import armed_at, check_schedule
from vision.judging.detector_pool import DetectorPool


def test_a_clip_holds_what_was_before_and_after_even_across_a_loop(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", seconds=3)
    capture = CameraCapture(CameraConfig(camera_id="c", name="c", url=f"file://{clip}?loop=1"), lambda: None)
    capture.start()
    try:
        time.sleep(4.0)
        asked = capture.ring.ask(1.0)
        data = asked.result(timeout=5)
    finally:
        capture.halt()
        capture.join(5)
    assert data is not None
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(video=0))
        times = [float(f.time) for f in frames]
    assert times == sorted(times)
    assert 4.0 <= times[-1] - times[0] + 0.1 <= 6.0, "about four seconds before and one after"
    assert len(frames) >= 38


def test_a_clip_of_a_dead_stream_is_none() -> None:
    capture = CameraCapture(CameraConfig(camera_id="c", name="c", url="file:///nowhere.mp4"), lambda: None)
    asked = capture.ring.ask(1.0)
    capture.start()
    assert asked.result(timeout=5) is None
    capture.halt()


# shedding ----------------------------------------------------------------


def test_the_least_important_give_first_and_get_back_last() -> None:
    cameras = {f"c{i}": Demand(2.0, 2.0, priority=i) for i in range(1, 9)}
    assert shed(0.95, cameras) == {"c8": 1.0, "c7": 1.0}
    slowed = {i: Demand(2.0, 0.5 if d.priority > 4 else 2.0, d.priority) for i, d in cameras.items()}
    assert shed(0.3, slowed) == {"c5": 1.0}
    assert shed(0.7, slowed) == {}


def test_fewer_pictures_before_fewer_cameras() -> None:
    some = {"a": Demand(2.0, LEAST_FPS, 1), "b": Demand(2.0, 1.0, 9)}
    assert exhausted(0.99, some) is None
    least = {"a": Demand(2.0, LEAST_FPS, 1), "b": Demand(2.0, LEAST_FPS, 9)}
    assert exhausted(0.99, least) == "b"
    assert exhausted(0.5, least) is None


def test_quiet_cameras_rest_before_anybody_is_slowed() -> None:
    shedder = Shedder()
    cameras = {f"c{i}": Demand(2.0, 2.0, priority=i, quiet=i > 2) for i in range(1, 9)}
    assert shedder.step(0.95, cameras) == {} and shedder.resting
    assert shedder.step(0.95, cameras) == {"c2": 1.0}, "the least important of those where something moves"
    slowed = cameras | {"c2": Demand(2.0, 1.0, 2)}
    assert shedder.step(0.3, slowed) == {"c2": 2.0} and shedder.resting, "speed is given back before rest ends"
    assert shedder.step(0.3, cameras) == {} and not shedder.resting


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3), st.tuples(st.floats(0.1, 10), st.integers(1, 9)), max_size=20
    )
)
def test_shedding_ends_at_the_least_and_recovers_fully(wishes: dict[str, tuple[float, int]]) -> None:
    given_fps = {i: fps for i, (fps, _) in wishes.items()}

    def demands() -> dict[str, Demand]:
        return {i: Demand(fps, given_fps[i], p) for i, (fps, p) in wishes.items()}

    for _ in range(400):
        given_fps |= shed(HIGH + 0.1, demands())
    assert all(given_fps[i] <= max(min(LEAST_FPS, fps), 1e-9) for i, (fps, _) in wishes.items())
    for _ in range(400):
        given_fps |= shed(0.1, demands())
    assert all(given_fps[i] == fps for i, (fps, _) in wishes.items())


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_sharing_out_settles_and_loses_nobody(held: list[int]) -> None:
    total = sum(held)
    for _ in range(400):
        free = 0
        for i in range(len(held)):
            give = surplus(held[i], {str(j): h for j, h in enumerate(held) if j != i})
            held[i] -= give
            free += give
        held[held.index(min(held))] += free
        if not free:
            break
    assert sum(held) == total
    assert max(held) <= -(-total // len(held)) + 1, "nobody holds more than a fair share and one"
    assert all(surplus(held[i], {str(j): h for j, h in enumerate(held) if j != i}) == 0 for i in range(len(held)))


# schedules ---------------------------------------------------------------

NIGHT = {"shifts": [{"days": [1, 2, 3, 4, 5], "from": "20:00", "to": "08:00", "min_staff": 1}]}


@pytest.mark.parametrize(
    ("moment", "armed"),
    [
        ("2026-03-02T21:00+08:00", True),  # Monday evening
        ("2026-03-03T07:59+08:00", True),  # Monday's shift runs into Tuesday
        ("2026-03-03T08:00+08:00", False),
        ("2026-03-07T07:00+08:00", True),  # Friday's shift ends on Saturday
        ("2026-03-07T21:00+08:00", False),  # no shift begins on Saturday
    ],
)
def test_shifts_over_midnight(moment: str, armed: bool) -> None:
    assert armed_at(NIGHT, datetime.fromisoformat(moment)).armed is armed


def test_holidays_have_shifts_of_their_own() -> None:
    schedule = NIGHT | {"holidays": ["2026-03-02"], "holiday_shifts": [{"from": "00:00", "to": "24:00"}]}
    assert armed_at(schedule, datetime.fromisoformat("2026-03-02T12:00+08:00")).armed
    assert not armed_at(schedule, datetime.fromisoformat("2026-03-03T07:00+08:00")).armed


def test_a_suppression_names_reason_and_author() -> None:
    window = {"from": "2026-03-02T08:00+08:00", "to": "2026-03-02T10:00+08:00", "reason": "welding", "author": "u1"}
    state = armed_at({"suppress": [window]}, datetime.fromisoformat("2026-03-02T09:00+08:00"))
    assert not state.armed and "welding" in state.reason and "u1" in state.reason
    assert armed_at({"suppress": [window]}, datetime.fromisoformat("2026-03-02T10:00+08:00")).armed


@pytest.mark.parametrize(
    "schedule",
    [
        {"shift": []},
        {"shifts": [{"from": "25:00"}]},
        {"suppress": [{"from": "2026-01-01T00:00", "to": "2026-01-02T00:00"}]},
        {"suppress": [{"from": "2026-01-02T00:00+08:00", "to": "2026-01-01T00:00+08:00"}]},
        {"timezone": "Mars/Base", "shifts": []},
    ],
)
def test_a_malformed_schedule_is_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid):
        check_schedule(schedule)


# blurring ----------------------------------------------------------------


def photo() -> np.ndarray[Any, np.dtype[np.uint8]]:
    import ultralytics

    image = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    return np.asarray(cv2.resize(image, (486, 648)), np.uint8)


def test_faces_are_hidden_and_the_rest_stays() -> None:
    image = photo()
    hidden = Blur("faces", DetectorPool()).apply(image)
    changed = cv2.absdiff(image, hidden).max(axis=2) > 12
    assert 0.001 < changed.mean() < 0.08
    # detail inside the changed places is gone
    assert cv2.Laplacian(hidden, cv2.CV_64F)[changed].std() < 0.5 * cv2.Laplacian(image, cv2.CV_64F)[changed].std()
    assert not np.array_equal(image, hidden)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InputInvalid):
        Blur("ears", DetectorPool())
