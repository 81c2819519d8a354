"""Alembic's entry: runs the migrations on the engine of storage.session."""

from typing import Any, Literal

from alembic import context

from storage.schema import UtcDateTime, full_metadata
from storage.session import make_engine


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen_context.imports.add("from storage.schema import UtcDateTime")
        return "UtcDateTime()"
    return False


engine = make_engine(context.config.attributes["database_url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=full_metadata(),
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
