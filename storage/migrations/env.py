"""Alembic's entry: runs the migrations on the engine of storage.session.

SQLite changes a table by making it anew and dropping the old one.  With foreign keys enforced, dropping a table that
others point at fails (or takes their rows with it), so enforcement rests while migrations run and every reference is
checked before the one commit; a reference that leads nowhere undoes everything.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from storage.migration_errors import ReferencesBroken
from storage.schema import UtcDateTime, full_metadata
from storage.session import make_engine


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen_context.imports.add("from storage.schema import UtcDateTime")
        return "UtcDateTime()"
    return False


def rest_foreign_keys(connection: Connection, rest: bool) -> None:
    """Switch SQLite's enforcement; only outside a transaction, so past SQLAlchemy, which would begin one."""
    if connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute(f"PRAGMA foreign_keys={'OFF' if rest else 'ON'}")


def check_references(connection: Connection) -> None:
    """:class:`ReferencesBroken` when a row points at one that is not there."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
    if broken:
        first = "; ".join(f"{table} row {row} → {parent}" for table, row, parent, _ in broken)
        raise ReferencesBroken(detail=first)


engine = make_engine(context.config.attributes["database_url"])
try:
    with engine.connect() as connection:
        rest_foreign_keys(connection, True)
        context.configure(
            connection=connection,
            target_metadata=full_metadata(),
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            transactional_ddl=True,  # SQLite can as well: all migrations, or none
        )
        with context.begin_transaction():
            before = context.get_context().get_current_heads()
            context.run_migrations()
            if context.get_context().get_current_heads() != before:
                check_references(connection)
        rest_foreign_keys(connection, False)
finally:
    engine.dispose()
