"""The wall in a browser: first useful map cold and warm, panning, its weight; tiles; peers on the same data.

In one run: an instance with the demo city started as its user starts it, a headless Chromium with software GL, and
peers one after the other on the same machine: plotly's map and deck.gl (pydeck) over the same buildings and cameras,
nginx over the same tiles, titiler over a picture.  ``--against FOLDER``: another checkout, measured alike before.
``--large``: the same wall once more with 200,000 buildings, 7,000 cameras and 2,000 open cases.  Panning is measured at
the level that the page chooses by itself: it pans until it has chosen.
``--peers PYTHON``: an interpreter that has pydeck, titiler.core and uvicorn.  What is not there is said so.
Figures of a loaded machine are no forecast: compare the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from bench.parts.browser.growing import grow
from bench.parts.browser.instance import LOGIN, RunningInstance, running
from bench.parts.browser.map_peers import PLOTLY_MAP, plotly_page, pydeck_page
from bench.parts.browser.tile_peers import nginx, steady, tile_files, titiler

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE: ViewportSize = {"width": 1366, "height": 768}
READY = "() => window.__yiwangReady === true"
ZOOM = 14
SETTLE = """async (seconds) => {
  const at = window.__yiwangMap, level = () => at.getCanvas().dataset.level;
  const until = performance.now() + seconds * 1000;
  let since = performance.now(), last = level();
  while (performance.now() < until && performance.now() - since < 3000) {
    at.panBy([160, 60], {duration: 900});
    await new Promise((done) => setTimeout(done, 950));
    if (level() !== last) { last = level(); since = performance.now(); }
  }
  return last;
}"""
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
PAN_DECK = """async (seconds) => {
  const began = performance.now();
  let last = began, slowest = 0, drawn = 0, longitude = 125.37;
  deckInstance.setProps({onAfterRender: () => {
    const now = performance.now();
    slowest = Math.max(slowest, now - last); last = now; drawn += 1;
  }});
  while (performance.now() - began < seconds * 1000) {
    longitude += 0.0002;
    deckInstance.setProps({initialViewState: {longitude, latitude: 43.87, zoom: 13.6, pitch: 52}});
    await new Promise(requestAnimationFrame);
  }
  return {fps: drawn / ((performance.now() - began) / 1000), slowest_ms: slowest};
}"""
PLOTLY_READY = "() => window.__peerReady === true"
DECK_READY = """() => typeof deckInstance !== 'undefined' && deckInstance.layerManager
    && deckInstance.layerManager.getLayers().length > 1
    && deckInstance.layerManager.getLayers().every((l) => l.isLoaded)"""
Json = dict[str, Any]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is opened")
    parser.add_argument("--pan-s", type=float, default=4.0, help="seconds of panning a round")
    parser.add_argument("--tiles-s", type=float, default=10.0, help="seconds of tiles at --tiles-rate")
    parser.add_argument("--tiles-rate", type=float, default=200.0, help="tiles a second")
    parser.add_argument("--against", type=Path, default=None, help="another checkout to measure beside this one")
    parser.add_argument("--large", action="store_true", help="200,000 buildings, 7,000 cameras, 2,000 cases, too")
    parser.add_argument("--no-peers", action="store_true", help="leave out plotly and pydeck")
    parser.add_argument("--peers", default="", metavar="PYTHON", help="interpreter with pydeck, titiler.core, uvicorn")


def run(args: argparse.Namespace) -> dict[str, object]:
    told: Json = {"screen": SIZE, "rounds": args.rounds, "load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        folder = Path(name)
        if args.against:
            (folder / "other").mkdir()
            with running(args.against.resolve(), folder / "other") as other:
                told["against"] = {"wall": _pages(lambda b: _wall(b, other, args.rounds, args.pan_s))}
        (folder / "own").mkdir()
        with running(Path(__file__).resolve().parents[1], folder / "own") as own:
            told["wall"] = _said("wall", _pages(lambda b: _wall(b, own, args.rounds, args.pan_s)))
            told["tiles"] = _said("tiles", asyncio.run(_tiles(own, folder, args)))
            data = own.data
        if args.large:
            told["large"] = _said("large", _large(own, folder / "own", args, told["wall"]))
        if not args.no_peers:
            told["plotly"] = _tried(plotly_page(data, folder), PLOTLY_READY, PAN.replace("MAP", PLOTLY_MAP), args)
            deck = pydeck_page(data, folder, args.peers)
            told["pydeck"] = _tried(deck, DECK_READY, PAN_DECK, args) if deck else "not installed"
        return told


def _large(own: RunningInstance, folder: Path, args: argparse.Namespace, small: Json) -> Json:
    """The wall over the same instance with a large city: times, and how many times those of the demo they are."""
    grown = grow(own.data)
    with running(Path(__file__).resolve().parents[1], folder, password=own.password) as again:
        wall = _pages(lambda b: _wall(b, again, args.rounds, args.pan_s))
    ratios = {k: round(wall[k] / small[k], 2) for k in ("first_map_cold_s", "first_map_warm_s") if small[k]}
    return {**grown, "wall": wall, "times_the_demo": ratios}


def _said(name: str, found: Json) -> Json:
    """Each part as soon as it is there: a run that is cut short has told what it measured."""
    print(name, found, file=sys.stderr, flush=True)
    return found


def _pages(measure: Callable[[Browser], Json]) -> Json:
    with _browser() as browser:
        return measure(browser)


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


def _wall(browser: Browser, instance: RunningInstance, rounds: int, pan_s: float) -> Json:
    cold, warm, pans, levels, weight, requests = [], [], [], [], 0, 0
    for _ in range(rounds):
        context = browser.new_context(viewport=SIZE, base_url=instance.base)
        answer = context.request.post("/api/login", data={"login": LOGIN, "password": instance.password})
        if not answer.ok:
            raise RuntimeError(answer.text())
        page = context.new_page()
        sizes: list[int] = []
        page.on("requestfinished", _adding(sizes))
        cold.append(_opened(page, "/?view=wall", READY))
        weight, requests = max(weight, sum(sizes)), max(requests, len(sizes))
        warm.append(_opened(page, "/?view=wall", READY))
        page.wait_for_timeout(2000)
        levels.append(page.evaluate(SETTLE, 20))
        pans.append(page.evaluate(PAN.replace("MAP", "window.__yiwangMap"), pan_s))
        context.close()
    slowest = _middle([p["slowest_ms"] for p in pans])
    frames = {"pan_fps": _middle([p["fps"] for p in pans]), "slowest_frame_ms": slowest}
    times = {"first_map_cold_s": _middle(cold), "first_map_warm_s": _middle(warm)}
    each = {"cold_each_s": _each(cold), "warm_each_s": _each(warm), "level": levels[-1]}
    return {**times, **each, "cold_kb": round(weight / 1000), "cold_requests": requests, **frames}


def _tried(file: Path, ready: str, pan: str, args: argparse.Namespace) -> Json | str:
    """A peer that does not come to an end is told as that."""
    try:
        return _peer(file, ready, pan, args)
    except PlaywrightError as error:
        return f"failed: {error.message.splitlines()[0]}"


def _peer(file: Path, ready: str, pan: str, args: argparse.Namespace) -> Json:
    """A peer's page from a file: until its map is drawn for the first time, then panning."""
    cold, pans = [], []
    with _browser() as browser:
        for _ in range(args.rounds):
            page = browser.new_context(viewport=SIZE, offline=True).new_page()
            cold.append(_opened(page, file.as_uri(), ready))
            page.wait_for_timeout(1000)
            pans.append(page.evaluate(pan, args.pan_s)["fps"])
            page.context.close()
    return {"first_map_s": _middle(cold), "pan_fps": _middle(pans), "file_kb": round(file.stat().st_size / 1000)}


def _adding(sizes: list[int]) -> Callable[[Request], None]:
    def add(request: Request) -> None:
        sizes.append(request.sizes()["responseBodySize"])

    return add


def _each(values: list[float]) -> list[float]:
    return [round(value, 2) for value in values]


def _middle(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 2)


async def _tiles(own: RunningInstance, folder: Path, args: argparse.Namespace) -> Json:
    """Tiles at a steady rate from our web process (rights checked on each), nginx and titiler, one after the other."""
    files = folder / "tiles"
    files.mkdir()
    paths = tile_files(own.data / "tiles" / "buildings.pmtiles", files, ZOOM)
    pace = (args.tiles_rate, args.tiles_s)
    login = (LOGIN, own.password)
    told: Json = {"tiles": len(paths), "zoom": ZOOM}
    told["own"] = await steady(own.base, [f"/tiles/buildings{p}" for p in paths], *pace, own.web(), login)
    with nginx(files) as peer:
        told["nginx"] = await steady(peer[0], paths, *pace, peer[1], None) if peer else "not installed"
    with titiler(args.peers, folder) as peer:
        told["titiler"] = await _titiler(peer, folder, pace) if peer else "not installed"
    if isinstance(told["nginx"], dict):
        told["p95_of_nginx"] = round(told["own"]["p95"] / told["nginx"]["p95"], 2)
    return told


async def _titiler(peer: Any, folder: Path, pace: tuple[float, float]) -> Json:
    """A picture of 4,096 × 4,096 as a COG, its tiles asked for as the map asks."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_bounds

    file, box = folder / "picture.tif", (125.36, 43.85, 125.42, 43.90)
    noise = np.random.default_rng(1).integers(0, 255, (3, 512, 512), dtype="uint8").repeat(8, 1).repeat(8, 2)
    how = {"driver": "COG", "height": 4096, "width": 4096, "count": 3, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.open(file, "w", transform=from_bounds(*box, 4096, 4096), **how) as target:
        target.write(noise)
    here = [
        f"/tiles/WebMercatorQuad/15/{x}/{y}.png?url={file}" for x in range(27795, 27799) for y in range(11933, 11937)
    ]
    return await steady(peer[0], here, *pace, peer[1], None)
