"""uvicorn without its ten looks a second at whether it shall end: processes that wait for requests shall sleep."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn

TICK_S = 1.0  # the Date header is written anew


class CalmServer(uvicorn.Server):
    """A server that looks once a second, and at once when it is told to end (:meth:`end`, or a signal)."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Until the end is wished."""
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), TICK_S)

    def end(self) -> None:
        """Wish the end; from any thread, and from a signal's handler."""
        self.should_exit = True
        if self._loop is not None and self._ending is not None:
            self._loop.call_soon_threadsafe(self._ending.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        super().handle_exit(sig, frame)
        self.end()


def serve(app: Any, **options: Any) -> None:
    """``uvicorn.run`` with a :class:`CalmServer`; ends the process with 3 where it could not start."""
    server = CalmServer(uvicorn.Config(app, **options))
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)
