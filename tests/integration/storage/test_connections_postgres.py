"""Connections to PostgreSQL: one that went while it lay idle is replaced unseen; commits wake whoever waits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

from storage import session as engines
from storage.session import make_engine, read_scope, session_scope
from storage.watching.changes import Changes

OWN = f"connections_{os.getpid()}"


@pytest.fixture
def engine(postgres_server: str) -> Iterator[Engine]:
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {OWN}")
    engine = make_engine(f"{postgres_server}/{OWN}")
    yield engine
    engine.dispose()
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {OWN} WITH (FORCE)")


def _end_all_but_ours(server: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{OWN}' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def _one(engine: Engine) -> int:
    with read_scope(engine) as session:
        return int(session.scalar(text("SELECT 1")) or 0)


def test_a_connection_that_went_while_idle_is_replaced_unseen(
    engine: Engine, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _one(engine) == 1
    _end_all_but_ours(postgres_server)
    monkeypatch.setattr(engines, "FRESH_S", 0.0)  # it lay idle for long
    assert _one(engine) == 1


def test_one_that_went_a_moment_ago_fails_once_and_no_more(engine: Engine, postgres_server: str) -> None:
    from storage.availability import is_away

    assert _one(engine) == 1
    _end_all_but_ours(postgres_server)
    for _ in range(2):
        try:
            assert _one(engine) == 1
        except Exception as error:  # noqa: BLE001 - what it is, is the test
            assert is_away(error), error
    assert _one(engine) == 1


def test_statements_are_planned_once_and_never_compiled(engine: Engine) -> None:
    with read_scope(engine) as session:
        assert session.scalar(text("SHOW jit")) == "off"
        held = session.connection().connection.dbapi_connection
        assert held is not None and held.prepared_max == engines.PREPARED_MAX


def test_a_commit_of_anybody_wakes_whoever_waits(engine: Engine) -> None:
    async def play() -> bool:
        changes = Changes(engine)
        await changes.look()
        waiting = asyncio.create_task(changes.wait(0.01, 60))

        def write() -> None:
            with session_scope(engine) as session:
                session.execute(text("CREATE TABLE IF NOT EXISTS woken (n int)"))
                session.execute(text("INSERT INTO woken VALUES (1)"))
                session.execute(text("DROP TABLE woken"))

        await asyncio.to_thread(write)
        try:
            return await waiting
        finally:
            changes.close()

    assert asyncio.run(play()) is True


def test_a_connection_for_the_mark_that_went_is_made_anew(engine: Engine, postgres_server: str) -> None:
    async def play() -> bool:
        changes = Changes(engine)
        await changes.look()
        await asyncio.to_thread(_end_all_but_ours, postgres_server)
        lost = await changes.wait(0.01, 60)
        await changes.look()
        changes.close()
        return lost

    assert asyncio.run(play()) is True


def test_jobs_that_watch_take_no_connection_of_the_pool(engine: Engine, postgres_server: str) -> None:
    """Jobs end and begin again whenever the bus does; forty of them left a worker without a connection to commit."""

    async def play() -> None:
        for _ in range(40):
            await Changes(engine).look()

    asyncio.run(play())
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert _one(engine) == 1
    with psycopg.connect(f"{postgres_server}/postgres") as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        assert connection.execute(count, [OWN]).fetchone() == (2,)
    engine.dispose()
    assert asyncio.run(Changes(engine).wait(0.001, 0.002)) in {True, False}  # after it, too
