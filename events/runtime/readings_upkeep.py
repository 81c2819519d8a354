"""The worker's upkeep of stored readings: roll-ups every minute, retention and the planner's statistics every night."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine

from core.clock import Clock
from storage import readings
from storage.session import refresh_statistics, session_scope

log = logging.getLogger("yiwang.worker")

EVERY_S = 60.0
BATCH = 500
KEEP_DAYS = {"*": 90.0, "rain_mm": 400.0, "water_level_m": 400.0}
"""Days that raw readings are kept, per quantity; 5-minute values stay 400 days, hours 1,200, days for good."""


class ReadingsUpkeep:
    """Short transactions, so that alarms never wait behind it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._pruned: datetime | None = None

    async def run(self) -> None:
        """Work for ever."""
        while True:
            while await asyncio.to_thread(self.roll_up):  # noqa: ASYNC110 - a breath between two transactions
                await asyncio.sleep(0.05)
            now = self._clock.now()
            if self._pruned is None or now - self._pruned >= timedelta(days=1):
                gone = await asyncio.to_thread(self.prune)
                await asyncio.to_thread(refresh_statistics, self._engine)
                self._pruned = now
                if gone:
                    log.info("retention: %d old rows of readings went", gone)
            await asyncio.sleep(EVERY_S)

    def roll_up(self) -> int:
        """Compute the hours and days of some changed buckets; 0 when all are done."""
        with session_scope(self._engine) as session:
            return readings.maintain(session, BATCH)

    def prune(self) -> int:
        """Delete what is older than its retention; rows that went."""
        with session_scope(self._engine) as session:
            return readings.prune(session, self._clock.now(), KEEP_DAYS)
