"""The production set on one machine: three nats-servers, PostgreSQL and its replica, two workers, two webs, visions.

``kill`` and ``start`` take the names of :meth:`Cluster.names`; a proxy of our own stands before the webs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from app.nats import nats_binary
from bench.parts.replicated import ReplicatedPostgres
from bench.parts.rig import free_port, wait_for_port
from core.settings import Settings, load_settings
from ingest.nkeys import Issuer
from storage.migrate import migrate
from storage.session import make_engine

CONF = Path(__file__).resolve().parents[2] / "deploy/nats.conf"
NODES = ("nats-1", "nats-2", "nats-3")


class Cluster:
    """The set.  Use as a context manager."""

    def __init__(self, folder: Path, visions: int = 0) -> None:
        self.folder = folder
        self._visions = visions
        self.postgres = ReplicatedPostgres(folder)
        self._ports = {n: {k: free_port() for k in ("client", "cluster", "mqtt", "monitor")} for n in NODES}
        self.web_ports = (free_port(), free_port())
        urls = ",".join(f"nats://127.0.0.1:{p['client']}" for p in self._ports.values())
        env = {
            "YIWANG_DATA_DIR": str(folder / "data"), "YIWANG_LOG_LEVEL": "INFO", "YIWANG_NATS_URL": urls,
            "YIWANG_NATS_REPLICAS": "3", "YIWANG_DATABASE_URL": self.postgres.url,
        }  # fmt: skip
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("YIWANG_")} | env
        self.settings: Settings = load_settings(env)
        migrate(self.settings.database_url)
        self.engine = make_engine(self.settings.database_url)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(15)
        self.engine.dispose()
        self.postgres.stop_all()

    def names(self) -> list[str]:
        """All that can be killed."""
        visions = [f"vision-{n}" for n in range(1, self._visions + 1)]
        return [*NODES, "worker-1", "worker-2", "web-1", "web-2", "primary", "replica", *visions]

    def start_all(self) -> None:
        """Everything that is not up; the databases are."""
        for name in self.names():
            if name not in {"primary", "replica"}:
                self.start(name)

    def start(self, name: str, *, fail_over: bool = False) -> None:
        """Start what was killed; ``fail_over``: the replica takes the killed primary's place."""
        if name in {"primary", "replica"}:
            self._start_database(name, fail_over=fail_over)
            return
        running = self.processes.get(name)
        if running is not None and running.poll() is None:
            return
        env = dict(self._env)
        if name in NODES:
            command, env = [nats_binary(), "-c", str(CONF)], env | self._node(name)
        else:
            kind, _, number = name.partition("-")
            command = [sys.executable, "-m", "app", "serve", kind]
            if kind == "web":
                env["YIWANG_WEB_PORT"] = str(self.web_ports[int(number) - 1])
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        if name in NODES:
            wait_for_port(self._ports[name]["client"])

    def _start_database(self, name: str, *, fail_over: bool) -> None:
        database = self.postgres
        side = database.first if name == "primary" else 1 - database.first
        if database.is_up(side):
            return
        if name == "primary" and fail_over and database.is_up(1 - side):
            database.fail_over()
        else:
            database.start(side)

    def kill(self, name: str) -> None:
        """``kill -9``."""
        if name in {"primary", "replica"}:
            self.postgres.kill(self.postgres.first if name == "primary" else 1 - self.postgres.first)
            return
        self.processes[name].kill()
        self.processes[name].wait()

    def revive(self) -> list[str]:
        """Start what ended by itself, as a supervisor does; the names."""
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        for name in ended:
            self.start(name)
        return ended

    def _node(self, name: str) -> dict[str, str]:
        port, settings = self._ports[name], self.settings
        routes = {
            f"NATS_ROUTE_{n[-1]}": f"nats://route:route-secret@127.0.0.1:{p['cluster']}" for n, p in self._ports.items()
        }
        return {
            **routes,
            "NATS_NODE": name,
            "NATS_LISTEN": f"127.0.0.1:{port['client']}",
            "NATS_MONITOR": f"127.0.0.1:{port['monitor']}",
            "NATS_CLUSTER_LISTEN": f"127.0.0.1:{port['cluster']}",
            "NATS_MQTT_LISTEN": f"127.0.0.1:{port['mqtt']}",
            "NATS_STORE": str(self.folder / name),
            "NATS_ROUTE_PASSWORD": "route-secret",
            "NATS_ADMIN_PASSWORD": "admin-secret",
            "YIWANG_NATS_TOKEN": settings.nats_token,
            "YIWANG_MQTT_PASSWORD": settings.mqtt_password,
            "YIWANG_BROKER_ISSUER": Issuer(settings.broker_secret).public,
        }


class Proxy:
    """A TCP proxy that gives a connection to the first backend that answers, each in turn."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        self._turn = 0
        self.port = free_port()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await self._backend()
        if behind is None:
            writer.close()
            return
        there, back = behind
        pipes = [asyncio.create_task(_pipe(reader, back)), asyncio.create_task(_pipe(there, writer))]
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for pipe in pipes:
            pipe.cancel()
        for end in (writer, back):
            end.close()

    async def _backend(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for _ in self._ports:
                self._turn += 1
                with contextlib.suppress(OSError):
                    return await asyncio.open_connection("127.0.0.1", self._ports[self._turn % len(self._ports)])
            await asyncio.sleep(0.1)
        return None


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
