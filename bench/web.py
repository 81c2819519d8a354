"""The wall in a browser: first useful map cold and warm, panning, its weight; tiles; plotly's map on the same data.

In one run: a throw-away instance with the demo city, a headless Chromium with software GL, and peers one after the
other on the same machine: plotly's map over the same buildings and cameras.  pydeck, nginx and 200,000 buildings are
not measured here yet, and the answer says so.  ``--against FOLDER``: another checkout, measured alike.
Figures of a loaded machine are no forecast: compare the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright

from app.run import prepare
from app.supervise import Family
from app.throwaway import environment, settings_of, throwaway
from bench.parts.cpu import quantiles
from bench.parts.map_peers import plotly_page
from core.settings import Settings
from dashboard.accounts.users import set_password, user_by_login
from storage.session import make_engine, session_scope

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE: ViewportSize = {"width": 1366, "height": 768}
READY = "() => window.__yiwangReady === true"
LOGIN = "admin"
PAN_S = 4.0
PAN = """async (seconds) => {
  const at = MAP;
  const began = performance.now();
  let last = began, slowest = 0, drawn = 0;
  at.on('render', () => {
    const now = performance.now();
    slowest = Math.max(slowest, now - last); last = now; drawn += 1;
  });
  while (performance.now() - began < seconds * 1000) {
    at.panBy([160, 60], {duration: 900});
    await new Promise((done) => setTimeout(done, 900));
  }
  return {fps: drawn / ((performance.now() - began) / 1000), slowest_ms: slowest};
}"""
OURS, PLOTLY = "window.__yiwangMap", "document.querySelector('.js-plotly-plot')._fullLayout.map._subplot.map"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is opened")
    parser.add_argument("--tiles-s", type=float, default=10.0, help="seconds of tiles at --tiles-rate")
    parser.add_argument("--tiles-rate", type=float, default=200.0, help="tiles a second")
    parser.add_argument("--against", default="", help="another checkout to measure beside this one")


def run(args: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        env = environment(Path(name))
        settings = settings_of(env)
        os.environ.update(env)
        prepare(settings, lambda _: None)
        password = secrets.token_urlsafe(18)
        engine = make_engine(settings.database_url)
        with session_scope(engine) as session:
            set_password(session, user_by_login(session, LOGIN), password, must_change=False)
        engine.dispose()
        told: dict[str, object] = {"screen": SIZE, "rounds": args.rounds, "load": os.getloadavg()[0]}
        told |= asyncio.run(_with_instance(env, settings, password, args))
        if args.against:
            told["against"] = _other(args)
        return told


async def _with_instance(env: dict[str, str], settings: Settings, password: str, args: argparse.Namespace) -> Any:
    async with throwaway(env, lambda _: None, ("nats-server", "worker", "web")) as family:
        base = f"http://{settings.web_host}:{settings.web_port}"
        pages = await asyncio.to_thread(_pages, settings, base, password, args.rounds)
        tiles = await _tiles(_web_of(family), base, password, args)
        return {**pages, "tiles": tiles}


def _pages(settings: Settings, base: str, password: str, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, _browser() as browser:
        told: dict[str, Any] = {"wall": _wall(browser, base, password, rounds)}
        told["plotly"] = _peer(browser, plotly_page(settings, Path(folder)), PLOTLY, rounds)
        return told | {"pydeck": "not measured", "buildings_200k": "not measured"}


@contextmanager
def _browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def _opened(page: Page, address: str, ready: str) -> float:
    began = time.monotonic()
    page.goto(address, wait_until="commit")
    page.wait_for_function(ready, timeout=180_000)
    return time.monotonic() - began


def _wall(browser: Browser, base: str, password: str, rounds: int) -> dict[str, Any]:
    cold, warm, pans, weight = [], [], [], 0
    for _ in range(rounds):
        context = browser.new_context(viewport=SIZE, base_url=base)
        answer = context.request.post("/api/login", data={"login": LOGIN, "password": password})
        if not answer.ok:
            raise RuntimeError(answer.text())
        page = context.new_page()
        sizes: list[int] = []
        page.on("requestfinished", _adding(sizes))
        cold.append(_opened(page, "/?view=wall", READY))
        weight = max(weight, sum(sizes))
        warm.append(_opened(page, "/?view=wall", READY))
        page.wait_for_timeout(3000)  # the level of drawing is chosen by then
        pans.append(page.evaluate(PAN.replace("MAP", OURS), PAN_S))
        context.close()
    slowest = _middle([p["slowest_ms"] for p in pans])
    frames = {"pan_fps": _middle([p["fps"] for p in pans]), "slowest_frame_ms": slowest}
    times = {"first_map_cold_s": _middle(cold), "first_map_warm_s": _middle(warm)}
    return {**times, "cold_kb": round(weight / 1000), **frames}


def _peer(browser: Browser, file: Path, map_: str, rounds: int) -> dict[str, Any]:
    """A peer's page from a file: until its map is idle for the first time, then panning (``map_``: its map)."""
    cold, pans = [], []
    for _ in range(rounds):
        context = browser.new_context(viewport=SIZE)
        page = context.new_page()
        cold.append(_opened(page, file.as_uri(), "() => window.__peerReady === true"))
        page.wait_for_timeout(1000)
        pans.append(page.evaluate(PAN.replace("MAP", map_), PAN_S)["fps"])
        context.close()
    kb = round(file.stat().st_size / 1000)
    return {"first_map_s": _middle(cold), "pan_fps": _middle(pans), "file_kb": kb}


def _adding(sizes: list[int]) -> Callable[[Request], None]:
    def add(request: Request) -> None:
        sizes.append(request.sizes()["responseBodySize"])

    return add


def _middle(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 2)


def _web_of(family: Family) -> psutil.Process:
    process = family.children["web"].pid
    return psutil.Process(process)


async def _tiles(web: psutil.Process, base: str, password: str, args: argparse.Namespace) -> dict[str, Any]:
    """Tiles at a steady rate, rights checked on each; p95 of the answers and CPU seconds of the web process."""
    async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as client:
        (await client.post("/api/login", json={"login": LOGIN, "password": password})).raise_for_status()
        paths = [f"/tiles/buildings/14/{x}/{y}.pbf" for x in range(13896, 13908) for y in range(5965, 5977)]
        before, waits, began = sum(web.cpu_times()[:2]), [], time.monotonic()
        pending: set[asyncio.Task[None]] = set()

        async def one(path: str, due: float) -> None:
            await client.get(path)
            waits.append(1000 * (time.monotonic() - due))

        number = 0
        while (now := time.monotonic()) < began + args.tiles_s:
            due = began + number / args.tiles_rate
            if now < due:
                await asyncio.sleep(due - now)
            task = asyncio.create_task(one(paths[number % len(paths)], due))
            pending.add(task)
            task.add_done_callback(pending.discard)
            number += 1
        await asyncio.gather(*pending)
        used = sum(web.cpu_times()[:2]) - before
    return {"rate": args.tiles_rate, "tiles": number, "unit": "ms", **quantiles(waits),
            "per_cpu_second": round(number / used) if used else None, "nginx": "not measured"}  # fmt: skip


def _other(args: argparse.Namespace) -> Any:
    """The same benchmark in another checkout; its own code measures it."""
    command = [sys.executable, "-m", "bench", "web", "--json", "--rounds", str(args.rounds)]
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command, cwd=args.against, capture_output=True, text=True, timeout=3600, check=False
    )
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 and lines else {"failed": done.stderr[-400:]}
