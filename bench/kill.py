"""Kill -9 at random under load: every confirmed MQTT message and panel frame is in the database exactly once."""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.parts.mqtt_load import Publisher
from bench.parts.rig import Rig
from core.settings import Settings
from ingest.simulate.panel import pressure
from ingest.sources import gb26875
from storage.session import read_scope
from storage.tables.observations import DeadLetter
from storage.tables.readings import ReadingRow

GAUGES, PANELS = 4, 6
ANSWER_S = 3.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the run."""
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20260605)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rate", type=float, default=25.0, help="messages a second of each gauge")


def run(args: argparse.Namespace) -> dict[str, object]:
    """Figures; ``lost`` and ``doubled`` must be 0."""
    with tempfile.TemporaryDirectory(prefix="yiwang-kill-") as folder:
        return play(Path(folder), args.kills, args.seed, args.database, args.rate)


def play(folder: Path, kills: int, seed: int, database: str, rate: float) -> dict[str, object]:
    """Start everything, kill ``kills`` times, start what is missing, wait for quiet, compare."""
    with Rig(folder, database) as rig:
        rig.enrol("mqtt", [f"kill-{n}" for n in range(GAUGES)])
        rig.enrol("gb26875", [str(n) for n in range(1, PANELS + 1)])
        rig.start("nats", "worker", "ingest")
        confirmed, killed, seconds = asyncio.run(_storm(rig, kills, seed, rate))
        missing, doubled = _settle(rig, confirmed)
        with read_scope(rig.engine) as session:
            dead = int(session.scalar(select(func.count()).select_from(DeadLetter)) or 0)
    return {
        "database": database,
        "seed": seed,
        "kills": dict(killed),
        "seconds": round(seconds, 1),
        "confirmed": len(confirmed),
        "lost": len(missing),
        "doubled": doubled,
        "dead_letters": dead,
        "examples": [f"{device} {number}" for device, number in sorted(missing)[:5]],
    }


async def _storm(rig: Rig, kills: int, seed: int, rate: float) -> tuple[set[tuple[str, int]], Counter[str], float]:
    rng = random.Random(seed)
    victims = ["nats", "ingest", "worker"] + (["database"] if rig.postgres is not None else [])
    killed: Counter[str] = Counter()
    stop = asyncio.Event()
    confirmed: set[tuple[str, int]] = set()
    await asyncio.sleep(3)  # the MQTT session of ingest must have been there once: before that there is no promise
    devices = [asyncio.create_task(_gauge(rig.settings, f"kill-{n}", rate, stop, confirmed)) for n in range(GAUGES)]
    devices += [asyncio.create_task(_panel(rig.settings, n, stop, confirmed)) for n in range(1, PANELS + 1)]
    began = time.monotonic()
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(0.3, 2.0))
        victim = rng.choice(victims)
        killed[victim] += 1
        await asyncio.to_thread(rig.kill, victim)
        await asyncio.sleep(rng.uniform(0.0, 1.0))
        await asyncio.to_thread(rig.start, victim)
        await asyncio.to_thread(rig.revive)
    await asyncio.sleep(5)
    await asyncio.to_thread(rig.revive)
    stop.set()
    await asyncio.wait(devices, timeout=30)
    for task in devices:
        task.cancel()
    for outcome in await asyncio.gather(*devices, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return confirmed, killed, time.monotonic() - began


async def _gauge(
    settings: Settings, name: str, rate: float, stop: asyncio.Event, confirmed: set[tuple[str, int]]
) -> None:
    """A gauge that keeps every message until the broker confirmed it, and sends it again on a new connection."""
    number, waiting = 0, deque[tuple[int, bytes]]()
    while not (stop.is_set() and not waiting):
        publisher = Publisher(name, settings.mqtt_device_user, settings.mqtt_device_password)
        publisher.keep_confirmed = True
        try:
            await asyncio.wait_for(publisher.open(settings.mqtt_host, settings.mqtt_port), 5)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.3)
            continue
        for known, body in waiting:
            publisher.send(name, known, body)
        last = time.monotonic()
        while not publisher.lost and not (stop.is_set() and not waiting):
            for device, known in publisher.confirmed:
                confirmed.add((f"mqtt:{device}", known))
                last = time.monotonic()
            done = {known for _, known in publisher.confirmed}
            publisher.confirmed.clear()
            if done:
                waiting = deque(entry for entry in waiting if entry[0] not in done)
            if waiting and time.monotonic() - last > ANSWER_S * 3:
                break  # a broker that swallows: try a new connection
            if not stop.is_set() and len(waiting) < 400:
                number += 1
                at = datetime.now(UTC).isoformat()
                body = b'{"time":"%s","seq":%d,"number_n":%d}' % (at.encode(), number, number)
                waiting.append((number, body))
                publisher.send(name, number, body)
            await asyncio.sleep(1 / rate)
        publisher.close()


async def _panel(settings: Settings, address: int, stop: asyncio.Event, confirmed: set[tuple[str, int]]) -> None:
    """A panel that sends one frame at a time, the same bytes again until it is confirmed."""
    number = 0
    while not stop.is_set():
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(settings.panel_host, settings.source_port("gb26875")), 5
            )
        except (OSError, TimeoutError):
            await asyncio.sleep(0.3)
            continue
        try:
            while not stop.is_set():
                frame = gb26875.encode(
                    command=2, serial=number % 65_535 + 1, source=address, destination=1, time=datetime.now(UTC),
                    adu=pressure(number / 10),
                )  # fmt: skip
                while not await _confirmed(reader, writer, frame):
                    if stop.is_set():
                        return
                confirmed.add((f"gb26875:{address}", number))
                number += 1
                await asyncio.sleep(0.05)
        except (OSError, asyncio.IncompleteReadError):
            number += 1  # a new number: the frame in flight was not confirmed, so nothing is promised about it
        finally:
            writer.close()


async def _confirmed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frame: bytes) -> bool:
    writer.write(frame)
    await writer.drain()
    try:
        answer = await asyncio.wait_for(reader.readexactly(30), ANSWER_S)
    except TimeoutError:
        return False
    return answer[26] == 3 and answer[2:4] == frame[2:4]


def _settle(rig: Rig, confirmed: set[tuple[str, int]], wait_s: float = 150.0) -> tuple[set[tuple[str, int]], int]:
    """Wait until everything confirmed is stored, or the broker's redelivery time is well over; missing, doubled."""
    deadline = time.monotonic() + wait_s
    while True:
        stored = _stored(rig)
        missing = confirmed - stored.keys()
        if not missing or time.monotonic() > deadline:
            return missing, sum(1 for count in stored.values() if count > 1)
        time.sleep(1)


def _stored(rig: Rig) -> dict[tuple[str, int], int]:
    with read_scope(rig.engine) as session:
        rows: Any = session.execute(
            select(ReadingRow.device_id, ReadingRow.quantity, ReadingRow.value, func.count())
            .where(ReadingRow.quantity.in_(("number_n", "pressure_mpa")))
            .group_by(ReadingRow.device_id, ReadingRow.quantity, ReadingRow.value)
        )
        return {
            (device, round(value * 10) if quantity == "pressure_mpa" else int(value)): count
            for device, quantity, value, count in rows
        }
