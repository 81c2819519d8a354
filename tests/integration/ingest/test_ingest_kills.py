"""Twenty seeded kills (-9) of ingest, nats-server, worker and database: what was confirmed is stored exactly once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from bench import kill

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_every_confirmed_frame_is_stored_exactly_once(database: str) -> None:
    # Not below pytest's own folder: PostgreSQL runs as another user, which may not pass through it.
    with tempfile.TemporaryDirectory(prefix="yiwang-kill-") as folder:
        figures = kill.play(Path(folder), kills=20, seed=20260605, database=database, rate=20.0)
    assert figures["confirmed"] > 1000, figures  # else the storm was over before anything happened
    assert (figures["lost"], figures["doubled"], figures["dead_letters"]) == (0, 0, 0), figures
