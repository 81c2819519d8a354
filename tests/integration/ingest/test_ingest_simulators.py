"""Every simulated device against the real ingest process: what it sends is confirmed and on the bus."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil

import pytest

from core.records import Reading
from core.settings import Settings
from ingest import simulate
from tests.integration.ingest.test_ingest_main import collect, ingesting

pytestmark = pytest.mark.anyio
CASES = {
    "panel": (["--scenario", "flood", "--count", "20"], "pressure_mpa"),
    "gauge": (["--scenario", "rise", "--interval", "0.01", "--steps", "19"], "water_level_m"),
    "sl651": (["--scenario", "flood", "--count", "20"], "water_level_m"),
    "hj212": (["--scenario", "flood", "--count", "20"], "temperature_c"),
    "jt808": (["--scenario", "flood", "--count", "20"], "speed_kmph"),
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_every_simulator_is_tried() -> None:
    found = pkgutil.iter_modules(simulate.__path__)
    elsewhere = {"dji"}  # speaks to the broker as a controller: tests of the drones' gateways play it
    assert {m.name for m in found if not m.ispkg and not m.name.startswith("_")} == {*CASES, *elsewhere}


async def test_what_simulated_devices_send_is_confirmed_and_on_the_bus(nats_server: Settings) -> None:
    async with ingesting(nats_server) as bus:
        await asyncio.sleep(0.5)
        for kind, (options, quantity) in CASES.items():
            module = importlib.import_module(f"ingest.simulate.{kind}")
            parser = argparse.ArgumentParser()
            module.configure(parser)
            args = parser.parse_args(options)
            figures = await asyncio.wait_for(module.run(args, nats_server, asyncio.Event()), 20)
            assert figures["failed"] == 0, (kind, figures)
            wanted: set[str] = set()
            for _ in range(8):
                found = await collect(bus, Reading, "READ", "read.>", 20, 1)
                wanted |= {r.reading_id for r in found if r.quantity == quantity and r.device_id == args.device}
                if len(wanted) == 20:
                    break
            assert len(wanted) == 20, (kind, len(wanted))
