"""Real footage, where YIWANG_REAL_DATA names it: what the algorithms say on clips that nobody drew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vision.judging.offline import Analysis, analyze, as_line

pytestmark = pytest.mark.real_data


def _lines(clip: Path, algorithm: str, **params: Any) -> list[dict[str, Any]]:
    return [as_line(outcome) for outcome in analyze(Analysis(clip=clip, algorithm=algorithm, params=params))]


def test_an_empty_room_is_an_absence_at_the_configured_time(real_data: Path) -> None:
    clip = real_data / "videos/person_then_empty_room.mp4"
    lines = _lines(clip, "absence", after_s=3, min_staff=1)
    assert [line["state"] for line in lines] == ["open", "clear"]
    left_s, returned_s = 13.9, 18.5  # seen frame by frame: she steps out of the picture, he steps in
    assert abs(lines[0]["time_s"] - (left_s + 3)) <= 2
    assert abs(lines[1]["time_s"] - returned_s) <= 2


def test_two_people_are_wanted_and_one_is_there(real_data: Path) -> None:
    lines = _lines(real_data / "videos/person_then_empty_room.mp4", "absence", after_s=3, min_staff=2)
    assert lines
    assert lines[0]["state"] == "open"
    assert lines[0]["time_s"] <= 5.5
    assert "clear" not in {line["state"] for line in lines}


def test_passing_cars_are_nobody(real_data: Path) -> None:
    lines = _lines(real_data / "videos/overhead_cars.mp4", "absence", after_s=2, min_staff=1)
    assert lines
    assert lines[0]["state"] == "open"
    assert lines[0]["time_s"] <= 4.5
