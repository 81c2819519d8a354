"""One owner at a time: a claim in the key-value bucket ``owner``, renewed every second.

A second worker waits as a hot spare.  A claim ends when it was not renewed for ``LAPSE_S``, or at once when its
process, on this machine, is gone.  Compare-and-set on the revision: two that try together cannot both win.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import nats.errors
import nats.js.errors

from core.bus import Bus
from core.clock import Clock

RENEW_S = 1.0
LAPSE_S = 5.0


class Claim:
    """The claim to ``name`` (``worker``)."""

    def __init__(self, bus: Bus, name: str, clock: Clock) -> None:
        self._bus = bus
        self._key = f"claim.{name}"
        self._clock = clock
        self._revision = 0
        self._renewed_at = 0.0

    async def take(self, stop: asyncio.Event) -> bool:
        """Wait until the claim is ours; False when ``stop`` came first."""
        seen, since = -1, self._clock.monotonic()
        while not stop.is_set():
            # A bus that is away, or stores nothing (its disk is full), is waited for.
            with suppress(nats.errors.Error, TimeoutError):
                revision, holder = await self._read()
                if revision != seen:
                    seen, since = revision, self._clock.monotonic()
                lapsed = self._clock.monotonic() - since > LAPSE_S or _gone(holder) or not holder
                if lapsed and await self._put(revision):
                    return True
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.25)
        return False

    async def _read(self) -> tuple[int, dict[str, object]]:
        """The claim's revision and who holds it."""
        bucket = await self._bus.bucket("owner")
        try:
            entry = await bucket.get(self._key)
            return int(entry.revision or 0), json.loads(entry.value or b"{}")
        except nats.js.errors.KeyNotFoundError:
            return 0, {}

    async def keep(self) -> None:
        """Renew for ever; returns when the claim was lost to somebody else, or could not be renewed in time."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                if not await self._put(self._revision):
                    return
            except (nats.errors.Error, TimeoutError):
                if self._clock.monotonic() - self._renewed_at > LAPSE_S - 2 * RENEW_S:
                    return

    async def release(self) -> None:
        """Give the claim back, so that a spare takes over at once."""
        bucket = await self._bus.bucket("owner")
        with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
            await bucket.update(self._key, b"{}", last=self._revision)

    async def _put(self, revision: int) -> bool:
        holder = {"host": socket.gethostname(), "pid": os.getpid(), "boot": _boot()}
        bucket = await self._bus.bucket("owner")
        try:
            self._revision = await bucket.update(self._key, json.dumps(holder).encode(), last=revision)
        except nats.js.errors.KeyWrongLastSequenceError:
            return False
        self._renewed_at = self._clock.monotonic()
        return True


def _gone(holder: dict[str, object]) -> bool:
    """Whether the holder ran on this machine and its process is gone."""
    if holder.get("host") != socket.gethostname() or holder.get("boot") != _boot():
        return False
    pid = holder.get("pid")
    return not isinstance(pid, int) or not Path(f"/proc/{pid}").exists()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
