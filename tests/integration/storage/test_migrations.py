"""The migrations lead to exactly the schema that the tables declare, on every database we support."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from storage.migrate import downgrade, migrate, pending
from storage.schema import full_metadata
from storage.session import make_engine


def _differences(url: str) -> list[object]:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={"compare_type": True, "include_object": lambda o, name, kind, *_: name != "spatial_ref_sys"},
            )
            return compare_metadata(context, full_metadata())
    finally:
        engine.dispose()


def _check(url: str) -> None:
    assert pending(url) > 0
    migrate(url)
    assert pending(url) == 0
    assert _differences(url) == []
    downgrade(url, "base")
    migrate(url)  # and again, on what a downgrade leaves
    assert _differences(url) == []


def test_sqlite(tmp_path: Path) -> None:
    _check(f"sqlite:///{tmp_path / 'migrated.db'}")


@pytest.mark.postgres
def test_postgresql(postgres_url: str) -> None:
    _check(postgres_url)


@pytest.mark.postgres
def test_the_application_needs_no_superuser(postgres_server: str, tmp_path: Path) -> None:
    """As deploy/postgres-init.sh makes it: a role that owns its database; the superuser made the extension."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as chief:
        chief.execute("CREATE ROLE plain LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        chief.execute("CREATE DATABASE plain_city OWNER plain")
    try:
        with psycopg.connect(f"{postgres_server}/plain_city", autocommit=True) as chief:
            chief.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        url = postgres_server.replace("yiwang@", "plain@") + "/plain_city"
        migrate(url)
        assert _differences(url) == []
    finally:
        with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as chief:
            chief.execute("DROP DATABASE plain_city WITH (FORCE)")
            chief.execute("DROP ROLE plain")
