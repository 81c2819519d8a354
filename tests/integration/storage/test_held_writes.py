"""Writes that PostgreSQL is sent together: nothing overtakes them, nothing of them is lost, and errors stay errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, delete, insert, select, text
from sqlalchemy.exc import IntegrityError

from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.sql.statements import ReadyRows, ReadyStatement, put_out
from storage.tables.cases import AuditEntry, Case, CaseClock

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 6, 5, 1, 2, 3, 456700, tzinfo=UTC)
LINKS = ReadyStatement(insert(AuditEntry.__table__), keys=("chain_id", "seq"))  # type: ignore[arg-type]
CLOCKS = ReadyRows(CaseClock, lambda rows: rows.order_by(CaseClock.clock_id))


def link(seq: int, chain: str = "c") -> dict[str, Any]:
    return {"chain_id": chain, "seq": seq, "at": NOW, "actor_id": "u", "action": "a", "body": {"n": [seq, "二", None]},
            "prev_hash": "0" * 64, "hash": f"{seq:064d}"}  # fmt: skip


def clock(name: str) -> CaseClock:
    return CaseClock(clock_id=name, case_id="c1", kind="whole", limit_value=2, limit_unit="day", started_at=NOW)


@pytest.fixture(scope="module")
def made(postgres_server: str) -> Iterator[Engine]:
    name = f"held_{os.urandom(6).hex()}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    engine = make_engine(f"{postgres_server}/{name}")
    create_all(engine)
    with session_scope(engine) as session:
        session.add(
            Case(case_id="c1", number="N1", definition_id="d", definition_version=1, stage="a", state="s", title="渗水",
                 opened_at=NOW, updated_at=NOW)
        )  # fmt: skip
    yield engine
    engine.dispose()
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def engine(made: Engine) -> Engine:
    with session_scope(made) as session:
        session.execute(delete(AuditEntry))
        session.execute(delete(CaseClock))
    return made


def links(engine: Engine) -> list[int]:
    with read_scope(engine) as session:
        return list(session.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq)))


def test_many_writes_are_stored_as_they_are_given(engine: Engine) -> None:
    with session_scope(engine) as session:
        LINKS.run(session, link(1), link(2))
        first = clock("k1")
        session.add(first)
        put_out(session, first)
        first.stopped_at, first.suspensions = NOW, [["a", None]]
        put_out(session, first)  # the same row again
        LINKS.run(session, link(3))
    assert links(engine) == [1, 2, 3]
    with read_scope(engine) as session:
        stored = session.scalars(select(CaseClock)).one()
        assert (stored.stopped_at, stored.suspensions, stored.limit_value) == (NOW, [["a", None]], 2)
        assert session.get(AuditEntry, ("c", 2)).body == {"n": [2, "二", None]}  # type: ignore[union-attr]


def test_whatever_reads_next_sees_them(engine: Engine) -> None:
    with session_scope(engine) as session:
        LINKS.run(session, link(1))
        assert session.scalars(select(AuditEntry.seq)).all() == [1]
        second = clock("k2")
        session.add(second)
        put_out(session, second)
        assert CLOCKS.all(session, {}) == [second]


def test_a_key_that_is_there_already_is_told_and_nothing_is_kept(engine: Engine) -> None:
    with session_scope(engine) as session:
        LINKS.run(session, link(1))
    with pytest.raises(IntegrityError), session_scope(engine) as session:
        LINKS.run(session, link(2), link(1))
    assert links(engine) == [1]
    with session_scope(engine) as session:  # the connection is as good as new
        LINKS.run(session, link(2))
    assert links(engine) == [1, 2]


def test_a_savepoint_takes_its_own_writes_with_it_and_no_others(engine: Engine) -> None:
    with session_scope(engine) as session:
        LINKS.run(session, link(1))
        with session.begin_nested() as inner:
            LINKS.run(session, link(2))
            inner.rollback()
        with session.begin_nested():
            LINKS.run(session, link(3))
        with pytest.raises(IntegrityError), session.begin_nested():
            LINKS.run(session, link(4), link(1))
        LINKS.run(session, link(5))
    assert links(engine) == [1, 3, 5]


def test_what_is_rolled_back_is_not_sent_later(engine: Engine) -> None:
    with pytest.raises(KeyError), session_scope(engine) as session:
        LINKS.run(session, link(1))
        raise KeyError
    with session_scope(engine) as session:
        LINKS.run(session, link(2))
    assert links(engine) == [2]


def test_readers_keep_their_plans_and_never_store(made: Engine) -> None:
    engine = make_engine(made.url.render_as_string(hide_password=False))
    for _ in range(8):
        with read_scope(engine) as session:
            session.scalars(select(Case.title).where(Case.case_id == "c1")).all()
    with read_scope(engine) as session:
        known = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
        session.execute(insert(AuditEntry), [link(9, "reader")])
        session.execute(select(AuditEntry.seq)).all()
    assert any("case_file" in statement for statement in known)
    assert 9 not in links(engine)
    engine.dispose()
