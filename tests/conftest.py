"""Shared fixtures: throw-away settings, a real nats-server, a fresh database."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.nats import nats_command, write_config
from core.settings import Settings, load_settings
from storage.schema import create_all
from storage.session import make_engine


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a throw-away instance: own folder, own ports, embedded defaults."""
    names = ("NATS", "MQTT", "WEB", "PANEL", "SL651", "HJ212", "JT808", "INGEST_HTTP")
    env = {f"YIWANG_{name}_PORT": str(free_port()) for name in names}
    return load_settings({"YIWANG_DATA_DIR": str(tmp_path / "data"), **env})


@pytest.fixture
def nats_server(settings: Settings) -> Iterator[Settings]:
    """A running nats-server with our accounts; yields the settings that reach it."""
    config = write_config(settings)
    process = subprocess.Popen(nats_command(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
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
