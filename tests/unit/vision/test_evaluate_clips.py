"""Which report belongs to which event, and what an hour of silence proves."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InputInvalid
from vision.evaluate.clips import ClipResult, clip_seconds, clips_summary, judge, read_cases


def test_a_report_belongs_to_the_event_it_falls_into() -> None:
    latencies, false = judge([(10.0, 20.0), (40.0, 50.0)], [12.0, 15.0, 30.0, 49.0])
    assert latencies == [2.0, 9.0]
    assert false == [30.0]


def test_an_early_report_within_the_slack_counts_without_latency() -> None:
    assert judge([(10.0, 20.0)], [9.0]) == ([0.0], [])
    assert judge([(10.0, 20.0)], [7.0]) == ([], [7.0])


def test_a_negative_clip_has_only_false_alarms() -> None:
    assert judge([], [3.0]) == ([], [3.0])


def test_summary_tells_k_of_n_and_the_bound() -> None:
    results = [
        ClipResult("fire.mp4", "flame_smoke", 1800.0, 2, [1.0, 3.0], []),
        ClipResult("lamp.mp4", "flame_smoke", 1800.0, 0, [], [5.0]),
    ]
    found = clips_summary(results)
    assert (found["detected"], found["events"], found["event_recall"]) == (2, 2, 1.0)
    assert found["latency_s"]["p50"] == 2.0
    assert found["false_alarms_per_hour"] == 1.0
    assert found["false_alarms_per_hour_95"] == pytest.approx(4.744, abs=0.001)


def write_clip(path: Path, seconds: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 5, (64, 48))
    for _ in range(seconds * 5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()


def test_cases_are_read_relative_to_the_list(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.avi", 3)
    path = tmp_path / "list.json"
    path.write_text(
        json.dumps([{"clip": "a.avi", "algorithm": "absence", "params": {"after_s": 1}, "events": [[1, 3]]}])
    )
    (case,) = read_cases(path)
    assert case.clip == str(tmp_path / "a.avi")
    assert case.events == [(1, 3)]
    assert clip_seconds(case.clip) == pytest.approx(3, abs=1.0)


@pytest.mark.parametrize(
    "content",
    [
        "[", "{}", '[{"clip": "gone.mp4", "algorithm": "absence", "events": []}]',
        '[{"clip": "a.avi", "algorithm": "absence", "events": [[5, 2]]}]',
        '[{"clip": "a.avi", "algorithm": "absence", "events": [], "colour": 1}]',
    ],
)  # fmt: skip
def test_a_wrong_list_is_refused(tmp_path: Path, content: str) -> None:
    write_clip(tmp_path / "a.avi", 1)
    path = tmp_path / "list.json"
    path.write_text(content)
    with pytest.raises(InputInvalid):
        read_cases(path)
