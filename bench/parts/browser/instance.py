"""An instance of any checkout of ours as its user starts it: ``app run`` in a folder and on ports of its own."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from app.throwaway import environment

LOGIN = "admin"
WAIT_S = 900.0  # seeding, clips and tiles of the demo city on a busy machine


@dataclass(frozen=True)
class RunningInstance:
    """``base``: its address; ``password`` of :data:`LOGIN`; ``data``: its folder; ``pid`` of ``app run``."""

    base: str
    password: str
    data: Path
    pid: int

    def web(self) -> psutil.Process:
        """The process that answers browsers."""
        for child in psutil.Process(self.pid).children(recursive=True):
            if "web" in child.cmdline()[-3:]:
                return child
        raise RuntimeError("the instance has no web process")


@contextmanager
def running(checkout: Path, folder: Path, python: str = "", password: str = "") -> Iterator[RunningInstance]:
    """``app run`` with the demo city in ``checkout`` (with its own environment, else ours); stopped at the end.

    ``password``: of an instance that ran in ``folder`` before; else the first one is read and changed.
    """
    own = checkout / ".venv" / "bin" / "python"
    python = python or (str(own) if own.exists() else sys.executable)
    settings = environment(folder)
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("YIWANG_")}, **settings}
    log = folder / "run.log"
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [python, "-m", "app", "run"], cwd=checkout, env=env, stdout=out, stderr=out, start_new_session=True
        )
    base = f"http://127.0.0.1:{settings['YIWANG_WEB_PORT']}"
    try:
        if password:
            _answers(base, password, process)
        else:
            password = _chosen(base, _first_password(log, process))
        yield RunningInstance(base, password, folder / "data", process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _chosen(base: str, first: str) -> str:
    """Log in with the first password and take a new one."""
    password = secrets.token_urlsafe(18)
    with httpx.Client(base_url=base, timeout=60, trust_env=False) as client:
        entered = client.post("/api/login", json={"login": LOGIN, "password": first}).raise_for_status().json()
        change = {"old_password": first, "new_password": password}
        token = {"X-CSRF-Token": entered["csrf_token"]}
        client.post("/api/me/password", json=change, headers=token).raise_for_status()
    return password


def _answers(base: str, password: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until one can log in."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            answer = httpx.post(f"{base}/api/login", json={"login": LOGIN, "password": password}, trust_env=False)
            if answer.is_success:
                return
        except httpx.HTTPError:
            pass  # not up yet
        time.sleep(0.5)
    raise RuntimeError("the instance did not start again")


def _first_password(log: Path, process: subprocess.Popen[bytes]) -> str:
    """What the first start shows once."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"log in as admin, password:\s+(\S+)", log.read_text("utf-8", "replace"))
        if found:
            return found.group(1)
        time.sleep(0.5)
    raise RuntimeError(f"the instance did not start: {log.read_text('utf-8', 'replace')[-400:]}")
