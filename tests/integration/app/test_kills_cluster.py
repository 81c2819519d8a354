"""The production set under seeded kills of any one and any two; ``YIWANG_KILLS`` plays more of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from bench.kills import play

KILLS = int(os.environ.get("YIWANG_KILLS", "24"))
pytestmark = [pytest.mark.long, pytest.mark.timeout(600 + 60 * KILLS)]


def test_nothing_is_lost_or_doubled_whatever_dies() -> None:
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql postgresql-postgis)")
    with tempfile.TemporaryDirectory(prefix="yiwang-kills-") as folder:  # a path that PostgreSQL's account may enter
        figures = play(Path(folder), KILLS, seed=20260701, pages=6, visions=3, cameras=3)
    assert (figures["lost"], figures["doubled"]) == (0, 0), figures
    assert (figures["dead_letters"], figures["broken_chains"]) == (0, 0), figures
    assert figures["published"] and figures["reported"]
