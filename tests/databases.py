"""Fresh databases that cost little: the schema is made once a process, then a file is copied.

The tests of one process prove nothing about a machine that loses power, so SQLite does not wait for the disk in it;
the processes that tests start (and kill) write as they do in a city.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Pool, event

from storage import schema
from storage.session import make_engine


@lru_cache(maxsize=1)
def _template() -> Path:
    folder = tempfile.mkdtemp(prefix="yiwang-schema-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Path(folder) / "schema.db"
    engine = make_engine(f"sqlite:///{made}")
    schema.create_all(engine)
    engine.dispose()
    return made


def create_all(engine: Engine) -> None:
    """:func:`storage.schema.create_all`; on an SQLite file that is not there yet, by copying one."""
    file = Path(engine.url.database or "")
    if engine.dialect.name != "sqlite" or not file.name or file.name == ":memory:" or file.exists():
        schema.create_all(engine)
        return
    schema.full_metadata()
    shutil.copyfile(_template(), file)


def without_waiting_for_the_disk() -> None:
    """From here on SQLite connections of this process leave it to the system when their commits reach the disk."""

    @event.listens_for(Pool, "checkout")
    def _relax(connection: Any, record: Any, _proxy: Any) -> None:
        if "relaxed" not in record.info:
            record.info["relaxed"] = True
            if type(connection).__module__ == "sqlite3":
                connection.execute("PRAGMA synchronous=OFF")
