"""Restarts an embedded bus that refuses what it is given although there is room.

A JetStream stream whose disk was full keeps refusing after room was made; only a new start of the server mends it.
Each stream is tried every few seconds; when one has refused :data:`STRIKES` times in a row while the disk takes writes,
nats-server is restarted (its clients reconnect by themselves), and then left alone for :data:`REST_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from core.bus import Bus, connect
from core.bus_probe import probe_streams
from core.disk import ROOMY_BYTES, look
from core.errors import BusUnavailable
from core.settings import Settings

EVERY_S = 3.0
ROOMY_S = 30.0  # between two looks while all is well and the disk has room: only a full disk makes a stream refuse
STRIKES = 2
REST_S = 15.0
ROOM_BYTES = 4_000_000  # less than this is no room: the next message might not fit


class BusGuard:
    """Watches the bus and calls ``restart``."""

    def __init__(self, settings: Settings, restart: Callable[[], Awaitable[None]], say: Callable[[str], None]) -> None:
        self._settings, self._restart, self._say = settings, restart, say
        self._strikes = 0
        self._told_full = False
        self._bus: Bus | None = None
        self.restarts = 0

    async def run(self) -> None:
        """Watch for ever."""
        try:
            while True:
                await asyncio.sleep(await asyncio.to_thread(self._rest_s))
                with contextlib.suppress(BusUnavailable):  # it is being started, or the supervisor is at it already
                    await self.look()
        finally:
            if self._bus is not None:
                await self._bus.client.close()

    async def look(self) -> None:
        """Try once, and restart when it is due."""
        if self._bus is None:
            self._bus = await connect(self._settings, "guard", wait_s=1)
        states = await probe_streams(self._bus)
        refusing = sorted(name for name, word in states.items() if word == "refuses")
        if not refusing:
            self._strikes, self._told_full = 0, False
            return
        if not await asyncio.to_thread(self._room):
            if not self._told_full:
                self._say("the disk is full: the bus stores nothing, devices are told to repeat; make room")
            self._strikes, self._told_full = 0, True
            return
        self._strikes += 1
        if self._strikes >= STRIKES:
            self._strikes = 0
            self.restarts += 1
            self._say(f"the bus refuses {', '.join(refusing)} although there is room; restarting nats-server")
            await self._restart()
            await asyncio.sleep(REST_S)

    def _rest_s(self) -> float:
        """Until the next look."""
        well = not self._strikes and not self._told_full
        return ROOMY_S if well and look(self._settings.data_dir).free > ROOMY_BYTES else EVERY_S

    def _room(self) -> bool:
        state = look(self._settings.data_dir)
        return state.takes_alarms and state.free >= ROOM_BYTES
