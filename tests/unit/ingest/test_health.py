"""Device health: silence, flapping, clocks, ranges, stuck values, damaged frames; told once, told again if lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import ManualClock
from core.records import DeviceConfig, Observation, Quality, Reading
from ingest.counters import Counters
from ingest.health import HealthMonitor, HealthPolicy
from ingest.live import LiveStates
from ingest.outlet import NotDurable
from ingest.registry import DeviceRegistry

pytestmark = pytest.mark.anyio
T0 = datetime(2026, 7, 1, tzinfo=UTC)
PANEL = DeviceConfig(device_id="gb26875:1", source="gb26875", address="1", status="accepted")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Bench:
    """A monitor with a clock that we move and a bus that may fail."""

    def __init__(self, device: DeviceConfig = PANEL) -> None:
        self.clock = ManualClock(T0)
        registry = DeviceRegistry()
        registry.put(device)
        self.told: list[Observation] = []
        self.bus_works = True
        self.device_id = device.device_id
        self.live = LiveStates(Counters())
        self.monitor = HealthMonitor(registry, self.live, self.announce, self.clock, HealthPolicy())

    async def announce(self, observation: Observation) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.bus_works:
            self.told.append(observation)
            future.set_result(None)
        else:
            future.set_exception(NotDurable(subject="obs", detail="gone"))
        return future

    async def after(self, seconds: float, *, heard: bool = False) -> str:
        """The newest state told after ``seconds``."""
        self.clock.advance(seconds)
        if heard:
            self.monitor.heard(self.device_id, self.clock.now())
        await self.monitor.sweep()
        return str(self.told[-1].attributes["state"]) if self.told else ""

    def value(self, value: float, quality: Quality = Quality.GOOD) -> None:
        now = self.clock.now()
        self.monitor.heard(self.device_id, now)
        self.monitor.reading(
            Reading(
                reading_id=str(now),
                source="x",
                device_id=self.device_id,
                quantity="pressure_mpa",
                value=value,
                observed_at=now,
                received_at=now,
                quality=quality,
            )
        )


async def test_three_missed_heartbeats_make_it_silent_and_one_brings_it_back() -> None:
    bench = Bench()
    assert await bench.after(1, heard=True) == "online"
    assert await bench.after(89) == "online"
    assert await bench.after(2) == "silent"
    assert bench.told[-1].state == "open"
    assert "nothing for 91 s" in str(bench.told[-1].attributes["reason"])
    assert await bench.after(500) == "silent"
    assert await bench.after(1, heard=True) == "online"
    assert [o.state for o in bench.told] == ["clear", "open", "clear"]


async def test_a_device_that_never_spoke_has_no_fault_and_one_that_did_before_a_restart_is_missed() -> None:
    panel = Bench()
    assert await panel.after(1) == ""
    assert await panel.after(1e6) == ""
    known = Bench()
    known.live.heard(PANEL.device_id, "gb26875", T0 - timedelta(hours=1))  # as it was loaded from before the restart
    assert await known.after(1) == ""
    assert await known.after(100) == "silent"
    gauge = DeviceConfig(device_id="mqtt:g", source="mqtt", address="g", status="accepted")
    stranger = DeviceConfig(device_id="gb26875:2", source="gb26875", address="2")
    for device in (gauge, stranger):
        bench = Bench(device)
        await bench.after(1)
        assert await bench.after(1e6) == ""


async def test_a_connection_that_comes_and_goes_is_flapping_until_it_calms_down() -> None:
    bench = Bench()
    await bench.after(1, heard=True)
    for _ in range(5):
        bench.monitor.disconnected("gb26875:1", bench.clock.now())
        await bench.after(5, heard=True)
    assert await bench.after(1, heard=True) == "flapping"
    for _ in range(12):
        state = await bench.after(60, heard=True)
    assert state == "online"


async def test_clock_off_needs_three_in_a_row_both_ways() -> None:
    bench = Bench()
    await bench.after(1, heard=True)
    for number in range(3):
        assert await bench.after(1, heard=True) == "online", number
        bench.monitor.clock_seen("gb26875:1", bench.clock.now() - timedelta(hours=1), bench.clock.now())
    assert await bench.after(1, heard=True) == "clock_off"
    assert "3600 s behind" in str(bench.told[-1].attributes["reason"])
    for _ in range(3):
        bench.monitor.clock_seen("gb26875:1", bench.clock.now(), bench.clock.now())
    assert await bench.after(1, heard=True) == "online"


async def test_out_of_range_signal_and_damage() -> None:
    bench = Bench()
    for _ in range(3):
        bench.value(9.9, Quality.OUT_OF_RANGE)
    assert await bench.after(1) == "out_of_range"
    for _ in range(3):
        bench.value(0.4)
    assert await bench.after(1) == "online"
    for _ in range(3):
        bench.value(0.4, Quality.SIGNAL_BAD)
    assert await bench.after(1) == "signal_bad"
    bench.value(0.4)
    assert await bench.after(1) == "online"
    for _ in range(6):
        bench.monitor.refused("gb26875:1")
    assert await bench.after(1) == "signal_bad"


@pytest.mark.parametrize(("value", "state"), [(0.42, "stuck"), (0.0, "online")])
async def test_a_value_that_never_moves_is_stuck_but_a_dry_gauge_is_not(value: float, state: str) -> None:
    bench = Bench()
    for _ in range(150):
        bench.clock.advance(60 * 12)
        bench.value(value)
    assert await bench.after(1) == state


async def test_what_the_bus_lost_is_told_later() -> None:
    bench = Bench()
    await bench.after(1, heard=True)
    bench.bus_works = False
    await bench.after(100)
    assert [o.state for o in bench.told] == ["clear"]
    bench.bus_works = True
    assert await bench.after(1) == "silent"
    await bench.after(1)
    assert len(bench.told) == 2
