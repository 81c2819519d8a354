"""The production set under load, any one or any two of it killed at random: nothing lost, nothing doubled.

Three nats-servers (R3), PostgreSQL with a synchronous replica, two workers, two webs behind a proxy, visions.  Alarms
are published, cases are reported through the proxy, pages stay open; a killed primary is started again or its replica
takes over.  Two of three nats-servers gone is no majority: nothing is confirmed until one is back, nothing is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.parts.cluster import NODES, Cluster, Proxy
from bench.parts.kills_load import Load, page, people_and_places
from bench.parts.kills_tally import settle_and_count


@dataclass(frozen=True)
class Round:
    """One round: who was killed, and the seconds until all was started again, from there until the bus confirmed a
    message, and until a worker had stored it."""

    victims: tuple[str, ...]
    down_s: float
    confirmed_s: float
    stored_s: float

    def told(self) -> str:
        """One line for a person."""
        after = self.stored_s - self.confirmed_s
        return f"{'+'.join(self.victims)}: down {self.down_s:.1f}, bus {self.confirmed_s:.1f}, then {after:.1f}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the run."""
    parser.add_argument("--kills", type=int, default=1000, help="how many times one or two are killed")
    parser.add_argument("--seed", type=int, default=20260701)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--visions", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=3)


def run(args: argparse.Namespace) -> dict[str, object]:
    """Figures; ``lost`` and ``doubled`` must be 0."""
    with tempfile.TemporaryDirectory(prefix="yiwang-kills-") as folder:
        return play(Path(folder), args.kills, args.seed, args.pages, args.visions, args.cameras)


def play(folder: Path, kills: int, seed: int, pages: int, visions: int, cameras: int) -> dict[str, object]:
    """Start everything, kill ``kills`` times, wait for quiet, compare."""
    with Cluster(folder, visions) as cluster:
        people = people_and_places(cluster, pages, cameras if visions else 0)
        cluster.start_all()
        return asyncio.run(_play(cluster, people, kills, seed, cameras if visions else 0))


async def _play(
    cluster: Cluster, people: list[tuple[str, str]], kills: int, seed: int, cameras: int
) -> dict[str, object]:
    proxy = Proxy(cluster.web_ports)
    await proxy.open()
    load = Load(cluster, f"http://127.0.0.1:{proxy.port}", people)
    back: list[tuple[float, float]] = []  # when a page lost its stream, and seconds until it had one again
    stop = asyncio.Event()
    await load.ready(cameras)
    tasks = [asyncio.create_task(job) for job in (*load.publishers(stop), load.reporter(stop))]
    pages = [asyncio.create_task(page(load.base, secret, back)) for secret, _ in people]
    began = time.monotonic()
    try:
        storm = await _storm(cluster, load, kills, seed)
        seconds = time.monotonic() - began
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 120)
        cluster.revive()
        counted = await settle_and_count(cluster, load)
    finally:
        stop.set()
        for task in (*tasks, *pages):
            task.cancel()
        await asyncio.gather(*tasks, *pages, return_exceptions=True)
        await load.close()
        proxy.close()
    return {
        "seed": seed, "kills": kills, "seconds": round(seconds, 1), **storm,
        "published": load.published, "reported": len(load.reported), **counted,
        "fail_overs": cluster.postgres.failed_over,
        "page_reconnect_s": _spread([took for _, took in back]), "pages_lost": len(back),
        "page_reconnect_one_web_s": _spread([took for lost, took in back if load.only_a_web_died(lost)]),
    }  # fmt: skip


async def _storm(cluster: Cluster, load: Load, kills: int, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    rounds: list[Round] = []
    cameras: list[float] = []
    revived: Counter[str] = Counter()
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        victims = chance.sample(cluster.names(), chance.choice((1, 2)))
        holders = await load.holders() if any(v.startswith("vision") for v in victims) else {}
        gone = {cluster.processes[v].pid for v in victims if v.startswith("vision")}
        at = time.monotonic()
        await asyncio.gather(*(asyncio.to_thread(cluster.kill, victim) for victim in victims))
        killed.update(victims)
        if gone and not set(victims) & set(NODES):
            cameras += await load.taken_over(holders, gone, at)
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        fail_over = chance.random() < 0.5
        for victim in sorted(victims, key=lambda v: v == "replica"):
            await asyncio.to_thread(cluster.start, victim, fail_over=fail_over)
        revived.update(await asyncio.to_thread(cluster.revive))
        load.rounds.append((at, victims))
        up = time.monotonic()
        confirmed = await load.marked(180)
        rounds.append(Round(tuple(victims), up - at, confirmed - up, time.monotonic() - up))
    slowest = sorted(rounds, key=lambda r: -r.stored_s)[:10]
    return {
        "killed": dict(killed), "ended_by_itself": dict(revived),
        "recovery_s": _spread([r.stored_s for r in rounds]),
        "bus_s": _spread([r.confirmed_s for r in rounds]),
        "after_bus_s": _spread([r.stored_s - r.confirmed_s for r in rounds]),
        "slowest": [r.told() for r in slowest],
        "camera_fail_over_s": _spread(cameras), "cameras_moved": len(cameras),
    }  # fmt: skip


def _spread(values: list[float]) -> dict[str, Any] | None:
    if not values:
        return None
    ordered = sorted(values)
    return {
        "p50": round(ordered[len(ordered) // 2], 2), "p95": round(ordered[int(len(ordered) * 0.95)], 2),
        "max": round(ordered[-1], 2),
    }  # fmt: skip
