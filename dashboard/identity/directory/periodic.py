"""The directory taken over by itself, every so many hours, in the worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from core.clock import Clock
from core.errors import YiwangError
from core.settings import Settings
from dashboard.identity.config import read_config
from dashboard.identity.directory.config import read_directory
from dashboard.identity.directory.run import last_tried, synchronise, tell_failure

log = logging.getLogger(__name__)
BY = "system"
LOOK_EVERY_S = 30.0


class DirectoryWork:
    """Looks twice a minute whether a run is due; settings are read again each time."""

    def __init__(self, engine: Engine, clock: Clock, folder: Path) -> None:
        self._engine, self._clock, self._folder = engine, clock, folder

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.once()

    async def once(self) -> bool:
        """A run, when one is due; whether there was one.  What goes wrong is told on the page, nothing is changed."""
        try:
            config = await asyncio.to_thread(read_directory, self._folder)
            if config is None or not config.every_hours:
                return False
            due = next_run(await asyncio.to_thread(last_tried, self._engine), config.every_hours)
            if due is not None and self._clock.now() < due:
                return False
            sign_on = await asyncio.to_thread(read_config, self._folder)
            keep = sign_on.break_glass if sign_on else ()
            await synchronise(self._engine, config, self._clock.now(), BY, dry_run=False, keep=keep)
        except YiwangError as error:
            log.warning("the directory was not taken over: %s", error)
            await self._tell(error)
        return True

    async def _tell(self, error: YiwangError) -> None:
        try:
            await asyncio.to_thread(tell_failure, self._engine, self._clock.now(), BY, error)
        except YiwangError as again:  # the database is away, too: it is tried again at the next look
            log.warning("%s", again)


def next_run(last: datetime | None, every_hours: float) -> datetime | None:
    """When the next run is due; None: now."""
    return None if last is None else last + timedelta(hours=every_hours)


def directory_job(
    settings: Settings, _bus: Any, engine: Engine, clock: Clock, _cases: Any
) -> Callable[[], Awaitable[None]]:
    """The job as the worker takes it."""
    return DirectoryWork(engine, clock, settings.data_dir).run
