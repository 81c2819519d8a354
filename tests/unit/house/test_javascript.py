"""The desk's own JavaScript stays small, and TypeScript checks every module."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = ROOT / "dashboard"


def modules() -> list[Path]:
    rooms = (DASHBOARD / "static" / "ui", DASHBOARD / "static" / "forms", DASHBOARD / "mobile", DASHBOARD / "outside")
    return [path for room in rooms for path in room.rglob("*.mjs")]


MOST_DESK_LINES = 300  # of own JavaScript in the desk: the pages are made in Dash


def test_the_desk_has_little_javascript_of_its_own() -> None:
    found = [*(DASHBOARD / "static" / "ui" / "desk").rglob("*.mjs"), DASHBOARD / "static" / "ui" / "loader.js"]
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in found}
    assert sum(lines.values()) <= MOST_DESK_LINES, lines


def test_no_module_is_left_out_of_the_type_check() -> None:
    found = [str(p.relative_to(ROOT)) for p in modules() if "@ts-nocheck" in p.read_text(encoding="utf-8")]
    assert not found, found


def would_run(target: str) -> str:
    dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return dry.stdout


def test_make_check_runs_every_step_on_the_modules() -> None:
    from scripts.javascript import steps

    assert "javascript" in would_run("check").split()
    assert "-m scripts.javascript" in would_run("javascript")
    assert set(steps()) == {"lint", "types", "tests"}
    named = {Path(argument).name for argument in steps()["tests"]}
    assert {path.name for path in (ROOT / "tests" / "js").glob("*.test.mjs")} <= named
