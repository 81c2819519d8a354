"""The browser's modules under ``node --test``."""

from __future__ import annotations

import subprocess
from pathlib import Path

from app.node import node_binary

ROOT = Path(__file__).parents[3]


def test_node_tests_of_the_form_modules() -> None:
    command = [node_binary(), "--test", str(ROOT / "tests" / "js" / "forms.test.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
