"""Migrations: Alembic run from code, so that no ini file and no path is needed."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.outside import grant
from storage.session import make_engine

_FOLDER = Path(__file__).parent / "migrations"


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["database_url"] = database_url
    return config


def migrate(database_url: str, revision: str = "head") -> str:
    """Upgrade to ``revision``; returns the revision reached.  Harmless when nothing is pending."""
    config = _config(database_url)
    command.upgrade(config, revision)
    if revision == "head" and database_url.startswith("postgresql"):
        engine = make_engine(database_url)
        try:
            with engine.begin() as connection:
                grant(connection)  # the role may have been made after the tables
        finally:
            engine.dispose()
    return ScriptDirectory.from_config(config).get_current_head() or "base"


def downgrade(database_url: str, revision: str) -> None:
    """Go back to ``revision``."""
    command.downgrade(_config(database_url), revision)


def current(database_url: str) -> str:
    """The revision that the database stands at, "base" for an empty one."""
    engine = make_engine(database_url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or "base"
    finally:
        engine.dispose()


def pending(database_url: str) -> int:
    """How many migrations the database lacks."""
    script = ScriptDirectory.from_config(_config(database_url))
    engine = make_engine(database_url)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    head = script.get_current_head()
    if current == head or head is None:
        return 0
    return sum(1 for _ in script.iterate_revisions(head, current or "base"))


def new_revision(database_url: str, message: str) -> None:
    """Write the migration that brings the database at ``database_url`` to the tables' state (for developers)."""
    command.revision(_config(database_url), message, autogenerate=True)
