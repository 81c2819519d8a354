"""The main job: observations through bus, rules and database per core; CPU per analysed frame; frame to screen."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from app.throwaway import environment, settings_of, throwaway
from bench.parts.cpu import cpu_seconds
from core.bus import Bus, connect
from core.clock import SystemClock
from core.ids import derived_id
from core.records import Observation
from core.settings import Settings
from layers.demo.generate import SOURCES
from layers.importer import import_city
from storage.migrate import migrate
from storage.session import make_engine, read_scope
from storage.tables.cases import Case
from storage.tables.observations import ObservationRow
from storage.tables.registry import Site


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--observations", type=int, default=20_000)
    parser.add_argument("--only", choices=("bus", "vision", "screen"), help="run one part")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """All three parts; each is a dict of figures with units in their names."""
    figures: dict[str, Any] = {}
    if args.only in (None, "bus"):
        figures["bus_to_database"] = asyncio.run(bus_to_database(args.observations))
    if args.only in (None, "vision"):
        from bench.vision import frame_cost

        figures["vision"] = frame_cost()
    if args.only in (None, "screen"):
        from bench.parts.screen import frame_to_screen

        figures["frame_to_screen"] = asyncio.run(frame_to_screen())
    return figures


async def bus_to_database(count: int) -> dict[str, Any]:
    """``count`` observations of standing happenings at every site of the demo district, until all are committed."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        env = environment(Path(name))
        settings = settings_of(env)
        migrate(settings.database_url)
        engine = make_engine(settings.database_url)
        sites = _district(engine, settings, Path(name) / "city")
        async with throwaway(env, lambda _: None, ("nats-server", "worker")) as family:
            bus = await connect(settings, "bench")
            await bus.ensure()
            await _publish(bus, _observations(sites[:1], 20, "warm"))  # the worker is up once these are in
            await _stored(engine, 20)
            pids = {n: c.pid for n, c in family.children.items() if c.pid}
            before = {n: cpu_seconds([pid]) for n, pid in pids.items()}
            began = time.perf_counter()
            await _publish(bus, _observations(sites, count, "run"))
            published_s = time.perf_counter() - began
            await _stored(engine, 20 + count)
            wall_s = time.perf_counter() - began
            used = {n: cpu_seconds([pid]) - before[n] for n, pid in pids.items()}
            await bus.close()
        with read_scope(engine) as session:
            cases = session.scalar(select(func.count()).select_from(Case)) or 0
        engine.dispose()
    total = sum(used.values())
    return {
        "database": "sqlite",
        "observations": count,
        "cases_opened": cases,
        "wall_s": round(wall_s, 2),
        "publish_s": round(published_s, 2),
        "worker_cpu_s": round(used["worker"], 2),
        "nats_cpu_s": round(used["nats-server"], 2),
        "observations_per_cpu_s": round(count / total, 1),
    }


def _district(engine: Engine, settings: Settings, folder: Path) -> list[str]:
    folder.mkdir()
    for table in ("city.yaml", "divisions.csv", "departments.csv", "sites.csv"):
        shutil.copy(SOURCES / table, folder)
    import_city(engine, settings, folder, progress=lambda _: None)
    with read_scope(engine) as session:
        return list(session.scalars(select(Site.site_id)))


def _observations(sites: list[str], count: int, label: str) -> list[Observation]:
    start = SystemClock().now()
    return [
        Observation(
            observation_id=derived_id(label, i),
            kind="absence",
            state="open",
            source_type="camera",
            source_id=f"camera-{sites[i % len(sites)]}",
            site_id=sites[i % len(sites)],
            observed_at=start + timedelta(milliseconds=i),
            received_at=start + timedelta(milliseconds=i),
            confidence=0.9,
            zone="duty",
        )
        for i in range(count)
    ]


async def _publish(bus: Bus, observations: list[Observation]) -> None:
    pending = [await bus.publish_async(bus.observation_subject(o), o, o.observation_id) for o in observations]
    await asyncio.gather(*pending)


async def _stored(engine: Engine, wanted: int, seconds: float = 300.0) -> None:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        with read_scope(engine) as session:
            if (session.scalar(select(func.count()).select_from(ObservationRow)) or 0) >= wanted:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"only part of the {wanted} observations were stored within {seconds:.0f} s")
