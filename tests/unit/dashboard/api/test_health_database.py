"""The database is tried with a row of ours only when nobody committed since the last look."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.clock import ManualClock
from dashboard.health import Health, HealthState
from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.tables.operations import HealthProbe
from storage.tables.registry import Department


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}", busy_s=0.2)
    create_all(engine)
    return engine


async def _look(health: Health) -> str:
    found: HealthState = await health._try_database()
    health.parts["database"] = found
    return found.code


def _tried_at(engine: Engine) -> Any:
    with read_scope(engine) as session:
        return session.scalar(select(HealthProbe.at))


def _somebody_commits(engine: Engine, name: str) -> None:
    with session_scope(engine) as session:
        session.add(Department(department_id=name, name=name))


def test_silence_is_broken_by_a_row_and_somebodys_commit_is_as_good(engine: Engine) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    hub: Any = SimpleNamespace(bus=None)
    settings: Any = None

    async def play() -> list[bool]:
        health = Health(settings, engine, clock, hub)
        tried = []
        for round_ in range(5):
            clock.advance(5)
            if round_ in (2, 3):
                _somebody_commits(engine, f"d{round_}")
            assert await _look(health) == "ok"
            tried.append(_tried_at(engine) == clock.now())
        return tried

    assert asyncio.run(play()) == [True, True, False, False, True]


def test_a_database_that_is_locked_is_told_although_somebody_committed_before(engine: Engine, tmp_path: Path) -> None:
    hub: Any = SimpleNamespace(bus=None)
    settings: Any = None

    async def play() -> list[str]:
        health = Health(settings, engine, ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), hub)
        said = [await _look(health)]
        holder = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        said.append(await _look(health))
        holder.execute("ROLLBACK")
        _somebody_commits(engine, "later")
        said.append(await _look(health))  # after trouble it is tried, whoever committed
        holder.close()
        return said

    assert asyncio.run(play()) == ["ok", "locked", "ok"]
