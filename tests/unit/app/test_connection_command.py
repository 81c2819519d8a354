"""The simulated feeders from the command line: they answer over sockets, and the city's AI platform calls."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from app.cli import main
from ingest.simulate.platforms.server import Platform


def test_a_platform_is_played_and_says_what_to_type() -> None:
    command = [sys.executable, "-m", "app", "connection", "simulate", "gas"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playing:
        try:
            assert playing.stdout is not None
            said = json.loads(playing.stdout.readline())
            answer = httpx.get(said["urls"][0], headers={"Authorization": f"Bearer {said['token']}"}, timeout=60)
        finally:
            playing.terminate()
    assert len(answer.json()["result"]) == 3 and said["platform"] == "gas"


def test_the_citys_ai_platform_calls(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[Any] = []

    def take(_query: dict[str, str], headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        heard.append((headers.get("authorization"), json.loads(body)["events"][0]["algorithm"]))
        return 200, {"accepted": 1}

    with Platform({"POST /push/city-ai": take}) as there:
        to = ["--push", f"{there.url}/push/city-ai", "--key", "k"]
        assert main(["connection", "simulate", "city-ai-events", *to, "--every", "0.01", "--seconds", "0.2"]) == 0
    assert heard[0] == ("Bearer k", "fire") and "200" in capsys.readouterr().out


def test_an_unknown_platform_and_the_starters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connection", "simulate", "moon"]) == 2 and "sanitation" in capsys.readouterr().err
    assert main(["connection", "simulate", "city-ai"]) == 2
    assert main(["connection", "starters"]) == 0 and "entry-oa" in capsys.readouterr().out
