"""Ten thousand fire panels that only send heart-beats, held by one ingest process."""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.parts.rig import Rig
from core.bus import connect
from core.ids import subject_token
from core.records import DeviceConfig, encode
from core.settings import Settings
from ingest.sources import gb26875

PER_ADDRESS = 1000  # each thousand comes from a loop-back address of its own


def measure(devices: int) -> dict[str, object]:
    """Memory and CPU of ingest before and after ``devices`` connected."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder, Rig(Path(folder)) as rig:
        rig.start("nats")
        asyncio.run(_enrol(rig.settings, devices))
        rig.start("ingest")
        time.sleep(3)
        empty = rig.rss_mb("ingest")
        held = asyncio.run(_hold(rig, devices))
        return {
            "devices": devices,
            "rss_before_mb": round(empty, 1),
            "rss_mb": round(held["rss_mb"], 1),
            "pss_mb": round(held["pss_mb"], 1),
            "kb_per_device": round((held["rss_mb"] - empty) * 1000 / devices, 2),
            "connect_s": round(held["connect_s"], 1),
            "heartbeats_confirmed": int(held["confirmed"]),
            "cpu_percent_of_a_core_at_30_s_heartbeats": round(held["cpu"] * 100, 1),
        }


async def _enrol(settings: Settings, devices: int) -> None:
    bus = await connect(settings, "bench")
    await bus.ensure()
    bucket = f"$KV.{bus.stream('registry')}."
    for number in range(1, devices + 1):
        device = DeviceConfig(device_id=f"gb26875:{number}", source="gb26875", address=str(number), status="accepted")
        key = subject_token(device.device_id).replace(":", "=")
        await bus.client.publish(f"{bucket}device.{key}", encode(device))
    await bus.client.flush()
    await bus.client.close()


async def _hold(rig: Rig, devices: int) -> dict[str, float]:
    port, began = rig.settings.source_port("gb26875"), time.monotonic()
    room = asyncio.Semaphore(200)

    async def panel(number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with room:
            source = (f"127.0.1.{1 + number // PER_ADDRESS}", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=source)
            return reader, writer

    panels = await asyncio.gather(*(panel(n) for n in range(1, devices + 1)))
    connect_s = time.monotonic() - began
    confirmed = await _beat(panels, room)
    cpu, window = rig.cpu_s(["ingest"])["ingest"], time.monotonic()
    await _beat(panels, room)
    await asyncio.sleep(max(0.0, 30 - (time.monotonic() - window)))
    spent = (rig.cpu_s(["ingest"])["ingest"] - cpu) / (time.monotonic() - window)
    memory, share = rig.rss_mb("ingest"), rig.pss_mb("ingest")
    for _, writer in panels:
        writer.close()
    return {"rss_mb": memory, "pss_mb": share, "connect_s": connect_s, "confirmed": confirmed, "cpu": spent}


async def _beat(panels: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]], room: asyncio.Semaphore) -> int:
    now = datetime.now(UTC)

    async def one(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with room:
            writer.write(gb26875.encode(command=2, serial=1, source=number, destination=1, time=now))
            return (await asyncio.wait_for(reader.readexactly(30), 60))[26] == 3

    return sum(await asyncio.gather(*(one(n, r, w) for n, (r, w) in enumerate(panels, 1))))
