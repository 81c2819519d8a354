"""The watch over ``<data>/forms``, beside the requests of the web process."""

from __future__ import annotations

import asyncio
import logging

from core.clock import Clock
from storage.form_files import FormFolder

log = logging.getLogger("yiwang.forms")
WATCH_S = 3.0


class FormWatch:
    """Looks into ``<data>/forms`` every :data:`WATCH_S` seconds while the web process runs."""

    def __init__(self, folder: FormFolder, clock: Clock) -> None:
        self.folder, self._clock = folder, clock

    async def run(self) -> None:
        """Until cancelled; a broken folder is logged, never the end of the watch."""
        while True:
            try:
                await asyncio.to_thread(self.folder.look, self._clock.now())
            except Exception:  # the next look may go well again
                log.exception("the forms folder cannot be read")
            await asyncio.sleep(WATCH_S)
