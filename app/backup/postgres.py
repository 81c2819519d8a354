"""PostgreSQL's rows, out and in again: COPY in one snapshot, table by table, parents before children."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from storage.session import make_engine

_NOT_OURS = ("alembic_version", "spatial_ref_sys")
BLOCK = 1 << 20


def connect(url: str, **options: Any) -> psycopg.Connection[Any]:
    """A plain connection to ``url``."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, **options)


@contextlib.contextmanager
def snapshot(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that sees the database as of one moment."""
    with connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SELECT 1")
        yield connection


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Our tables, each after those that it points at."""
    rows = connection.execute(
        "SELECT c.relname, r.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid"
        " LEFT JOIN pg_class r ON r.oid = k.confrelid"
        " WHERE n.nspname = current_schema() AND c.relkind = 'r'"
    ).fetchall()
    needs: dict[str, set[str]] = {}
    for table, parent in rows:
        if table not in _NOT_OURS:
            needs.setdefault(table, set()).update({parent} if parent else set())
    ordered: list[str] = []
    while needs:
        ready = sorted(t for t, parents in needs.items() if parents <= set(ordered)) or sorted(needs)[:1]
        ordered += ready
        for table in ready:
            del needs[table]
    return ordered


def columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Column names in order."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' ORDER BY attnum",
        (f'"{table}"',),
    )
    return [row[0] for row in rows]


def copy_out(connection: psycopg.Connection[Any], table: str, path: Path) -> None:
    """The rows of ``table`` into a file, its first line the column names."""
    names = columns(connection, table)
    command = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), _list(names))
    with path.open("wb") as file, connection.cursor().copy(command) as copy:
        file.write("\t".join(names).encode() + b"\n")
        for block in copy:
            file.write(block)


def copy_in(connection: psycopg.Connection[Any], table: str, file: IO[bytes]) -> None:
    """The rows of a file into ``table``."""
    names = file.readline().decode().rstrip("\n").split("\t")
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _list(names))
    with connection.cursor().copy(command) as copy:
        while block := file.read(BLOCK):
            copy.write(block)


def counters(connection: psycopg.Connection[Any]) -> None:
    """Set each counting column's sequence behind what was copied."""
    rows = connection.execute(
        "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)"
        " FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
    ).fetchall()
    for table, column, sequence in rows:
        query = sql.SQL("SELECT setval({}, coalesce(max({}), 0) + 1, false) FROM {}").format(
            sql.Literal(sequence), sql.Identifier(column), sql.Identifier(table)
        )
        connection.execute(query)


def is_empty(url: str) -> bool:
    """Has the database none of our tables?"""
    engine = make_engine(url)
    try:
        return not set(inspect(engine).get_table_names()) - {"spatial_ref_sys"}
    finally:
        engine.dispose()


def _list(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
