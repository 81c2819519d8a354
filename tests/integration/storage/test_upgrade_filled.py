"""Up from the first schema, and from an early build's, with every table filled, and back: no row is lost or changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage.migrate import downgrade, migrate
from storage.session import make_engine

FIRST, EARLY = "0001", "0002"  # the first schema; that of build 79d5c40
ROWS = 3
Contents = dict[str, list[tuple[Any, ...]]]


def _tables(engine: sa.Engine) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return [t for t in metadata.sorted_tables if t.name not in {"alembic_version", "spatial_ref_sys"}]


def _value(table: sa.Table, column: sa.Column[Any], n: int) -> Any:
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        return None if target.table is table else _value(target.table, target, n)
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"n": n, "text": "二道区"}
    if isinstance(kind, sa.Boolean):
        return n % 2 == 0
    if isinstance(kind, sa.DateTime):
        return datetime(2026, 1, 1 + n, 8, tzinfo=UTC if table.metadata.info["zoned"] else None)
    if isinstance(kind, sa.Date):
        return date(2026, 1, 1 + n)
    if isinstance(kind, sa.Integer):
        return n + 1
    if isinstance(kind, sa.Numeric | sa.Float):
        return n + 0.5
    if isinstance(kind, sa.LargeBinary):
        return bytes([n, 255])
    return f"{n}{column.name}"[: getattr(kind, "length", None) or 40]


def _fill(engine: sa.Engine) -> int:
    filled = 0
    tables = _tables(engine)
    with engine.begin() as connection:
        for table in tables:
            table.metadata.info["zoned"] = engine.dialect.name == "postgresql"
            rows = [{c.name: _value(table, c, n) for c in table.columns} for n in range(ROWS)]
            connection.execute(table.insert(), rows)
            filled += ROWS
    return filled


def _contents(engine: sa.Engine, columns: dict[str, list[str]] | None = None) -> tuple[Contents, dict[str, list[str]]]:
    """Rows of every table (of ``columns`` alone), in order."""
    known = columns or {t.name: [c.name for c in t.columns] for t in _tables(engine)}
    found: Contents = {}
    with engine.connect() as connection:
        for name, wanted in known.items():
            quoted = ", ".join(f'"{column}"' for column in wanted)
            rows = connection.exec_driver_sql(f'SELECT {quoted} FROM "{name}"').all()
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found, known


def _up_and_back(url: str, revision: str) -> None:
    migrate(url)
    downgrade(url, revision)
    engine = make_engine(url)
    try:
        assert _fill(engine) > 60
        before, columns = _contents(engine)
        migrate(url)
        counts, _ = _contents(engine, {name: some[:1] for name, some in columns.items()})
        assert {name: len(rows) for name, rows in counts.items()} == dict.fromkeys(columns, ROWS)
        downgrade(url, revision)
        after, _ = _contents(engine, columns)
        for name in before:
            assert after[name] == before[name], name
        migrate(url)  # and up once more, on what came back
    finally:
        engine.dispose()


@pytest.mark.parametrize("revision", [FIRST, pytest.param(EARLY, marks=pytest.mark.long)])
def test_sqlite(tmp_path: Path, revision: str) -> None:
    _up_and_back(f"sqlite:///{tmp_path / 'filled.db'}", revision)


@pytest.mark.postgres
@pytest.mark.parametrize("revision", [FIRST, pytest.param(EARLY, marks=pytest.mark.long)])
def test_postgresql(postgres_url: str, revision: str) -> None:
    _up_and_back(postgres_url, revision)
