"""Real footage: states are right at the right time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import main


@pytest.mark.real_data
@pytest.mark.parametrize(("after_s", "opens"), [(3, 16.8), (2, 15.8)])
def test_absence_within_two_seconds(
    real_data: Path, capsys: pytest.CaptureFixture[str], after_s: int, opens: float
) -> None:
    """People leave at 13.8 s and the next one is in the picture from 18.6 s on (read from the frames)."""
    clip = real_data / "videos" / "person_then_empty_room.mp4"
    wishes = ["--set", f"after_s={after_s}", "--set", "min_staff=1"]
    assert main(["analyze", str(clip), "--algorithm", "absence", "--json", *wishes]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["open", "clear"]
    assert abs(lines[0]["time_s"] - opens) <= 2
    assert abs(lines[1]["time_s"] - 18.6) <= 2


@pytest.mark.real_data
@pytest.mark.parametrize("clip", ["person_then_empty_room.mp4", "overhead_cars.mp4"])
def test_no_fire_where_there_is_none(real_data: Path, capsys: pytest.CaptureFixture[str], clip: str) -> None:
    assert main(["analyze", str(real_data / "videos" / clip), "--algorithm", "flame_smoke", "--json"]) == 0
    assert capsys.readouterr().out == ""
