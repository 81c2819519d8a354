"""Point-in-time recovery of PostgreSQL as docs/operations.md tells it: base backup, archive, back to a moment."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, select

from core.clock import SystemClock
from core.records import SYSTEM, Command
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.service import CaseService
from events.evidence import audit_log
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.registry import Department
from tests.conftest import free_port
from tests.databases import create_all

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


class Server:
    """A PostgreSQL server that archives, and can be put back."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
        if not found:
            pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql postgresql-postgis)")
        self.bin, self.folder, self.port = found[-1].parent, folder, free_port()
        self.user: dict[str, Any] = {"cwd": "/"}
        (folder / "archive").mkdir()
        if os.geteuid() == 0:
            self.user |= {"user": "postgres", "group": "postgres"}
            for path in (folder, folder / "archive"):
                shutil.chown(path, "postgres", "postgres")
        self.tool("initdb", "-D", str(folder / "db"), "-U", "yiwang", "-A", "trust", "-E", "UTF8", "--no-locale")
        self.process: subprocess.Popen[bytes] | None = None

    def tool(self, program: str, *args: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([str(self.bin / program), *args], check=True, **quiet, **self.user)  # type: ignore[call-overload]

    def start(self, data: str, *more: str) -> None:
        archive = f"test ! -f {self.folder}/archive/%f && cp %p {self.folder}/archive/%f"
        command = [str(self.bin / "postgres"), "-D", str(self.folder / data), "-p", str(self.port), "-h", "127.0.0.1"]
        command += ["-k", "", "-c", "archive_mode=on", "-c", f"archive_command={archive}", *more]
        with (self.folder / f"{data}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self.user)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with psycopg.connect(f"{self.url}/postgres", connect_timeout=2) as connection:
                    if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                        return
            except psycopg.OperationalError:
                pass  # still starting, or still recovering
            time.sleep(0.1)
        raise AssertionError((self.folder / f"{data}.log").read_text()[-3000:])

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    @property
    def url(self) -> str:
        return f"postgresql://yiwang@127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="yiwang-pitr-"))
    found = Server(folder)
    try:
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def opened(engine: Engine, title: str) -> str:
    service = CaseService(engine, SystemClock())
    with session_scope(engine) as session:
        draft = CaseDraft(
            title=title, kind="fire_alarm", source_type="device", source_id="d", auto_register=True,
            route=Route(lead=Part(department_id="dept-fire")),
        )  # fmt: skip
        return service.open_case(session, draft).case_id


def test_back_to_the_moment_before_a_mistake(server: Server) -> None:
    server.start("db")
    with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE yiwang")
    engine = make_engine(f"{server.url}/yiwang")
    create_all(engine)
    with session_scope(engine) as session:
        session.add(Department(department_id="dept-fire", name="dept-fire"))
    before = opened(engine, "before the base backup")
    source = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "yiwang"]
    server.tool("pg_basebackup", *source, "-D", str(server.folder / "base"), "-X", "none", "-c", "fast")
    between = opened(engine, "after the base backup")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_switch_wal()")
    moment = datetime.now(UTC)
    time.sleep(1.1)  # recovery stops at the first commit after the moment
    CaseService(engine, SystemClock()).execute(
        Command(name="comment", case_id=between, actor_id="system", data={"comment": "a mistake"}), SYSTEM
    )
    after = opened(engine, "after the moment")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_switch_wal()")
    engine.dispose()
    server.stop()

    (server.folder / "base" / "recovery.signal").touch()
    if os.geteuid() == 0:
        shutil.chown(server.folder / "base" / "recovery.signal", "postgres", "postgres")
    recovery = ["-c", f"restore_command=cp {server.folder}/archive/%f %p", "-c", f"recovery_target_time={moment}"]
    server.start("base", *recovery, "-c", "recovery_target_action=promote")
    engine = make_engine(f"{server.url}/yiwang")
    with read_scope(engine) as session:
        titles = set(session.scalars(select(Case.title)))
        assert titles == {"before the base backup", "after the base backup"}, after
        for case_id in (before, between):
            assert list(audit_log.check_chain(audit_log.chain(session, case_id))) == []
        assert "a mistake" not in str([entry.body for entry in audit_log.chain(session, between)])
    assert opened(engine, "life goes on")
    engine.dispose()
