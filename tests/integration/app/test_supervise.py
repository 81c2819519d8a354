"""A child that dies is restarted, said once; all stop in the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app import supervise
from app.supervise import ChildSpec, Family


def _sleeper(name: str) -> ChildSpec:
    return ChildSpec(name, (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"))


def test_a_killed_child_comes_back_and_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "HEALTHY_AFTER_S", 1.0)
    said: list[str] = []

    async def scenario() -> None:
        family = Family(tmp_path, said.append)
        child = family.start(_sleeper("sleeper"))
        for _ in range(2):  # two kills in quick succession are one loss
            before = child.pid
            while (pid := child.pid) is None or pid == before is None:
                await asyncio.sleep(0.02)
            os.kill(pid, signal.SIGKILL)
            while child.pid in (pid, None):
                await asyncio.sleep(0.02)
        await asyncio.sleep(1.5)
        survivor = child.pid
        assert survivor is not None
        await family.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(survivor, 0)

    asyncio.run(scenario())
    assert sum("ended (killed by SIGKILL)" in line for line in said) == 1
    assert said[-1] == "sleeper is back"


def test_a_child_that_always_fails_is_retried_with_back_off_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []

    async def scenario() -> int:
        family = Family(tmp_path, said.append)
        child = family.start(ChildSpec("broken", (sys.executable, "-c", "raise SystemExit(3)")))
        await asyncio.sleep(3)
        await family.stop()
        return child.restarts

    assert 1 <= asyncio.run(scenario()) <= 4
    assert len(said) == 1
    assert "exit status 3" in said[0]
    assert "broken.log" in said[0]


def test_a_stubborn_child_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"

    async def scenario() -> None:
        family = Family(tmp_path, said.append)
        child = family.start(ChildSpec("stubborn", (sys.executable, "-c", code)))
        while "up" not in ((tmp_path / "stubborn.log").read_text() if (tmp_path / "stubborn.log").exists() else ""):
            await asyncio.sleep(0.05)
        await child.stop(grace_s=0.5)
        await family.stop()

    asyncio.run(scenario())
    assert any("killed" in line for line in said)


def test_children_share_few_heaps_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert ChildSpec("x", ("true",)).environment()["MALLOC_ARENA_MAX"] == "2"
    assert ChildSpec("x", ("true",), {"YIWANG_A": "1"}).environment()["MALLOC_ARENA_MAX"] == "2"
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    assert ChildSpec("x", ("true",)).environment()["MALLOC_ARENA_MAX"] == "8"
