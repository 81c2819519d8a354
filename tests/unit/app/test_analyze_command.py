"""``python -m app analyze`` as a newcomer meets it: clear errors, damaged and odd clips, zones, what was read."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.cli import main
from tests.footage import film, street, write_film
from vision.capture.clips import read_clip, upright
from vision.errors import ClipInvalid


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clips") / "street.mp4", seconds=6)


@pytest.mark.parametrize(
    ("wishes", "word"),
    [
        (["--algorithm", "absense"], "absence, camera_health"),
        (["--algorithm", "_base"], "no algorithm called"),
        (["--algorithm", "absence", "--set", "after=3"], "'after'"),
        (["--algorithm", "absence", "--set", "after_s=soon"], "after_s"),
        (["--algorithm", "absence", "--set", "after_s=-1"], "after_s"),
        (["--algorithm", "absence", "--set", "after_s=NaN"], "after_s"),
        (["--algorithm", "absence", "--set", "after_s=1e400"], "after_s"),
        (["--algorithm", "absence", "--set", "after_s"], "NAME=VALUE"),
        (["--algorithm", "crowding", "--set", "confidence=7"], "confidence"),
        (["--algorithm", "camera_health", "--set", "black_s=-5"], "black_s"),
        (["--algorithm", "absence", "--fps", "0"], "--fps"),
        (["--algorithm", "absence", "--fps", "nan"], "--fps"),
        (["--algorithm", "absence", "--zone", "0,0", "1,0"], "zone1"),
        (["--algorithm", "absence", "--zone", "0,0", "1,0", "1,x"], "x,y"),
        (["--algorithm", "absence", "--zone", "0,0", "2,0", "1,1"], "outside"),
        (["--algorithm", "absence", "--zone", "0.1,0.1", "0.2,0.2", "0.3,0.3"], "no area"),
        (["--algorithm", "absence", "--zone", "0,0", "1,1", "0,1", "1,0"], "cross"),
    ],
)
def test_a_wrong_wish_is_one_clear_line(
    clip: Path, capsys: pytest.CaptureFixture[str], wishes: list[str], word: str
) -> None:
    assert main(["analyze", str(clip), *wishes, "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and word in said.err and said.err.count("\n") == 1


def test_clips_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    with av.open(str(tmp_path / "sound.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate, sound.pts = 8000, 0
        out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    for name, word in (("empty", "Invalid"), ("noise", "Invalid"), ("sound", "no video"), ("missing", "No such file")):
        assert main(["analyze", str(tmp_path / f"{name}.mp4"), "--algorithm", "camera_health"]) == 2
        assert word in capsys.readouterr().err
    assert main(["analyze", "--algorithm", "absence"]) == 2
    assert main(["analyze", "--algorithm", "list"]) == 0
    assert "flame_smoke" in capsys.readouterr().out


def test_damage_loses_only_the_damaged_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = film(tmp_path / "whole.ts", seconds=20).read_bytes()
    start, end = int(len(whole) * 0.4) // 188 * 188, int(len(whole) * 0.65) // 188 * 188
    broken = tmp_path / "broken.ts"
    broken.write_bytes(whole[:start] + np.random.default_rng(2).bytes(end - start) + whole[end:])
    assert main(["analyze", str(broken), "--algorithm", "camera_health", "--set", "frozen_s=60"]) == 0
    said = capsys.readouterr().err
    assert "up to 19." in said and "nothing could be read from" in said
    seconds = [at for at, _ in read_clip(broken, 4)]
    assert len(seconds) > 45 and seconds[-1] > 19


def test_a_clip_that_ends_early_is_read_up_to_there(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.ts", seconds=8).read_bytes()
    (tmp_path / "half.ts").write_bytes(whole[: len(whole) // 2])
    assert 3 < max(at for at, _ in read_clip(tmp_path / "half.ts", 4)) < 5
    (tmp_path / "nothing.ts").write_bytes(whole[:300])
    with pytest.raises(ClipInvalid):
        list(read_clip(tmp_path / "nothing.ts", 4))


def test_variable_frame_rate_keeps_video_time(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "vfr.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for at in [*range(0, 300, 3), *range(300, 900, 30)]:  # ten a second, then one a second
            frame = av.VideoFrame.from_ndarray(street(), format="bgr24")
            frame.pts, frame.time_base = at, Fraction(1, 30)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    seconds = [at for at, _ in read_clip(tmp_path / "vfr.mp4", 4)]
    assert abs(seconds[-1] - 29) < 0.1 and 55 <= len(seconds) <= 65


def test_a_telephones_turned_picture_stands_upright(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", [street(320, 240)] * 3)
    with av.open(str(tmp_path / "a.mp4")) as file:
        frame = next(file.decode(video=0))
    assert upright(frame).shape == (240, 320, 3)

    class Turned:
        rotation = 90

        def to_ndarray(self, format: str) -> object:
            return np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)

    turned = upright(Turned())  # type: ignore[arg-type]
    assert turned.shape == (3, 2, 3) and turned[2, 0, 0] == 0  # counter-clockwise


def test_silence_says_what_was_looked_at(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(clip), "--algorithm", "crowding", "--zone", "0,0", "1,0", "1,1", "--json"]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "24 pictures" in said.err and "5.8 s" in said.err


def test_a_line_has_what_others_rely_on(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wishes = ["--set", "after_s=2", "--set", "min_staff=1", "--zone", "0,0", "1,0", "1,1", "0,1"]
    assert main(["analyze", str(clip), "--algorithm", "absence", "--json", *wishes]) == 0
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line["time_s"] == 2.0 and line["kind"] == "absence" and line["state"] == "open" and line["value"] == 0
    assert line["zone"] == "zone1" and line["box"] is None and 0 <= line["confidence"] <= 1
