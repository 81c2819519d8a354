"""Endless loops that survive trouble with the bus."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import nats.errors
import nats.js.errors

log = logging.getLogger("yiwang.vision")

BUS_TROUBLE = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)


async def supervised(loop: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run an endless loop again after trouble; say so once on loss and once on recovery."""
    wait, troubled = 0.5, False
    while not stop.is_set():
        started = time.monotonic()
        try:
            await loop()
        except BUS_TROUBLE as error:
            if not troubled:
                log.warning("%s: %s: %s; trying again", loop.__name__, type(error).__name__, error)
            troubled = True
        except Exception:  # noqa: BLE001 — supervisor: the other loops of this worker go on
            log.exception("%s failed; trying again", loop.__name__)
            troubled = True
        if time.monotonic() - started > 10:
            wait, troubled = 0.5, False
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5.0)
