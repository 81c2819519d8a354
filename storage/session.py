"""The engine and the only commit."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session

from storage.sql.held import end_reading, release_before_others

PREPARED_MAX = 1000  # statements a connection to PostgreSQL keeps planned
FRESH_S = 2.0  # a connection used so recently is taken to be there
# A server whose machine lost its power says nothing: without these a statement waits for it a quarter of an hour.
WATCHED = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}  # fmt: skip


def make_engine(database_url: str, *, busy_s: float = 30.0) -> Engine:
    """An engine for SQLite (WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE``) or PostgreSQL (psycopg 3).

    ``busy_s``: how long a writer waits for SQLite's write lock before it fails with "locked"; a person who waits for an
    answer is told after a few seconds, the worker has time.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": busy_s, "check_same_thread": False}, **_JSON)
        _prepare_sqlite(engine, busy_s)
        return engine
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    options = " ".join(filter(None, (str(url.query.get("options", "")), "-c jit=off")))
    watched = {name: value for name, value in WATCHED.items() if name not in url.query}
    engine = create_engine(url, connect_args=watched | {"options": options}, pool_size=8, max_overflow=8, **_JSON)
    _prepare_postgresql(engine)
    return engine


def _to_json(value: Any) -> str:
    """JSON of a column; the standard library takes what msgspec refuses (whole numbers beyond 64 bits)."""
    try:
        return _encoder.encode(value).decode()
    except (TypeError, OverflowError, ValueError):
        return json.dumps(value, ensure_ascii=False)


def _from_json(text: str | bytes) -> Any:
    try:
        return _decoder.decode(text)
    except ValueError:  # NaN, as earlier versions wrote it
        return json.loads(text)


_TURN = text("SELECT pg_advisory_xact_lock(7960100, :what)")  # a number of our own
_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder()
_JSON: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": _from_json}


def _prepare_sqlite(engine: Engine, busy_s: float) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        busy = f"busy_timeout={int(busy_s * 1000)}"
        # 4,000 pages: what many transactions change (ends of indexes) is written back once for them all, not each time.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=4000", busy):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        # Deferred transactions that turn into writers fail at once with "locked"; immediate ones queue.
        read_only = connection.get_execution_options().get("read_only", False)
        begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        try:  # by the driver's own hand: SQLAlchemy's way to it costs ten times the statement
            connection.connection.driver_connection.execute(begin)
        except sqlite3.Error as error:
            raise DBAPIError.instance(begin, None, error, sqlite3.Error, dialect=engine.dialect) from error


def _prepare_postgresql(engine: Engine) -> None:
    """Short statements, hundreds of them, again and again.

    Each is planned once a connection (the client's own limit of a hundred made it forget and plan again) and never
    compiled (``jit``).  A connection that lay idle is tried before it is used; one that was in use a moment ago is
    not: that would be a third of the round trips of a short transaction.
    """

    release_before_others(engine)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, record: Any) -> None:
        connection.prepared_max = PREPARED_MAX
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", 0.0) < FRESH_S and not connection.broken:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("the connection went while it lay idle") from error


@contextmanager
def session_scope(engine: Engine) -> Iterator[Session]:
    """A short write transaction: committed at the end, rolled back on any error."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        try:
            yield session
        finally:
            _forget(session)


def take_turn(session: Session, what: str = "") -> None:
    """Until this transaction ends nobody else is past this line with the same ``what``: one by one.

    Without ``what`` it is what several workers judge.  SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TURN, {"what": zlib.crc32(what.encode()) - (1 << 31)})  # 32 bits with a sign


@contextmanager
def read_scope(engine: Engine) -> Iterator[Session]:
    """A read-only transaction: never takes SQLite's write lock, never commits."""
    # Closing the session ends the transaction and leaves what was loaded readable.
    with Session(engine, expire_on_commit=False) as session:
        connection = session.connection(execution_options={"read_only": True})
        try:
            yield session
            end_reading(connection)
        finally:
            _forget(session)


def _forget(session: Session) -> None:
    """What was noted beside the transaction ends with it; else it would hold the session until the next collection."""
    session.info.clear()


def refresh_statistics(engine: Engine) -> None:
    """Let SQLite's planner know which indexes tell rows apart (a sample of each, under a second); PostgreSQL does so
    itself.  Without it a query over a million cases may walk through all that are open."""
    if engine.dialect.name == "sqlite":
        with session_scope(engine) as session:
            session.execute(text("PRAGMA analysis_limit = 1000"))
            session.execute(text("ANALYZE"))
