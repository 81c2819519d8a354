"""A throw-away instance for the ingest measurements: nats-server, ingest and worker as processes of their own.

``Rig`` can be told which database to use, can kill any of the processes without mercy, and counts their CPU seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, insert

from app.nats import nats_command, write_config
from core.errors import YiwangError
from core.settings import Settings, load_settings
from storage.migrate import migrate
from storage.session import make_engine, session_scope
from storage.tables.registry import Device

_PORTS = ("NATS", "MQTT", "WEB", "PANEL", "SL651", "HJ212", "JT808", "INGEST_HTTP")


class PeerMissing(YiwangError):
    code = "peer_missing"
    message = "{what} is not on this machine"
    remedy = "{how}"


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, wait_s: float = 240.0) -> None:
    """Return when somebody listens; ``TimeoutError``."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")


class Postgres:
    """A PostgreSQL server on ``folder`` (made, or found there); in figures its processes count as the database's."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
        if not found:
            raise PeerMissing(what="a PostgreSQL server", how="apt-get install postgresql postgresql-postgis")
        self._bin, self._data, self.port = found[-1].parent, folder / "pg", free_port()
        self._user: dict[str, Any] = {"cwd": "/"}
        self.process: subprocess.Popen[bytes] | None = None
        known = (self._data / "db" / "PG_VERSION").exists()
        self._data.mkdir(exist_ok=True)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._data, "postgres", "postgres")
            folder.chmod(0o711)
            self._user |= {"user": "postgres", "group": "postgres"}
        if known:
            self.start()
            return
        run = [str(self._bin / "initdb"), "-D", str(self._data / "db"), "-U", "yiwang", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*run, "--no-locale"], check=True, stdout=subprocess.DEVNULL, **self._user)
        self.start()
        psql = [str(self._bin / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "yiwang", "postgres", "-qc"]
        subprocess.run([*psql, "CREATE DATABASE yiwang"], check=True)
        subprocess.run(
            [*psql[:-2], "-d", "yiwang", "-qc", "CREATE EXTENSION IF NOT EXISTS postgis"], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"postgresql://yiwang@127.0.0.1:{self.port}/yiwang"

    def start(self) -> None:
        """Start, or start again after a kill."""
        command = [str(self._bin / "postgres"), "-D", str(self._data / "db"), "-p", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-k", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._user
        )
        ready = [str(self._bin / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        deadline = time.monotonic() + 30
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL does not start")
            time.sleep(0.05)

    def kill(self) -> None:
        """``kill -9`` of the server with all its children, as a power cut would."""
        if self.process is not None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for child in children:
                child.kill()
            self.process.wait()
            psutil.wait_procs(children, timeout=5)

    def stop(self) -> None:
        """Shut down at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)


class Rig:
    """The instance.  Use as a context manager; ``start`` and ``kill`` take "nats", "ingest", "worker", "database"."""

    def __init__(self, folder: Path, database: str = "sqlite", log_level: str = "WARNING") -> None:
        self.folder = folder
        self.postgres = Postgres(folder) if database == "postgresql" else None
        env = {f"YIWANG_{name}_PORT": str(free_port()) for name in _PORTS}
        env |= {"YIWANG_DATA_DIR": str(folder / "data"), "YIWANG_LOG_LEVEL": log_level}
        if self.postgres is not None:
            env["YIWANG_DATABASE_URL"] = self.postgres.url
        kept = {k: v for k, v in os.environ.items() if not k.startswith("YIWANG_")}
        self._env = kept | env
        self.settings: Settings = load_settings(env)
        migrate(self.settings.database_url)
        self.engine: Engine = make_engine(self.settings.database_url)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._spent: dict[str, float] = {}
        self._log = (folder / "processes.log").open("ab")

    @property
    def environment(self) -> dict[str, str]:
        """Of its processes."""
        return self._env

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("worker", "ingest", "nats"):
            process = self.processes.get(name)
            if process is not None and process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        self.engine.dispose()
        if self.postgres is not None:
            self.postgres.stop()
        self._log.close()

    def start(self, *names: str) -> None:
        """Start processes and wait until they serve."""
        for name in names:
            if name == "database":
                assert self.postgres is not None
                self.postgres.start()
                continue
            if name == "nats":
                command = nats_command(write_config(self.settings))
            else:
                command = [sys.executable, "-m", "app", "serve", name]
            self.processes[name] = subprocess.Popen(command, env=self._env, stdout=self._log, stderr=self._log)
            panels = self.settings.source_port("gb26875")
            ports = {"nats": (self.settings.nats_port, self.settings.mqtt_port), "ingest": (panels,)}
            try:
                for port in ports.get(name, ()):
                    wait_for_port(port)
            except TimeoutError as error:
                raise TimeoutError(f"{name}: {error}\n{self.log_tail()}") from error

    def revive(self) -> None:
        """Start what ended by itself (a worker that met a database still starting), as ``app run`` does."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name)

    def log_tail(self, size: int = 4000) -> str:
        """The end of what the processes wrote."""
        return (self.folder / "processes.log").read_text(errors="replace")[-size:]

    def kill(self, name: str) -> None:
        """``kill -9``."""
        if name == "database":
            assert self.postgres is not None
            self.postgres.kill()
            return
        process = self.processes[name]
        self._spent[name] = self._spent.get(name, 0.0) + self._cpu_now(name)
        process.kill()
        process.wait()

    def _cpu_now(self, name: str) -> float:
        try:
            times = psutil.Process(self.processes[name].pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def cpu_s(self, names: Iterable[str] = ("nats", "ingest", "worker")) -> dict[str, float]:
        """CPU seconds that each process has used so far."""
        return {name: self._spent.get(name, 0.0) + self._cpu_now(name) for name in names if name in self.processes}

    def rss_mb(self, name: str) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.processes[name].pid).memory_info().rss) / 1e6

    def pss_mb(self, name: str) -> float:
        """Memory in MB with shared pages counted by share: what the process costs the machine."""
        return float(psutil.Process(self.processes[name].pid).memory_full_info().pss) / 1e6

    def enrol(self, source: str, addresses: Iterable[str]) -> None:
        """Put accepted devices into the registry's table."""
        rows = [
            {"device_id": f"{source}:{a}", "source": source, "address": a, "status": "accepted", "revision": 1,
             "coord_sys": "wgs84", "calibration": {}, "ranges": {}, "attributes": {}, "name": "", "device_type": ""}
            for a in addresses
        ]  # fmt: skip
        with session_scope(self.engine) as session:
            session.execute(insert(Device), rows)
