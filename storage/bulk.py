"""Many rows into one table at once: the types' own conversions, without the cost of a statement a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import JSON, Dialect, Table, insert
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any]


def bulk_insert(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows``, which all have the same columns, in the session's transaction."""
    if not rows:
        return
    connection = session.connection()
    names = list(rows[0])
    statement = insert(table).values(dict.fromkeys(names)).compile(dialect=connection.dialect)
    order = statement.positiontup
    names = list(order) if order is not None else names  # the values stand in the statement's own order at once
    converts = [_convert(table, name, connection.dialect) for name in names]
    changed = [(at, convert) for at, convert in enumerate(converts) if convert is not None]
    values = _values(rows, names, changed)
    if order is None:  # named parameters
        connection.exec_driver_sql(str(statement), [dict(zip(names, line, strict=True)) for line in values])
        return
    connection.exec_driver_sql(str(statement), values)


def roomy(session: Session) -> None:
    """Give SQLite's connection room for a large batch: its indexes stay in memory, the log is taken over seldom."""
    if session.get_bind().dialect.name == "sqlite":
        for pragma in ("cache_size=-98304", "wal_autocheckpoint=16000"):  # 96 MB; 64 MB of log
            session.connection().exec_driver_sql(f"PRAGMA {pragma}")


def _values(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], changed: Sequence[tuple[int, Convert]]
) -> list[tuple[Any, ...]]:
    """The rows' values in the order of ``names``, converted column by column."""
    columns = [list(map(itemgetter(name), rows)) for name in names]
    for at, convert in changed:
        columns[at] = list(map(convert, columns[at]))
    return list(zip(*columns, strict=True))


def _convert(table: Table, name: str, dialect: Dialect) -> Convert | None:
    kind = table.c[name].type
    if isinstance(kind, JSON):
        return lambda value: None if value is None else msgspec.json.encode(value).decode()
    processor: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if kind.__class__.__name__ == "LargeBinary" and dialect.name == "sqlite":
        return None  # bytes are bytes there
    return _remembered(processor) if kind.__class__.__name__ in ("UtcDateTime", "Date") and processor else processor


def _remembered(processor: Convert) -> Convert:
    """The same few moments and days come in every row."""
    kept: dict[Any, Any] = {}

    def convert(value: Any) -> Any:
        if value not in kept:
            if len(kept) > 10_000:
                kept.clear()
            kept[value] = processor(value)
        return kept[value]

    return convert
