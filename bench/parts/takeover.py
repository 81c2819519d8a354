"""How long cameras are blind when a vision worker is killed: two real processes, a real bus, SIGKILL, several times."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from nats.js.errors import KeyNotFoundError

from app.throwaway import environment, settings_of, throwaway
from core.bus import Bus, connect
from core.records import AlgorithmConfig, CameraConfig, encode

CAMERAS = 8
LONGEST_S = 30.0


def measure(clips: list[Path], kills: int) -> dict[str, Any]:
    """Seconds from each SIGKILL until every camera of the killed worker gives pictures in the other one."""
    with tempfile.TemporaryDirectory(prefix="yiwang-takeover-") as name:
        seconds = asyncio.run(_kills(environment(Path(name)), clips, kills))
    ordered = sorted(seconds)
    return {
        "cameras": CAMERAS,
        "kills": kills,
        "median_s": round(ordered[len(ordered) // 2], 2),
        "longest_s": round(ordered[-1], 2),
        "all_s": [round(s, 2) for s in seconds],
    }


async def _kills(env: dict[str, str], clips: list[Path], kills: int) -> list[float]:
    taken: list[float] = []
    async with throwaway(env, lambda _: None, ("nats-server",)):
        bus = await connect(settings_of(env), "bench", wait_s=30)
        await bus.ensure()
        registry = await bus.bucket("registry")
        for n in range(CAMERAS):
            wish = (AlgorithmConfig(kind="flame_smoke"),)
            url = f"file://{clips[n % len(clips)]}?loop=1"
            config = CameraConfig(camera_id=f"c{n}", name="c", url=url, algorithms=wish)
            await registry.put(f"camera.c{n}", encode(config))
        workers = [_start(env), _start(env)]
        try:
            await _until(bus, lambda live: len(live) == CAMERAS and len({s["worker"] for s in live.values()}) == 2, 120)
            for _ in range(kills):
                taken.append(await _kill_one(bus, workers))
                workers.append(_start(env))
                await _until(bus, lambda live: len({s["worker"] for s in live.values()}) == 2, 120)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait(10)
            await bus.close()
    return taken


async def _kill_one(bus: Bus, workers: list[subprocess.Popen[bytes]]) -> float:
    before = await _live(bus)
    victim = next(w for w in workers if any(f"-{w.pid}-" in s["worker"] for s in before.values()))
    lost = {c: s["epoch"] for c, s in before.items() if f"-{victim.pid}-" in s["worker"]}
    victim.send_signal(signal.SIGKILL)
    began = time.monotonic()

    def running(live: dict[str, dict[str, Any]]) -> bool:
        """Another holder, and pictures."""
        return all(live[c]["epoch"] > e and live[c]["state"] == "online" and live[c]["frames"] for c, e in lost.items())

    await _until(bus, running, LONGEST_S)
    seconds = time.monotonic() - began
    victim.wait(10)
    workers.remove(victim)
    return seconds


async def _live(bus: Bus) -> dict[str, dict[str, Any]]:
    bucket = await bus.bucket("live")
    found = {}
    for n in range(CAMERAS):
        with contextlib.suppress(KeyNotFoundError):  # nobody holds it yet
            found[f"c{n}"] = json.loads((await bucket.get(f"camera.c{n}")).value or b"{}")
    return found


async def _until(bus: Bus, right: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        live = await _live(bus)
        if live and right(live):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"not within {seconds:.0f} s: {live}")


def _start(env: dict[str, str]) -> subprocess.Popen[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YIWANG_")}
    command = [sys.executable, "-m", "app", "serve", "vision"]
    return subprocess.Popen(command, env=kept | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
