"""Every vision plug-in keeps its contract and is documented."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from core import plugins
from core.errors import PluginParamsInvalid
from tests.footage import film, write_film
from vision.capture.frames import make_frame
from vision.detections import empty
from vision.errors import ModelMissing
from vision.judging.detector_pool import DetectorPool
from vision.judging.offline import EPOCH


@pytest.mark.parametrize("kind", plugins.kinds("algorithm"))
def test_every_algorithm_keeps_the_contract(kind: str) -> None:
    module = plugins.load("algorithm", kind)
    assert len((module.__doc__ or "").strip()) > 60, "it says what it does"
    try:
        algorithm = plugins.build("algorithm", kind, {}, zones=(), pool=DetectorPool())
    except ModelMissing as missing:
        pytest.skip(str(missing))
    assert algorithm.kind == kind
    assert all(need.classes for need in algorithm.needs)
    assert all(need.detector in plugins.kinds("detector") for need in algorithm.needs)
    picture = np.full((120, 160, 3), 100, np.uint8)
    nothing = empty(tuple(c for n in algorithm.needs for c in n.classes))
    for i in range(3):
        frame = make_frame("c", picture, EPOCH, i * 0.5, i)
        assert isinstance(algorithm.update(nothing, frame, frame.clock_s), list)
    sights = algorithm.judge(nothing, frame)
    assert sights and all(s.present in (True, False, None) for s in sights)
    algorithm.restore(None)
    with pytest.raises(PluginParamsInvalid):
        plugins.build("algorithm", kind, {"no_such_parameter": 1})


@pytest.mark.parametrize("kind", plugins.kinds("detector"))
def test_every_detector_is_documented(kind: str) -> None:
    assert len((plugins.load("detector", kind).__doc__ or "").strip()) > 40


def test_nanodet_finds_nobody_on_grey_and_takes_any_size() -> None:
    detector = plugins.build("detector", "nanodet", {})
    pictures = [np.full((h, w, 3), 127, np.uint8) for h, w in ((240, 320), (64, 640), (500, 100))]
    found = detector.detect(pictures)
    assert [len(f.of("person", confidence=0.45)) for f in found] == [0, 0, 0]
    assert detector.model.name == "nanodet_coco_416.onnx" and len(detector.model.sha256) == 64


def test_analyze_prints_json_lines_in_video_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = film(tmp_path / "nobody.mp4", seconds=6)
    zone = ["--zone", "0,0", "1,0", "1,1", "0,1"]
    wishes = ["--set", "after_s=3", "--set", "min_staff=1"]
    assert main(["analyze", str(clip), "--algorithm", "absence", "--json", *wishes, *zone]) == 0
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert {"time_s", "kind", "state", "value", "confidence", "zone", "box"} <= set(line)
    assert (line["kind"], line["state"], line["zone"]) == ("absence", "open", "zone1")
    assert abs(line["time_s"] - 3) <= 0.5


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--algorithm", "absense"], "absence"),
        (["--algorithm", "absence", "--set", "min_staf=1"], "min_staff"),
        (["--algorithm", "absence", "--set", "min_staff"], "NAME=VALUE"),
        (["--algorithm", "absence", "--zone", "0,0", "1,1"], "three corners"),
    ],
)
def test_analyze_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    clip = write_film(tmp_path / "x.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3)
    assert main(["analyze", str(clip), *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_analyze_refuses_what_is_not_a_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "x.mp4"
    text.write_text("hello")
    for clip in (text, tmp_path / "missing.mp4"):
        assert main(["analyze", str(clip), "--algorithm", "camera_health"]) == 2
        assert "clip" in capsys.readouterr().err


def test_a_truncated_film_is_analysed_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = film(tmp_path / "a.ts", seconds=8)
    half = tmp_path / "half.ts"
    half.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    arguments = ["analyze", str(half), "--algorithm", "absence", "--json", "--set", "after_s=1"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["state"] == "open"


def test_what_is_not_proven_says_so_and_on_what_it_was_tried() -> None:
    unproven = {kind for kind in plugins.kinds("algorithm") if plugins.about("algorithm", kind).experimental.en}
    assert unproven == {"sleeping", "phone_use", "tidiness"}
    for kind in unproven:
        words = plugins.about("algorithm", kind).experimental
        tried = "168" if kind == "tidiness" else "139"
        assert tried in words.en and tried in words.zh
