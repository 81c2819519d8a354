"""Writes that wait for one another: PostgreSQL is sent those of a command as one statement, not each by itself.

A statement costs its client a message, an answer and a waiting between them, several times what one more row in a
message costs.  So a :class:`~storage.sql.statements.ReadyStatement` that says which row it writes (``keys``) is held
until something is read, another statement is sent, or the transaction ends; then all that is held goes as
one statement, ``WITH w0 AS (INSERT …), w1 AS (UPDATE …) …``.  Parts of one statement do not see each other's rows:
two writes of the same row go one after the other.  What one of them breaks (a key that is there already) is told
when they are sent, inside the transaction.  Within a savepoint nothing is held: what breaks there belongs to it alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

_HELD = "yiwang.held"  # in Connection.info
_CURSOR = "yiwang.cursor"  # in Connection.info, as long as the driver's connection lives
_WROTE = "yiwang.wrote"  # in Connection.info: this transaction did more than read
_NAMED = re.compile(r"%\((\w+)\)s|%%")
_NUMBERED = re.compile(r"\$(\d+)")
_MOST = 400  # parameters of one statement
Write = tuple[str, list[Any], tuple[Any, ...]]  # statement, values, the row: table and primary key


def numbered(sql: str) -> tuple[str, list[str]]:
    """``sql`` with ``$1`` … in place of ``%(name)s``, and the names in that order."""
    names: dict[str, int] = {}

    def put(found: re.Match[str]) -> str:
        name = found.group(1)
        return "%" if name is None else f"${names.setdefault(name, len(names) + 1)}"

    written = _NAMED.sub(put, sql)
    return written, list(names)


def raw_cursor(connection: Connection) -> Any:
    """The connection's cursor that takes ``$1`` as the server does: nothing is read and rewritten on the way."""
    found = connection.info.get(_CURSOR)
    if found is None:
        from psycopg import RawCursor

        found = connection.info[_CURSOR] = RawCursor(connection.connection.driver_connection)  # type: ignore[arg-type]
    return found


def hold(connection: Connection, writes: Sequence[Write]) -> None:
    """Keep ``writes`` until :func:`release`."""
    connection.info[_WROTE] = True
    connection.info.setdefault(_HELD, []).extend(writes)


def release(connection: Connection) -> None:
    """Send what is held; errors are SQLAlchemy's."""
    held: list[Write] = connection.info.get(_HELD, [])
    if not held:
        return
    connection.info[_HELD] = []
    cursor = raw_cursor(connection)
    together: list[Write] = []
    rows: set[tuple[Any, ...]] = set()
    count = 0
    for write in held:
        if write[2] in rows or count + len(write[1]) > _MOST:
            _send_all(connection, cursor, together)
            together, rows, count = [], set(), 0
        together.append(write)
        rows.add(write[2])
        count += len(write[1])
    _send_all(connection, cursor, together)


def _send_all(connection: Connection, cursor: Any, writes: list[Write]) -> None:
    if len(writes) == 1:
        send(connection, cursor, writes[0][0], writes[0][1])
    else:
        send(connection, cursor, _joined(tuple(w[0] for w in writes)), [v for w in writes for v in w[1]])


@lru_cache(maxsize=2048)
def _joined(statements: tuple[str, ...]) -> str:
    """``statements`` as one, their parameters numbered on."""
    parts, before = [], 0
    for n, sql in enumerate(statements):
        numbers = [int(found) for found in _NUMBERED.findall(sql)]
        parts.append(f"w{n} AS ({_NUMBERED.sub(lambda found, by=before: f'${int(found[1]) + by}', sql)})")  # type: ignore[misc]
        before += max(numbers, default=0)
    return f"WITH {', '.join(parts)} SELECT 1"


def wrote(connection: Connection) -> None:
    """Note that this transaction does more than read."""
    connection.info[_WROTE] = True


def end_reading(connection: Connection) -> None:
    """End a transaction that only read with a commit: after a rollback psycopg forgets every statement it prepared,
    and PostgreSQL plans them all again."""
    if connection.dialect.name != "postgresql" or connection.closed or connection.invalidated:
        return
    if not connection.info.get(_WROTE):
        dialect: Any = connection.dialect
        driver: Any = connection.connection.driver_connection
        with suppress(dialect.loaded_dbapi.Error):
            driver.commit()


def send(connection: Connection, cursor: Any, sql: str, values: Any, many: bool = False) -> None:
    """Let ``cursor`` carry out ``sql``; its errors are SQLAlchemy's, a broken connection is not used again."""
    try:
        (cursor.executemany if many else cursor.execute)(sql, values)
    except Exception as error:
        dialect: Any = connection.dialect
        base = dialect.loaded_dbapi.Error
        if not isinstance(error, base):
            raise
        gone = dialect.is_disconnect(error, connection.connection, cursor)
        told = DBAPIError.instance(sql, values, error, base, connection_invalidated=gone, dialect=dialect)
        if gone:
            connection.invalidate(error)
        raise told from error


def release_before_others(engine: Engine) -> None:
    """Nothing on ``engine`` overtakes what is held: other statements, savepoints and the commit wait for it."""

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(connection: Connection, _cursor: Any, sql: str, *_: Any) -> None:
        release(connection)
        if not sql.startswith("SELECT"):
            connection.info[_WROTE] = True

    @event.listens_for(engine, "savepoint")
    def _savepoint(connection: Connection, _name: str) -> None:
        release(connection)

    @event.listens_for(engine, "release_savepoint")
    def _kept(connection: Connection, _name: str, _context: Any) -> None:
        release(connection)

    @event.listens_for(engine, "commit")
    def _commit(connection: Connection) -> None:
        release(connection)

    @event.listens_for(engine, "rollback_savepoint")
    def _undone(connection: Connection, _name: str, _context: Any) -> None:
        _forget(connection, _HELD)

    @event.listens_for(engine, "rollback")
    @event.listens_for(engine, "begin")
    def _nothing(connection: Connection) -> None:
        _forget(connection, _HELD, _WROTE)


def _forget(connection: Connection, *names: str) -> None:
    if not connection.invalidated:  # else what was noted went with the driver's connection
        for name in names:
            connection.info.pop(name, None)
