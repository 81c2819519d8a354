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
from collections.abc import Hashable
from pathlib import Path

from sqlalchemy import Connection, Engine, text
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
        self._log: Connection | None = None
        self._lock = threading.Lock()
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

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            self._drop()

    async def _mark(self) -> Hashable:
        if self._kind == "sqlite":
            return self._data_version()  # microseconds: not worth a thread
        if self._kind == "postgresql":
            return await asyncio.to_thread(self._log_position)
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

    def _log_position(self) -> Hashable:
        with self._lock:
            try:
                if self._log is None:
                    self._log = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                return str(self._log.scalar(_LOG_POSITION))
            except SQLAlchemyError:
                self._drop()
                return object()

    def _drop(self) -> None:
        with contextlib.suppress(sqlite3.Error, SQLAlchemyError):
            if self._file is not None:
                self._file.close()
            if self._log is not None:
                self._log.invalidate()
                self._log.close()
        self._file = self._log = None
