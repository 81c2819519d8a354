"""Ingest: messages per second per core from an MQTT device to the committed row, latency, idle TCP devices."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text

from bench.parts import idle_tcp, peer_loop
from bench.parts.rig import PeerMissing, Rig
from storage.session import read_scope
from storage.tables.readings import ReadingRow


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--messages", type=int, default=20_000, help="messages of each throughput run")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--latency-rate", type=float, default=300.0, help="messages a second while latency is measured")
    parser.add_argument("--latency-seconds", type=float, default=15.0)
    parser.add_argument("--idle", type=int, default=10_000, help="idle TCP devices; 0 leaves that part out")
    parser.add_argument("--only", choices=("sqlite", "postgresql", "idle", "peer"), help="one part alone")


def run(args: argparse.Namespace) -> dict[str, object]:
    """Figures by part; a part whose software is missing says so."""
    figures: dict[str, object] = {}
    parts: dict[str, Any] = {
        "sqlite": lambda: pipeline(args, "sqlite"),
        "postgresql": lambda: pipeline(args, "postgresql"),
        "peer": lambda: peer(args),
        "idle": lambda: idle_tcp.measure(args.idle) if args.idle else {},
    }
    for name, measure in parts.items():
        if args.only in (None, name):
            try:
                figures[name] = measure()
            except PeerMissing as error:
                figures[name] = {"left_out": str(error)}
    return figures


@contextmanager
def rig(database: str) -> Iterator[Rig]:
    """A running instance in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder, Rig(Path(folder), database) as instance:
        yield instance


def pipeline(args: argparse.Namespace, database: str) -> dict[str, object]:
    """Device → broker → ingest → stream → rule → committed row, on one database."""
    with rig(database) as instance:
        instance.enrol("mqtt", [f"bench-{n}" for n in range(args.devices)])
        instance.start("nats", "worker", "ingest")
        load(instance, args.devices, 2_000, 0)
        wait_for_rows(instance.engine, 2_000)
        time.sleep(3)  # the registry and the first compilations are behind us
        before, began = instance.cpu_s(), time.monotonic()
        sent = load(instance, args.devices, args.messages, 0)
        wait_for_rows(instance.engine, 2_000 + int(sent["sent"]))
        wall = time.monotonic() - began
        after = instance.cpu_s()
        spent = {name: round(after[name] - before[name], 2) for name in after}
        rows = count_rows(instance.engine)
        latency = measure_latency(instance, args)
    total = sum(spent.values())
    return {
        "messages": int(sent["sent"]),
        "messages_per_core_s": round(sent["sent"] / total),
        "messages_per_wall_s": round(sent["sent"] / wall),
        "cpu_s": spent,
        "cpu_us_per_message": {name: round(1e6 * s / sent["sent"]) for name, s in spent.items()},
        "confirmed_but_missing": int(sent["confirmed"]) + 2_000 - rows,
        "latency": latency,
    }


def load(instance: Rig, devices: int, count: int, rate: float, *, peer: bool = False) -> dict[str, float]:
    """Run the load generator as a process of its own; ``peer``: nobody of ours is there to admit devices."""
    settings = instance.settings
    command = [sys.executable, "-m", "bench.parts.mqtt_load", settings.mqtt_host, str(settings.mqtt_port)]
    command += [str(devices), "8", str(count), str(rate)]
    account = {"MQTT_USER": settings.mqtt_device_user, "MQTT_PASSWORD": settings.mqtt_device_password}
    if peer:
        account = {"MQTT_USER": settings.mqtt_user, "MQTT_PASSWORD": settings.mqtt_password}
    done = subprocess.run(command, env=os.environ | account, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def count_rows(engine: Engine) -> int:
    """Committed readings."""
    with read_scope(engine) as session:
        return int(session.scalar(select(func.count()).select_from(ReadingRow)) or 0)


def wait_for_rows(engine: Engine, wanted: int, wait_s: float = 120.0) -> None:
    """Return when ``wanted`` readings are committed; ``TimeoutError``."""
    deadline = time.monotonic() + wait_s
    while (there := count_rows(engine)) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {wanted} readings were committed")
        time.sleep(0.05)


def measure_latency(instance: Rig, args: argparse.Namespace) -> dict[str, float]:
    """Milliseconds from the device's publish to the visible committed row, at a steady rate.

    The database is asked every 5 ms, which is part of the figure.
    """
    with instance.engine.begin() as connection:
        connection.execute(text("CREATE INDEX IF NOT EXISTS bench_observed ON reading (observed_at)"))
    settings = instance.settings
    command = [sys.executable, "-m", "bench.parts.mqtt_load", settings.mqtt_host, str(settings.mqtt_port)]
    count = int(args.latency_rate * args.latency_seconds)
    account = {"MQTT_USER": settings.mqtt_device_user, "MQTT_PASSWORD": settings.mqtt_device_password}
    began = datetime.now(UTC)
    process = subprocess.Popen(
        [*command, str(args.devices), "8", str(count), str(args.latency_rate)],
        env=os.environ | account, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    seen: set[str] = set()
    times: list[float] = []
    horizon = began
    deadline = time.monotonic() + args.latency_seconds + 30
    while len(seen) < count // 8 * 8 and time.monotonic() < deadline:
        with read_scope(instance.engine) as session:
            rows = session.execute(
                select(ReadingRow.reading_id, ReadingRow.observed_at).where(ReadingRow.observed_at >= horizon)
            ).all()
        now = datetime.now(UTC)
        for reading_id, at in rows:
            if reading_id not in seen:
                seen.add(reading_id)
                times.append((now - at).total_seconds() * 1000)
        horizon = max(began, datetime.fromtimestamp(now.timestamp() - 15.0, UTC))
        time.sleep(0.005)
    process.wait(60)
    times.sort()
    return {
        "rate_per_s": args.latency_rate,
        "messages": len(times),
        "p50_ms": round(times[len(times) // 2], 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "p99_ms": round(times[int(len(times) * 0.99)], 1),
    }


def peer(args: argparse.Namespace) -> dict[str, object]:
    """The plain loop that people write first, behind the same broker, with the same load."""
    with rig("sqlite") as instance:
        instance.start("nats")
        return peer_loop.measure(instance, lambda n: load(instance, args.devices, n, 0, peer=True), args.messages)
