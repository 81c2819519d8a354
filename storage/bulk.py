"""Many rows into one table at once: the types' own conversions, without the cost of a statement a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import JSON, Column, Dialect, Table, insert
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any]
_NONE: Mapping[str, Any] = MappingProxyType({})
_ASKED = 500  # values of one question


def bulk_insert(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], same: Mapping[str, Any] = _NONE
) -> None:
    """Insert ``rows``, which all have the same columns, in the session's transaction; ``same``: values of every row."""
    if not rows:
        return
    connection = session.connection()
    text, names, converts, positional = _statement(table, (*rows[0], *same), connection.dialect)
    values = _values(rows, names, converts, same)
    if not positional:
        connection.exec_driver_sql(text, [dict(zip(names, line, strict=True)) for line in values])
        return
    connection.exec_driver_sql(text, values)


@lru_cache(maxsize=256)
def _statement(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[str, Sequence[str], tuple[Convert | None, ...], bool]:
    """``(text, names in its order, their conversions, whether parameters have no names)`` of an insertion."""
    statement = insert(table).values(dict.fromkeys(names)).compile(dialect=dialect)
    order = statement.positiontup
    ordered = names if order is None else tuple(order)  # the values stand in the statement's own order at once
    return str(statement), ordered, tuple(_convert(table, name, dialect) for name in ordered), order is not None


def present(session: Session, column: Column[Any], values: Sequence[Any], where: tuple[Column[Any], Any]) -> set[Any]:
    """Those of ``values`` that stand in ``column`` where another column has a value, ``where``; asked in large lots."""
    connection = session.connection()
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    begin = f"SELECT {column.name} FROM {column.table.name} WHERE {where[0].name} = {mark} AND {column.name} IN"
    found: set[Any] = set()
    for at in range(0, len(values), _ASKED):
        lot = values[at : at + _ASKED]
        rows = connection.exec_driver_sql(f"{begin} ({', '.join([mark] * len(lot))})", (where[1], *lot))
        found.update(value for (value,) in rows)
    return found


def roomy(session: Session) -> None:
    """Give SQLite's connection room for a large batch: its indexes stay in memory, the log is taken over seldom."""
    if session.get_bind().dialect.name == "sqlite":
        for pragma in ("cache_size=-65536", "wal_autocheckpoint=40000", "journal_size_limit=67108864"):
            # 64 MB of pages; the log is taken over at 160 MB and cut to 64 again
            session.connection().exec_driver_sql(f"PRAGMA {pragma}")


def _values(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], converts: Sequence[Convert | None], same: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """The rows' values in the order of ``names``, converted column by column."""
    columns: list[Iterable[Any]] = []
    for name, convert in zip(names, converts, strict=True):
        if name in same:
            columns.append(repeat(same[name] if convert is None else convert(same[name]), len(rows)))
            continue
        column = map(itemgetter(name), rows)
        columns.append(column if convert is None else map(convert, column))
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
