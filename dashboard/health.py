"""Is the installation well?  What ``/healthz`` says, found by trying: a row, a message into each stream, a file, a sign
of the worker.

Every :data:`EVERY_S` seconds each part is tried, beside the requests; ``/healthz`` only reads what was found, so that
watching costs nothing and a stuck database cannot hang the watcher.  What is older than :data:`STALE_S` is tried anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import nats.errors
import nats.js.errors
from sqlalchemy import Engine

from core.bus_probe import StreamTrials, worst
from core.clock import Clock
from core.disk import ROOMY_BYTES, DiskState, look_at_all
from core.errors import StorageFull
from core.settings import Settings
from dashboard.live import LiveHub
from events.runtime import shares
from storage.availability import try_write
from storage.watching.changes import Changes

log = logging.getLogger("yiwang.health")

EVERY_S = 5.0
STALE_S = 15.0
PART_S = 5.0  # a part that gives no answer in this time is not well
WORKER_S = 20.0  # a worker's beat is written every second or two


@dataclass(frozen=True)
class HealthState:
    """One part: ``code`` is ``ok`` or one word for what is wrong; ``vital``: without it the city is deaf."""

    code: str
    vital: bool = True
    well: bool = True
    values: dict[str, Any] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """What anybody may read: no names, no paths."""
        return {"ok": self.well, "code": self.code, **self.values}


class Health:
    """The newest state of every part."""

    def __init__(self, settings: Settings, engine: Engine, clock: Clock, hub: LiveHub) -> None:
        self._settings, self._engine, self._clock, self._hub = settings, engine, clock, hub
        self._lock = asyncio.Lock()
        self._found_at = float("-inf")
        self._disk_at = float("-inf")
        self._disk: DiskState | None = None
        self._streams = StreamTrials()
        self._commits: Changes | None = None
        self._worker: tuple[int, float] = (-1, time.monotonic())  # revision of the workers' table, since when it is so
        self.parts: dict[str, HealthState] = {}

    async def run(self) -> None:
        """Try every part for ever; what changes is logged once."""
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - supervisor: watching goes on whatever happens
                log.exception("health could not be looked at")
            await asyncio.sleep(EVERY_S)

    async def now(self) -> dict[str, HealthState]:
        """The parts as they are, tried anew only when nobody did for :data:`STALE_S`."""
        if time.monotonic() - self._found_at > STALE_S:
            async with self._lock:
                if time.monotonic() - self._found_at > STALE_S:
                    await self.look()
        connected = self._hub.bus is not None and self._hub.bus.client.is_connected
        if not connected and self.parts["bus"].well:
            return self.parts | {"bus": HealthState("unreachable", well=False)}
        return self.parts

    async def look(self) -> None:
        """Try every part now."""
        database, bus, disk = await asyncio.gather(
            _within(self._try_database()), _within(self._try_bus()), _within(self._try_disk())
        )
        found = {"database": database, "bus": bus, "disk": disk, "worker": await _within(self._try_worker())}
        for name, part in found.items():
            before = self.parts.get(name)
            if before is None or before.code != part.code:
                level = logging.INFO if part.code == "ok" else logging.WARNING
                if before is not None or part.code != "ok":
                    log.log(level, "%s: %s", name, part.code)
        self.parts, self._found_at = found, time.monotonic()

    async def _try_database(self) -> HealthState:
        """A row of ours, unless somebody's was committed since the last look: every commit wakes the jobs that wait."""
        started = time.monotonic()
        known = self.parts.get("database")
        self._commits = self._commits or Changes(self._engine)
        if known is not None and known.code == "ok" and await self._commits.came():
            return known
        code = await asyncio.to_thread(try_write, self._engine, "web", self._clock.now())
        await self._commits.look()
        return HealthState(code, well=code == "ok", values={"ms": round((time.monotonic() - started) * 1000)})

    async def _try_bus(self) -> HealthState:
        if self._hub.bus is None:
            return HealthState("unreachable", well=False)
        roomy = (await asyncio.to_thread(self.disk)).free > ROOMY_BYTES
        states = await self._streams.look(self._hub.bus, every=not roomy)
        code = worst(states)
        return HealthState(
            code, well=code == "ok", values={"streams": {name: word or "ok" for name, word in states.items()}}
        )

    async def _try_disk(self) -> HealthState:
        state = await asyncio.to_thread(self.disk)
        share = round(state.free_share, 4)
        return HealthState(state.level, well=state.takes_alarms, values={"free_bytes": state.free, "free_share": share})

    async def _try_worker(self) -> HealthState:
        """Working workers write their beats into one table on the bus; a table that stands still has none."""
        if self._hub.bus is None or not self._hub.bus.client.is_connected:
            return HealthState("unknown", vital=False, well=False)
        try:
            bucket = await self._hub.bus.bucket(shares.BUCKET)
            entry = await bucket.get(shares.KEY)
            revision, held = int(entry.revision or 0), bool(shares.ShareTable.read(entry.value).members)
        except (nats.js.errors.Error, nats.errors.Error, TimeoutError, ValueError):
            revision, held = -1, False
        if revision != self._worker[0]:
            self._worker = (revision, time.monotonic())
        alive = held and time.monotonic() - self._worker[1] < WORKER_S
        return HealthState("ok" if alive else "absent", vital=False, well=alive)

    def disk(self) -> DiskState:
        """The disk that is worst off, looked at once a second at most."""
        if self._disk is None or time.monotonic() - self._disk_at > 1.0:
            reserve = self._settings.disk_reserve_mb * 1_000_000
            self._disk, self._disk_at = look_at_all(self._settings.disks, reserve), time.monotonic()
        return self._disk

    def check_room(self) -> None:
        """:class:`StorageFull` when somebody's file may no longer be stored: what is left is kept for alarms."""
        if not self.disk().takes_uploads:
            raise StorageFull(detail="what is left of the disk is kept for alarms")


async def _within(looking: Awaitable[HealthState]) -> HealthState:
    try:
        async with asyncio.timeout(PART_S):
            return await looking
    except TimeoutError:
        return HealthState("no_answer", well=False)


def is_well(parts: dict[str, HealthState]) -> bool:
    """Can the city hear and write?"""
    return all(part.well for part in parts.values() if part.vital)
