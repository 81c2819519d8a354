"""The drones' work in the worker process: starts a look at flights that wait, tells what was found."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import Engine

from core.bus import Bus
from core.clock import Clock
from core.settings import Settings
from dashboard.drones import surveys
from dashboard.drones.reporting import due, observation
from events.cases.service import CaseService
from storage.aerial import AerialStore
from storage.drones import DroneStore
from storage.watching.changes import Changes

log = logging.getLogger("yiwang.drones")
POLL_S = 3.0
SOON_S = 0.5  # while files arrive
EARLY = 12  # pictures that wait while others still arrive
QUIET_S = 3.0  # after a flight's last file
MOST_S = 3600.0  # of one flight
SURVEY_S = 72 * 3600.0
NICE = 10
# GDAL would keep blocks in a twentieth of the machine's memory, the C library a heap for every thread and the large
# blocks that a network has freed
FRUGAL = {
    "OMP_WAIT_POLICY": "PASSIVE", "GDAL_CACHEMAX": "24", "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(6 << 20), "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}  # fmt: skip


class AerialWork:
    """One worker's; ``command`` starts the look at a flight."""

    def __init__(self, bus: Bus, engine: Engine, clock: Clock, command: Callable[[str], list[str]]) -> None:
        self.bus, self.engine, self.clock, self.command = bus, engine, clock, command
        self.store, self.drones = AerialStore(engine), DroneStore(engine)
        self._failed: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        changes = Changes(self.engine)
        while True:
            await changes.look()
            await self.tell()
            before = self.clock.now() - timedelta(seconds=QUIET_S)
            waiting = await asyncio.to_thread(self.store.waiting, before)
            flight = next((f for f in waiting if self._failed.get(f, 0) < 3), None)
            if flight is None:
                await self._none_whole(changes)
            elif not await self._look(flight):
                self._failed[flight] = self._failed.get(flight, 0) + 1
                await asyncio.sleep(POLL_S)

    async def _none_whole(self, changes: Changes) -> None:
        """Files that still arrive are looked at in the meantime; where none do, wait for news."""
        arriving = await asyncio.to_thread(self.store.arriving, 1)
        many = [f for f in await asyncio.to_thread(self.store.arriving, EARLY) if f not in self._failed]
        if many:
            if not await self._look(many[0], "--early"):
                self._failed[many[0]] = 1
        elif any(self._failed.get(f, 0) < 3 for f in arriving):
            await asyncio.sleep(SOON_S)
        else:
            await changes.wait(2 * POLL_S, 3 * POLL_S)

    async def tell(self) -> int:
        """Publish what is due; it is marked after the bus has it: a crash publishes it again under the same id."""
        told = 0
        for some in due(await asyncio.to_thread(self.store.unreported)):
            file = await asyncio.to_thread(self.drones.file, some[0].file_id)
            now = self.clock.now()
            await self.bus.observe(observation(some, file, "", now))
            await asyncio.to_thread(self.store.reported, some[0].thing_id, now)
            told += 1
        return told

    async def _look(self, flight_id: str, *how: str) -> bool:
        return await ended_well([*self.command(flight_id), *how], f"the look at flight {flight_id}")


async def ended_well(command: list[str], what: str, most_s: float = MOST_S) -> bool:
    """Run a process of its own, at low priority; whether it ended well and in time."""
    child = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **FRUGAL}, stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        return await asyncio.wait_for(child.wait(), most_s) == 0
    except TimeoutError:
        log.warning("%s took more than %d s and was stopped", what, most_s)
        return False
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def aerial_job(
    settings: Settings, bus: Bus, engine: Engine, clock: Clock, _service: CaseService
) -> Callable[[], Awaitable[None]]:
    """The job as the worker takes it."""
    return AerialWork(
        bus, engine, clock, lambda flight: ["nice", "-n", str(NICE), sys.executable, "-m", "app", "look", flight]
    ).run


def survey_job(
    settings: Settings, _bus: Bus, _engine: Engine, _clock: Clock, _service: CaseService
) -> Callable[[], Awaitable[None]]:
    """One survey after another, each in a process of its own; nothing where no node is set up."""

    async def run() -> None:
        while settings.nodeodm_url:
            for flight_id in (await asyncio.to_thread(surveys.waiting, settings))[:1]:
                await ended_well([sys.executable, "-m", "app", "survey", flight_id], f"survey {flight_id}", SURVEY_S)
            await asyncio.sleep(POLL_S)

    return run
