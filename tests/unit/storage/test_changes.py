"""A job that waits for rows is woken by a commit of anybody, and by nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from storage.session import make_engine
from storage.watching.changes import Changes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE note (text TEXT)")
    return path


def _write(path: Path, statement: str = "INSERT INTO note VALUES ('x')") -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_nothing_committed_is_nothing_new(file: Path) -> None:
    async def look() -> None:
        changes = Changes(make_engine(f"sqlite:///{file}"))
        await changes.look()
        assert await changes.wait(0.01, 0.05) is False
        changes.close()

    asyncio.run(look())


def test_a_commit_after_the_look_wakes_whoever_waits_already(file: Path) -> None:
    async def look() -> None:
        changes = Changes(make_engine(f"sqlite:///{file}"))
        await changes.look()
        waiting = asyncio.create_task(changes.wait(0.01, 60))
        await asyncio.sleep(0.03)
        assert not waiting.done()
        await asyncio.to_thread(_write, file)
        assert await waiting is True
        changes.close()

    asyncio.run(look())


def test_a_commit_between_look_and_wait_is_not_missed(file: Path) -> None:
    async def look() -> None:
        changes = Changes(make_engine(f"sqlite:///{file}"))
        await changes.look()
        _write(file)
        assert await changes.wait(0.01, 60) is True
        await changes.look()  # looked at it
        assert await changes.wait(0.01, 0.05) is False
        changes.close()

    asyncio.run(look())


def test_two_jobs_are_each_told(file: Path) -> None:
    async def look() -> None:
        engine = make_engine(f"sqlite:///{file}")
        jobs = Changes(engine), Changes(engine)
        for job in jobs:
            await job.look()
        _write(file)
        assert [await job.wait(0.01, 60) for job in jobs] == [True, True]
        for job in jobs:
            job.close()

    asyncio.run(look())


def test_where_nobody_can_tell_the_job_looks_each_time(tmp_path: Path) -> None:
    async def look() -> None:
        for url in ("sqlite://", f"sqlite:///{tmp_path / 'missing' / 'no.db'}"):
            changes = Changes(create_engine(url))
            await changes.look()
            assert await changes.wait(0.01, 60) is True

    asyncio.run(look())


def test_a_file_that_is_no_database_is_looked_at_each_time(tmp_path: Path) -> None:
    async def look() -> None:
        (tmp_path / "torn.db").write_bytes(b"\0" * 5000)
        changes = Changes(create_engine(f"sqlite:///{tmp_path / 'torn.db'}"))
        await changes.look()
        assert await changes.wait(0.01, 60) is True

    asyncio.run(look())
