"""Tables that others point at can be made anew on a filled SQLite; a migration that breaks references undoes itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

import storage
from storage.migration_errors import ReferencesBroken
from storage.session import make_engine

_BATCH = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{before}", None, None
TABLES = ("division", "site", "case_file")
def upgrade():
    for table in TABLES:
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.add_column(sa.Column("extra", sa.String(5), nullable=False, server_default="x"))
    {more}
def downgrade():
    for table in TABLES:
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.drop_column("extra")
"""
_ROWS = (
    "INSERT INTO division (code, name, level) VALUES ('220105', '二道区', 'district')",
    "INSERT INTO division (code, name, level, parent_code) VALUES ('220105001', '东站', 'street', '220105')",
    "INSERT INTO site (site_id, name, kind, lon, lat, division_code) VALUES ('s', 'm', 'k', 125.3, 43.8, '220105001')",
    "INSERT INTO camera (camera_id, name, category, site_id, lon, lat) VALUES ('c', 'c', 'k', 's', 125.3, 43.8)",
    "INSERT INTO case_file (case_id, number, stage, state, title, site_id) VALUES ('1', 'n1', 's', 's', 't', 's')",
    "INSERT INTO case_file (case_id, number, stage, state, title, parent_case_id) VALUES ('2', 'n', '', '', 't', '1')",
)


def _config(tmp_path: Path, url: str, more: str) -> Config:
    """Our migrations and one more, which makes three tables anew."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(storage.__file__).parent / "migrations", folder)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["database_url"] = url
    before = ScriptDirectory.from_config(config).get_current_head()
    (folder / "versions" / "9999_batch.py").write_text(_BATCH.format(before=before, more=more))
    config.attributes["before"] = before
    return config


def _fill(url: str) -> None:
    """The rows above; every other column that must have a value gets one of its type."""
    engine = make_engine(url)
    with engine.begin() as connection:
        for row in _ROWS:
            table = row.split()[2]
            given = {name.strip() for name in row.split("(", 1)[1].split(")", 1)[0].split(",")}
            columns, values = "", ""
            for _, name, kind, needed, default, _ in connection.exec_driver_sql(f"PRAGMA table_info({table})"):
                if needed and default is None and name not in given:
                    columns += f", {name}"
                    values += ", '2026-01-01 00:00:00'" if "DATE" in kind else ", '{}'" if kind == "JSON" else ", 0"
            head, _, tail = row.partition(") VALUES (")
            connection.exec_driver_sql(f"{head}{columns}) VALUES ({tail[:-1]}{values})")
    engine.dispose()


def _one(url: str, query: str) -> object:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql(query).scalar()
    finally:
        engine.dispose()


@pytest.fixture
def filled(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'filled.db'}"


def test_a_table_made_anew_keeps_what_points_at_it(tmp_path: Path, filled: str) -> None:
    config = _config(tmp_path, filled, "pass")
    command.upgrade(config, config.attributes["before"])
    _fill(filled)
    command.upgrade(config, "head")
    assert _one(filled, "SELECT count(*) FROM case_file WHERE extra = 'x'") == 2
    assert _one(filled, "SELECT site_id FROM camera") == "s"
    assert _one(filled, "SELECT count(*) FROM pragma_foreign_key_check") == 0
    with pytest.raises(IntegrityError):  # enforced again
        _one(filled, "DELETE FROM site")
    command.downgrade(config, config.attributes["before"])
    assert _one(filled, "SELECT count(*) FROM case_file JOIN site USING (site_id)") == 1


def test_a_migration_that_breaks_references_changes_nothing(tmp_path: Path, filled: str) -> None:
    config = _config(tmp_path, filled, """op.execute("DELETE FROM division WHERE code = '220105001'")""")
    command.upgrade(config, config.attributes["before"])
    _fill(filled)
    with pytest.raises(ReferencesBroken, match="site row"):
        command.upgrade(config, "head")
    assert _one(filled, "SELECT count(*) FROM division") == 2
    assert _one(filled, "SELECT version_num FROM alembic_version") == config.attributes["before"]
    assert _one(filled, "SELECT count(*) FROM pragma_table_info('site') WHERE name = 'extra'") == 0
