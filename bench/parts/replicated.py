"""PostgreSQL with a synchronous streaming replica: killed, started again, failed over; nothing confirmed is lost.

Two servers on fixed ports; the address names both and asks for the one that takes writes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from bench.parts.rig import PeerMissing, free_port


class ReplicatedPostgres:
    """A primary and its synchronous replica below ``folder``; ``first`` is the side that is primary now (0 or 1)."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
        if not found:
            raise PeerMissing(what="a PostgreSQL server", how="apt-get install postgresql postgresql-postgis")
        self._bin, self._folder = found[-1].parent, folder / "pg"
        self._user: dict[str, Any] = {"cwd": "/"}
        self._folder.mkdir(parents=True)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._folder, "postgres", "postgres")
            for above in (folder, *folder.parents[:1]):
                above.chmod(0o711)
            self._user |= {"user": "postgres", "group": "postgres"}
        self.ports = (free_port(), free_port())
        self.first = 0
        self.failed_over = 0
        self._servers: list[subprocess.Popen[bytes] | None] = [None, None]
        self._run("initdb", "-D", str(self._data(0)), "-U", "yiwang", "-A", "trust", "-E", "UTF8", "--no-locale")
        self.start(0, lonely=True)
        self._sql(0, "CREATE DATABASE yiwang")
        self._sql(0, "CREATE EXTENSION IF NOT EXISTS postgis", "yiwang", check=False)
        self.stop_all()
        self.start(0)
        self.copy(1)

    @property
    def url(self) -> str:
        """The address of whoever takes writes."""
        hosts = "&".join(f"host=127.0.0.1:{port}" for port in self.ports)
        return f"postgresql://yiwang@/yiwang?{hosts}&target_session_attrs=read-write"

    def start(self, side: int, *, lonely: bool = False) -> None:
        """Start one of the two; ``lonely``: commits wait for nobody."""
        said = "" if lonely else "*"
        command = [str(self._bin / "postgres"), "-D", str(self._data(side)), "-p", str(self.ports[side])]
        command += ["-h", "127.0.0.1", "-k", "", "-c", f"synchronous_standby_names={said}", "-c", "max_connections=120"]
        command += ["-c", "hot_standby=on", "-c", "wal_keep_size=256MB"]
        command += ["-c", "wal_retrieve_retry_interval=500ms"]  # else commits wait 5 s for a replica to come again
        with (self._folder / f"{side}.log").open("ab") as log:
            self._servers[side] = subprocess.Popen(command, stdout=log, stderr=log, **self._user)
        ready = [str(self._bin / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.ports[side]), "-q"]
        deadline = time.monotonic() + 60
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL does not start")
            time.sleep(0.05)

    def copy(self, side: int) -> None:
        """Make ``side`` a replica of the primary, from nothing."""
        shutil.rmtree(self._data(side), ignore_errors=True)
        source = ["-h", "127.0.0.1", "-p", str(self.ports[1 - side]), "-U", "yiwang"]
        self._run("pg_basebackup", *source, "-D", str(self._data(side)), "-R", "-X", "stream", "-c", "fast")
        self.start(side)

    def kill(self, side: int) -> None:
        """``kill -9`` of one server with all its children, as a power cut would."""
        server = self._servers[side]
        if server is not None and server.poll() is None:
            children = psutil.Process(server.pid).children(recursive=True)
            server.kill()
            for child in children:
                child.kill()
            server.wait()
            psutil.wait_procs(children, timeout=5)
        self._servers[side] = None

    def fail_over(self) -> None:
        """The replica becomes the primary; the killed one begins again as its replica."""
        old, new = self.first, 1 - self.first
        self._run("pg_ctl", "promote", "-D", str(self._data(new)), "-w")
        self.first = new
        self.failed_over += 1
        self.copy(old)

    def is_up(self, side: int) -> bool:
        """Whether this server runs."""
        server = self._servers[side]
        return server is not None and server.poll() is None

    def stop_all(self) -> None:
        """Shut both down at once."""
        for server in self._servers:
            if server is not None and server.poll() is None:
                server.send_signal(signal.SIGINT)
        for server in self._servers:
            if server is not None:
                server.wait(30)

    def _data(self, side: int) -> Path:
        return self._folder / f"db{side}"

    def _run(self, program: str, *args: str) -> None:
        log = self._folder / "tools.log"
        with log.open("ab") as out:
            subprocess.run([str(self._bin / program), *args], check=True, stdout=out, stderr=out, **self._user)

    def _sql(self, side: int, statement: str, database: str = "postgres", *, check: bool = True) -> None:
        at = ["-h", "127.0.0.1", "-p", str(self.ports[side]), "-U", "yiwang", "-d", database]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([str(self._bin / "psql"), *at, "-qc", statement], check=check, **quiet)  # type: ignore[call-overload]
