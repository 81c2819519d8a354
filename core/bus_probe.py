"""Does the bus store what it is given?  One small message into every stream and bucket, taken out again at once.

A JetStream stream whose disk was full once keeps refusing after room was made, while its neighbours and the
connection are fine: only a write into each stream tells.  What is found by stream:

``""`` stored; ``full`` the stream's own limit is reached (nothing to mend by a restart); ``refuses`` no
acknowledgement, or the server says that it cannot store; ``missing`` there is no such stream yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

import nats.errors
import nats.js.errors

from core.bus import STREAMS, Bus
from core.ids import new_id

TIMEOUT_S = 2.0
_LIMITS = ("maximum bytes", "maximum messages", "maximum consumers")
_BUCKETS = ("live", "owner")


class StreamTrials:
    """What is known of every stream and bucket: one of them is tried at each look, in turn, while all store.

    Every trial keeps a stream's newest block in the server's memory and wakes whoever reads it; ``every``: try all now,
    as for a disk with little room, since only a full one makes a stream refuse.  Whenever one does not store, all are.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._turn = 0

    async def look(self, bus: Bus, *, every: bool = False) -> dict[str, str]:
        """The states now, by stream."""
        if every or worst(self._known) != "ok" or not self._known or not bus.client.is_connected:
            self._known = await probe_streams(bus)
            return dict(self._known)
        names = [*(spec.name for spec in STREAMS), *_BUCKETS]
        self._turn = (self._turn + 1) % len(names)
        name = names[self._turn]
        self._known[name] = await (_probe_bucket if name in _BUCKETS else _probe)(bus, name, TIMEOUT_S)
        return dict(self._known) if not self._known[name] else await self.look(bus, every=True)


async def probe_streams(bus: Bus, timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """State of every stream and bucket; all are asked at the same time, so the answer takes ``timeout_s`` at most."""
    if not bus.client.is_connected:
        return {spec.name: "unreachable" for spec in STREAMS}
    names = [spec.name for spec in STREAMS]
    found = await asyncio.gather(
        *(_probe(bus, name, timeout_s) for name in names), *(_probe_bucket(bus, name, timeout_s) for name in _BUCKETS)
    )
    return dict(zip([*names, *_BUCKETS], found, strict=True))


async def _probe(bus: Bus, name: str, timeout_s: float) -> str:
    stream, subject = bus.stream(name), bus.subject("probe", name.lower(), new_id())
    return await _write(bus, stream, subject, timeout_s)


async def _probe_bucket(bus: Bus, name: str, timeout_s: float) -> str:
    stream = f"KV_{bus.stream(name)}"
    return await _write(bus, stream, f"$KV.{bus.stream(name)}.probe", timeout_s)


async def _write(bus: Bus, stream: str, subject: str, timeout_s: float) -> str:
    try:
        async with asyncio.timeout(timeout_s):
            ack = await bus.js.publish(subject, b"probe", timeout=timeout_s)
    except nats.js.errors.NoStreamResponseError:
        return "missing"
    except nats.js.errors.APIError as error:
        said = (error.description or "").lower()
        return "full" if any(words in said for words in _LIMITS) else "refuses"
    except (TimeoutError, nats.errors.Error):
        return "refuses" if bus.client.is_connected else "unreachable"
    with contextlib.suppress(TimeoutError, nats.errors.Error, nats.js.errors.Error):
        async with asyncio.timeout(timeout_s):
            await _take_out(bus, stream, ack.seq)
    return ""


async def _take_out(bus: Bus, stream: str, seq: int) -> None:
    """Delete without overwriting the bytes on the disk with random ones, as the client's own call would have it."""
    request = json.dumps({"seq": seq, "no_erase": True}).encode()
    await bus.client.request(f"$JS.API.STREAM.MSG.DELETE.{stream}", request, timeout=TIMEOUT_S)


def worst(states: dict[str, str]) -> str:
    """One word for the bus: ``ok``, else the worst of its streams."""
    for word in ("unreachable", "refuses", "missing", "full"):
        if word in states.values():
            return word
    return "ok"
