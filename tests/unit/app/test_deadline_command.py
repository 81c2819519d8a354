"""``python -m app deadline``: one question, many questions, bad lines among good ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import main

GOOD = {"start": "2026-06-05T15:00:00+08:00", "limit": {"value": 4, "unit": "work_hour"}}


def test_the_worked_example(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["deadline", "--start", "2026-06-05T15:00", "--limit", "4 工作时"]
    assert main([*argv, "--suspend", "2026-06-05T17:00/2026-06-08T09:00", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["deadline"] == "2026-06-08T11:00:00+08:00"
    assert len(shown["derivation"]) >= 5


def test_an_open_suspension_and_an_extension(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["deadline", "--start", "2026-06-05T15:00", "--limit", "1 工作时", "--extend", "2紧急工作时", "--json"]
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out)["deadline"] == "2026-06-05T18:00:00+08:00"
    assert main([*argv, "--suspend", "2026-06-05T15:30/"]) == 0
    assert json.loads(capsys.readouterr().out)["deadline"] is None


def test_a_bad_question_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deadline", "--start", "yesterday", "--limit", "4 工作时"]) == 2
    assert main(["deadline", "--limit", "4 工作时"]) == 2
    assert main(["deadline", "--batch", "/nowhere/at/all"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


def test_bad_lines_do_not_stop_a_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overlap = {**GOOD, "calendar": {"periods": [["08:00", "12:00"], ["11:00", "13:00"]]}}
    lines: list[Any] = [GOOD, overlap, "{not json", 7, {**GOOD, "start": None}, {**GOOD, "limit": {"value": 1}}, GOOD]
    file = tmp_path / "batch.jsonl"
    file.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), "utf-8")
    assert main(["deadline", "--batch", str(file)]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == len(lines)
    assert answers[0]["deadline"] == answers[-1]["deadline"] == "2026-06-08T09:00:00+08:00"
    assert [a["error"]["error"] for a in answers[1:-1]] == [
        "calendar_invalid", "input_invalid", "input_invalid", "input_invalid", "limit_invalid",
    ]  # fmt: skip
    assert answers[1]["line"] == 2


def test_marks_blank_lines_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "batch.jsonl"
    words = json.dumps({**GOOD, "limit": "4 工作时"}).encode()
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\r\n" + words + b"\r\n")
    assert main(["deadline", "--batch", str(file)]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [a["deadline"] for a in answers] == ["2026-06-08T09:00:00+08:00"] * 2


def test_unknown_fields_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "batch.jsonl"
    file.write_text(json.dumps({**GOOD, "id": 5, "suspension": [], "calendar": {"holiday": []}}), "utf-8")
    assert main(["deadline", "--batch", str(file)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["id"] == 5
    assert "calendar.holiday" in shown["warnings"][0] and "suspension" in shown["warnings"][0]
