"""A flood of device messages beside hostile sockets: what is confirmed, what is missing, what signed-in pages notice.

``--rate`` messages a second for ``--seconds`` over MQTT (QoS 1, a bounded window of unconfirmed ones per connection: a
broker that confirms later slows the sender down, which is the back-pressure) while ``--hostile`` TCP devices connect
to the fire panels' port and keep silent, send rubbish, drip a frame byte by byte or announce one that is too long.
``missing`` (confirmed, not stored) must be 0.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from bench.ingest import count_rows
from bench.parts.cpu import quantiles
from bench.parts.rig import Rig
from core.clock import SystemClock
from storage.session import session_scope

PATIENCE_S = 600.0
CALLS = ("/api/cases?limit=50", "/healthz")
PER_ADDRESS = 50  # hostile sockets from one loop-back address


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the run."""
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hostile", type=int, default=600)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--quiet", type=float, default=10.0, help="seconds that pages are timed before the flood")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures; times of pages in ms."""
    with tempfile.TemporaryDirectory(prefix="yiwang-flood-") as folder, Rig(Path(folder), args.database) as rig:
        rig.enrol("mqtt", [f"bench-{n}" for n in range(args.devices)])
        cookie = _person(rig)
        rig.start("nats", "worker", "ingest", "web")
        return asyncio.run(_flood(rig, cookie, args))


async def _flood(rig: Rig, cookie: str, args: argparse.Namespace) -> dict[str, Any]:
    base = f"http://{rig.settings.web_host}:{rig.settings.web_port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30, headers={"Cookie": cookie}) as page:
        await _served(page)
        quiet = await _times(page, asyncio.create_task(asyncio.sleep(args.quiet)))
        stop, ends = asyncio.Event(), Counter[str]()
        hostile = [asyncio.create_task(_hostile(rig, n, stop, ends)) for n in range(args.hostile)]
        await asyncio.sleep(2)
        before = rig.cpu_s(("nats", "ingest", "worker", "web"))
        sending = asyncio.create_task(_send(rig, args))
        during = await _times(page, sending)
        sent = sending.result()
        stored = await _stored(rig, int(sent["confirmed"]))
        after = rig.cpu_s(("nats", "ingest", "worker", "web"))
        stop.set()
        await asyncio.gather(*hostile, return_exceptions=True)
    return {
        "sent": int(sent["sent"]), "confirmed": int(sent["confirmed"]), "missing": int(sent["confirmed"]) - stored,
        "messages_per_s": round(sent["confirmed"] / sent["seconds"]), "asked_per_s": args.rate,
        "hostile_sockets": args.hostile, "hostile_ends": dict(ends), "pages_ms": {"quiet": quiet, "flood": during},
        "cpu_s": {name: round(after[name] - before[name], 1) for name in after},
    }  # fmt: skip


def _person(rig: Rig) -> str:
    from dashboard.accounts.users import add_user
    from dashboard.auth import Accounts

    accounts = Accounts(rig.engine, SystemClock())
    with session_scope(rig.engine) as session:
        user = add_user(session, login="flood", name="flood", roles=["operator"], department_id=None)
        return f"yiwang_session={accounts.open_in(session, user.user_id, user.login, '127.0.0.1', 'bench')}"


async def _served(page: httpx.AsyncClient) -> None:
    deadline, said = time.monotonic() + 240, [0]
    while True:
        with contextlib.suppress(httpx.HTTPError):
            said = [(await page.get(call)).status_code for call in CALLS]
            if set(said) == {200}:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the pages are not served: {said}")
        await asyncio.sleep(0.3)


async def _times(page: httpx.AsyncClient, until: asyncio.Task[Any]) -> dict[str, Any]:
    """What a person's calls take in ms, one after another, until the task ends; ``refused``: not answered with 200."""
    took, refused = list[float](), 0
    while not until.done():
        for call in CALLS:
            began = time.monotonic()
            refused += (await page.get(call)).status_code != 200
            took.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(0.2)
    return quantiles(took) | {"refused": refused}


async def _send(rig: Rig, args: argparse.Namespace) -> dict[str, float]:
    """The load generator in a process of its own."""
    settings, count = rig.settings, int(args.rate * args.seconds)
    command = [sys.executable, "-m", "bench.parts.mqtt_load", settings.mqtt_host, str(settings.mqtt_port)]
    account = {"MQTT_USER": settings.mqtt_device_user, "MQTT_PASSWORD": settings.mqtt_device_password}
    child = await asyncio.create_subprocess_exec(
        *command, str(args.devices), "8", str(count), str(args.rate), env=os.environ | account,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await child.communicate()
    figures: dict[str, float] = json.loads(out)
    return figures


async def _stored(rig: Rig, wanted: int) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while (there := await asyncio.to_thread(count_rows, rig.engine)) < wanted and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return there


async def _hostile(rig: Rig, number: int, stop: asyncio.Event, ends: Counter[str]) -> None:
    """One hostile device that comes again when it is thrown out; ``ends`` counts by whom and how."""
    port, chance = rig.settings.source_port("gb26875"), random.Random(number)
    source = (f"127.0.2.{1 + number // PER_ADDRESS}", 0)
    while not stop.is_set():
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", port, local_addr=source), 10
            )  # fmt: skip
        except (OSError, TimeoutError):
            ends["not_accepted"] += 1
        else:
            try:
                await _misbehave(reader, writer, number % 4, chance, stop)
                ends["closed_on_them"] += 1
            except OSError:
                ends["reset"] += 1
            finally:
                writer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1 + chance.random())


async def _misbehave(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: int, chance: random.Random, stop: asyncio.Event
) -> None:
    """Until the other side hangs up: silence, rubbish, one byte a second of a frame, a frame far too long."""
    frame = b"@@" + bytes(22) + (0xFFFF).to_bytes(2, "little")
    drip = iter(frame * 40)
    while not stop.is_set():
        if kind == 1:
            writer.write(chance.randbytes(512))
        elif kind == 2:
            writer.write(bytes([next(drip)]))
        elif kind == 3:
            writer.write(frame + bytes(1024))
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            if not await asyncio.wait_for(reader.read(1024), 1.0):
                return
