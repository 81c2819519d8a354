"""The main job, end to end, as ``python -m app selftest`` runs it; here on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _selftest(*arguments: str) -> dict:
    command = [sys.executable, "-m", "app", "selftest", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["result"] == "PASS" else 1)
    return report


def _assert_held(report: dict) -> None:
    assert report["problems"] == []
    assert (report["lost"], report["doubled"]) == (0, 0)
    assert report["cases_closed"] == report["cases_expected"] == 7
    stages = {stage["name"]: stage for stage in report["stages"]}
    assert {"signal_to_case", "accept", "photograph", "finish", "verify_and_close"} <= set(stages)
    assert all(0 <= stage["p50_ms"] <= stage["p95_ms"] for stage in stages.values())


@pytest.mark.timeout(300)
def test_signals_become_closed_cases() -> None:
    _assert_held(_selftest())


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_signals_become_closed_cases_on_postgresql(postgres_url: str) -> None:
    _assert_held(_selftest("--database", postgres_url))


def test_a_clip_that_is_none_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "selftest", "--clip", str(tmp_path / "none.mp4")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "--clip" in done.stderr
