"""``python -m app decode``: what it prints for good and refused frames, and its exit status."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.commands.devices import decode
from core.errors import YiwangError
from tests.unit.ingest import test_gb26875, test_hj212, test_jt808, test_sl651

VECTORS = {
    "gb26875": test_gb26875.ALL,
    "sl651": test_sl651.ALL,
    "hj212": test_hj212.GOOD,
    "jt808": test_jt808.ALL,
}


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, list[dict[str, Any]], str]:
    parser = argparse.ArgumentParser()
    decode.configure(parser)
    try:
        status = decode.run(parser.parse_args(args))
    except YiwangError as error:  # as app.cli does, without importing every other command
        print(f"decode: {error}", file=sys.stderr)
        status = 2
    captured = capsys.readouterr()
    return status, [json.loads(line) for line in captured.out.splitlines()], captured.err


@pytest.mark.parametrize(("protocol", "text"), [(p, t) for p, texts in VECTORS.items() for t in texts])
def test_every_vector_is_one_object(capsys: pytest.CaptureFixture[str], protocol: str, text: str) -> None:
    status, objects, complaints = run(capsys, protocol, text)
    assert status == 0 and complaints == "" and len(objects) == 1
    assert objects[0]["protocol"] == protocol


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("protocol", list(VECTORS))
def test_a_whole_capture_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    feed(monkeypatch, "\r\n".join(VECTORS[protocol]).encode())
    status, objects, _ = run(capsys, protocol, "-")
    assert status == 0 and len(objects) == len(VECTORS[protocol])


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_text_protocols_take_text_or_hex(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    for data in (test_hj212.ERDAO + end, test_hj212.ERDAO.encode().hex() + end):
        feed(monkeypatch, data.encode())
        status, objects, _ = run(capsys, "hj212", "-")
        assert status == 0 and objects[0]["factors"]["a34004"]["value"] == 35.0
    feed(monkeypatch, test_sl651.ascii_frame(test_sl651.ASCII_BODY))
    assert run(capsys, "sl651", "-")[1][0]["water_level_m"] == -10.49


def test_a_capture_file_of_raw_bytes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "capture.bin"
    file.write_bytes(test_gb26875.STREAM)
    status, objects, _ = run(capsys, "gb26875", str(file))
    assert status == 0 and len(objects) == len(test_gb26875.ALL)


@pytest.mark.parametrize(
    ("protocol", "text", "error"),
    [
        ("gb26875", test_gb26875.FIRE[:-8] + "47 23 23", "frame_checksum"),
        ("gb26875", test_gb26875.FIRE[:-5] + "23 13", "frame_end"),
        ("gb26875", test_gb26875.FIRE[:29], "frame_incomplete"),
        ("gb26875", "31" + test_gb26875.FIRE[2:], "frame_noise"),
        ("sl651", test_sl651.TIMED[:-4] + "A422", "frame_checksum"),
        ("hj212", test_hj212.WRONG_2005, "frame_checksum"),
        ("hj212", test_hj212.WRONG_PART, "frame_checksum"),
        ("jt808", test_jt808.BAD_SUM, "frame_checksum"),
    ],
)
def test_a_refused_frame_prints_its_error_and_exits_2(
    capsys: pytest.CaptureFixture[str], protocol: str, text: str, error: str
) -> None:
    status, objects, complaints = run(capsys, protocol, text)
    assert status == 2 and [o["error"] for o in objects] == [error]
    assert objects[0]["message"] and objects[0]["remedy"] and complaints.startswith(f"decode: {protocol}:")


def test_good_frames_beside_a_refused_one_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status, objects, _ = run(capsys, "jt808", test_jt808.POSITION + test_jt808.BAD_SUM + test_jt808.HEARTBEAT)
    assert status == 2
    assert [o.get("error", o.get("message_name")) for o in objects] == ["position", "frame_checksum", "heartbeat"]


def test_noise_before_a_whole_frame_is_only_reported(capsys: pytest.CaptureFixture[str]) -> None:
    status, objects, complaints = run(capsys, "gb26875", "31" + test_gb26875.FIRE)
    assert status == 0 and len(objects) == 1 and "1 bytes between frames" in complaints


@pytest.mark.parametrize("text", ["", "4", "xyz", "40 4"])
def test_what_is_no_hex_is_said_clearly(capsys: pytest.CaptureFixture[str], text: str) -> None:
    status, objects, complaints = run(capsys, "gb26875", text)
    assert status == 2 and objects == [] and complaints.startswith("decode: data:")


def test_lenient(capsys: pytest.CaptureFixture[str]) -> None:
    status, objects, _ = run(capsys, "hj212", test_hj212.WRONG_2005, "--lenient")
    assert status == 0 and objects[0]["crc_bad"] is True and objects[0]["cod_mgpl"] == 231.0


def test_from_a_shell() -> None:
    command = [sys.executable, "-m", "app", "decode", "jt808", test_jt808.POSITION]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["speed_kmph"] == 6.0
