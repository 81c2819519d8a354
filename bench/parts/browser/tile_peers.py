"""Other servers of tiles: nginx over the same tiles as files, titiler over a picture of the same size.

Each is started on a free port with one worker, as our web process is one; None where it is not installed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.parts.cpu import quantiles
from layers.tiles import TileSet

CONFIG = """daemon off; {user} worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
server {{ listen 127.0.0.1:{port}; root {folder}; default_type application/x-protobuf;
location / {{ add_header Content-Encoding gzip; }} }} }}
"""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tile_files(archive: Path, folder: Path, zoom: int, most: int = 400) -> list[str]:
    """Tiles of ``archive`` at ``zoom`` as files below ``folder``: their addresses (``/z/x/y.pbf``)."""
    tiles = TileSet(archive)
    found = []
    for z, x, y in sorted(key for key in tiles._tiles if key[0] == zoom)[:most]:
        file = folder / str(z) / str(x) / f"{y}.pbf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(tiles.get(z, x, y) or b"")
        found.append(f"/{z}/{x}/{y}.pbf")
    return found


@contextmanager
def nginx(folder: Path) -> Iterator[tuple[str, psutil.Process] | None]:
    """nginx over ``folder``: its address and its process."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, user="user root;" if os.geteuid() == 0 else ""))
    with _started([program, "-c", str(config), "-p", str(folder)], port) as process:
        yield f"http://127.0.0.1:{port}", process


@contextmanager
def titiler(python: str, folder: Path) -> Iterator[tuple[str, psutil.Process] | None]:
    """titiler (``python``: an interpreter that has titiler.core and uvicorn) over files in ``folder``."""
    if not python or subprocess.run([python, "-c", "import titiler.core, uvicorn"], check=False).returncode:  # noqa: S603
        yield None
        return
    port = free_port()
    (folder / "titiler_peer.py").write_text(
        "from fastapi import FastAPI\nfrom titiler.core.factory import TilerFactory\n"
        "app = FastAPI()\napp.include_router(TilerFactory().router)\n"
    )
    with _started([python, "-m", "uvicorn", "titiler_peer:app", "--port", str(port), "--log-level", "error"],
                  port, folder) as process:  # fmt: skip
        yield f"http://127.0.0.1:{port}", process


@contextmanager
def _started(command: list[str], port: int, folder: Path | None = None) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)  # noqa: S603 - a server that the person named, no shell
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and its children."""
    found = [process, *process.children(recursive=True)]
    return sum(sum(p.cpu_times()[:2]) for p in found if p.is_running())


async def steady(
    base: str, paths: Sequence[str], rate: float, seconds: float, process: psutil.Process, login: tuple[str, str] | None
) -> dict[str, Any]:
    """``rate`` requests a second for ``seconds``: waits in ms from when each was due, and answers per CPU second."""
    waits: list[float] = []
    wrong = 0
    async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as client:
        if login:
            (
                await client.post("/api/login", json=dict(zip(("login", "password"), login, strict=True)))
            ).raise_for_status()
        before, began = cpu_of(process), time.monotonic()
        pending: set[asyncio.Task[None]] = set()

        async def one(path: str, due: float) -> None:
            nonlocal wrong
            answer = await client.get(path)
            wrong += answer.status_code != 200
            waits.append(1000 * (time.monotonic() - due))

        number = 0
        while (now := time.monotonic()) < began + seconds:
            due = began + number / rate
            if now < due:
                await asyncio.sleep(due - now)
            task = asyncio.create_task(one(paths[number % len(paths)], due))
            pending.add(task)
            task.add_done_callback(pending.discard)
            number += 1
        await asyncio.gather(*pending)
        used = cpu_of(process) - before
    return {"rate": rate, "unit": "ms", **quantiles(waits), "not_200": wrong,
            "per_cpu_second": round(number / used) if used > 0 else None}  # fmt: skip
