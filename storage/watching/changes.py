"""Was anything committed since one last looked?  Jobs that wait for rows ask this instead of looking for the rows.

SQLite counts commits of other connections (``PRAGMA data_version``), PostgreSQL the bytes of its log
(``pg_current_wal_insert_lsn``): microseconds, whatever the query would cost that finds nothing.  Either may say "yes"
for something else; neither says "no" when something was committed.  Where nobody can tell (another kind of database,
one in memory, one that is away) the answer is "yes".
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Hashable
from pathlib import Path

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

_ANY_THREAD: dict[str, bool] = {"check_same_thread": False}
_LOG_POSITION = text("SELECT pg_current_wal_insert_lsn()")


class Changes:
    """One job's view of the commits: :meth:`look` before reading, then :meth:`wait` until it is worth reading again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kind = engine.dialect.name
        self._path = engine.url.database if self._kind == "sqlite" else None
        self._file: sqlite3.Connection | None = None
        self._seen: Hashable = object()

    async def look(self) -> None:
        """What is committed from now on counts as new."""
        self._seen = await self._mark()

    async def wait(self, every_s: float, at_most_s: float) -> bool:
        """Until something new was committed (asked every ``every_s`` seconds), ``at_most_s`` at most; whether so."""
        loop = asyncio.get_running_loop()
        until = loop.time() + at_most_s
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(every_s, left))
            if await self._mark() != self._seen:
                return True
        return False

    async def came(self) -> bool:
        """Whether another connection surely committed since the last look, which this is as well.

        SQLite alone can tell: PostgreSQL's log grows without a commit, too.
        """
        before, self._seen = self._seen, await self._mark()
        return isinstance(self._seen, int) and isinstance(before, int) and before != self._seen

    def close(self) -> None:
        """Give the connection back; the one to PostgreSQL belongs to the engine and ends with it."""
        self._drop()

    async def _mark(self) -> Hashable:
        if self._kind == "sqlite":
            return self._data_version()  # microseconds: not worth a thread
        if self._kind == "postgresql":
            return await asyncio.to_thread(_log_position_of(self._engine).read)
        return object()

    def _data_version(self) -> Hashable:
        if not self._path or self._path == ":memory:":
            return object()
        try:
            if self._file is None:
                where = Path(self._path).resolve().as_uri() + "?mode=ro"
                self._file = sqlite3.connect(where, timeout=0.0, isolation_level=None, uri=True, **_ANY_THREAD)
            found: int = self._file.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self._drop()
            return object()
        return found

    def _drop(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._file is not None:
                self._file.close()
        self._file = None


class LogPosition:
    """Where PostgreSQL's log ends, over one connection of its own that all jobs of an engine share.

    It is none of the pool's: jobs that end and begin again must never use up what transactions need.
    """

    def __init__(self, engine: Engine) -> None:
        self._connect = weakref.WeakMethod(engine.connect)
        self._held: Connection | None = None
        self._lock = threading.Lock()
        event.listen(engine, "engine_disposed", lambda _engine: self.close(), once=False)

    def read(self) -> Hashable:
        """The position; something new each time while the database does not tell it."""
        with self._lock:
            try:
                return str(self._connection().scalar(_LOG_POSITION))
            except SQLAlchemyError:
                self._drop()
                return object()

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._drop()

    def _connection(self) -> Connection:
        if self._held is None:
            connect = self._connect()
            assert connect is not None  # whoever reads holds the engine
            held = connect().execution_options(isolation_level="AUTOCOMMIT")
            held.detach()
            self._held = held
        return self._held

    def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(SQLAlchemyError):
                held.close()


_positions: weakref.WeakKeyDictionary[Engine, LogPosition] = weakref.WeakKeyDictionary()
_positions_lock = threading.Lock()


def _log_position_of(engine: Engine) -> LogPosition:
    with _positions_lock:
        found = _positions.get(engine)
        if found is None:
            found = _positions[engine] = LogPosition(engine)
        return found
