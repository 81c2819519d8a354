"""Shared fixtures: throw-away settings, a real nats-server, a fresh database."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy import Engine

from app.nats import nats_command, write_config
from core.settings import Settings, load_settings
from storage.session import make_engine
from tests.databases import create_all, without_waiting_for_the_disk

HERE = Path(__file__).parent


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# How fast the machine is proves nothing: no deadline an example, no complaint about slow generation.
hypothesis.settings.register_profile("steady", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("steady")
without_waiting_for_the_disk()

# What is imported stays for the whole run: the collector need not walk it again and again (a fifth of the CPU time).
gc.set_threshold(100_000, 20, 100)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a real browser or starts real servers gets a second try; pytest's closing line counts the reruns.

    Files that wait (browsers, servers) and files that compute take turns, so that both cores have work all the time.
    """
    for item in items:
        if item.get_closest_marker("browser") or "integration" in item.path.parts:
            item.add_marker(pytest.mark.flaky(reruns=1))
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    rooms: dict[str, list[Path]] = {}
    for path in files:
        rooms.setdefault(path.relative_to(HERE).parts[0], []).append(path)
    # each room evenly over the run; browsers and servers end a little earlier, so that small files fill up the end
    order = [
        (n / len(paths) * (1.0 if room == "unit" else 0.85), path)
        for room, paths in rooms.items() for n, path in enumerate(paths)
    ]  # fmt: skip
    items[:] = [item for _, path in sorted(order) for item in files[path]]


def pytest_collection_finish() -> None:
    """Everything that stands now is left out of later collections."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a throw-away instance: own folder, own ports, embedded defaults."""
    names = ("NATS", "MQTT", "WEB", "PANEL", "SL651", "HJ212", "JT808", "INGEST_HTTP", "OUTSIDE")
    env = {f"YIWANG_{name}_PORT": str(free_port()) for name in names}
    return load_settings({"YIWANG_DATA_DIR": str(tmp_path / "data"), **env})


@pytest.fixture
def nats_server(settings: Settings) -> Iterator[Settings]:
    """A running nats-server with our accounts; yields the settings that reach it."""
    config = write_config(settings)
    process = subprocess.Popen(nats_command(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", settings.nats_port)) == 0:
                    break
            time.sleep(0.05)
        yield settings
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A fresh SQLite database with the whole schema."""
    engine = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real footage; skips where ``YIWANG_REAL_DATA`` does not name one."""
    folder = os.environ.get("YIWANG_REAL_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("YIWANG_REAL_DATA does not name a folder of real footage")
    return Path(folder)


def _postgres_bin() -> Path | None:
    """Folder of the newest PostgreSQL server binaries on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A throw-away PostgreSQL server with PostGIS; yields its URL without a database name."""
    folder = _postgres_bin()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql postgresql-postgis)")
    # Not below pytest's own folder: PostgreSQL runs as another user, and other runs of pytest close that folder.
    data = Path(tempfile.mkdtemp(prefix="yiwang-postgres-"))
    port = free_port()
    user: dict[str, object] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(data, "postgres", "postgres")
        user = {"user": "postgres", "group": "postgres", "cwd": "/"}
    run = [folder / "initdb", "-D", data / "db", "-U", "yiwang", "-A", "trust", "-E", "UTF8", "--no-locale"]
    subprocess.run([str(a) for a in run], check=True, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]
    log = (data / "postgres.log").open("wb")
    server = subprocess.Popen(  # type: ignore[call-overload]
        [str(folder / "postgres"), "-D", str(data / "db"), "-p", str(port), "-h", "127.0.0.1", "-k", ""],
        stdout=log,
        stderr=log,
        **user,
    )
    try:
        url = f"postgresql://yiwang@127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(f"{url}/postgres").close()
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        log.close()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def postgis_template(postgres_server: str) -> str:
    """Name of an empty database with the postgis extension, for others to be copied from."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE with_postgis")
    try:
        with psycopg.connect(f"{postgres_server}/with_postgis", autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except psycopg.errors.Error as error:
        pytest.skip(f"PostGIS is missing (apt-get install postgresql-postgis): {error}")
    return "with_postgis"


@pytest.fixture
def postgres_url(postgres_server: str, postgis_template: str) -> Iterator[str]:
    """URL of an empty database with the postgis extension."""
    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {postgis_template}')
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under ``YIWANG_FORBID_SKIPS=1`` a skipped test fails the run: nothing may hide for want of a package."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("YIWANG_FORBID_SKIPS") != "1" or reporter is None:
        return
    skipped = [r for r in reporter.stats.get("skipped", []) if not _may_skip(str(r.longrepr))]
    if skipped:
        reporter.write_line(f"{len(skipped)} test(s) skipped although YIWANG_FORBID_SKIPS=1", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _may_skip(reason: str) -> bool:
    # Real footage and the cases of the field lie beside the project only where someone put them.
    if "YIWANG_FIELD_CASES" in reason:
        return not os.environ.get("YIWANG_FIELD_CASES")
    return "YIWANG_REAL_DATA" in reason and not os.environ.get("YIWANG_REAL_DATA")
