"""The way out: many publishes under way at once, each with a future that resolves at JetStream's PubAck.

Own acknowledgement inbox instead of ``nats-py``'s ``publish_async``: that one never gives up on an
acknowledgement that was lost with a killed server, and costs half as much again per message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import nats.errors
from nats.aio.msg import Msg

from core.bus import Bus
from core.errors import YiwangError
from core.records import Observation, Reading, encode

log = logging.getLogger("yiwang.ingest")


class NotDurable(YiwangError):
    code = "not_durable"
    message = "the bus did not confirm {subject}: {detail}"
    remedy = "the device is not confirmed and will send again; check the bus and its disk"


class Outlet:
    """Publishes with at most ``max_pending`` messages unconfirmed (policy: block)."""

    def __init__(self, bus: Bus, *, max_pending: int = 4096, timeout_s: float = 10.0) -> None:
        self._bus = bus
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(max_pending)
        self._pending: dict[str, tuple[asyncio.Future[None], float, str]] = {}
        self._number = 0
        self._inbox = ""
        self._sweeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen for acknowledgements; call once before publishing."""
        self._inbox = self._bus.client.new_inbox()
        await self._bus.client.subscribe(f"{self._inbox}.*", cb=self._on_ack)
        self._sweeper = asyncio.create_task(self._sweep(), name="outlet-sweeper")

    async def close(self) -> None:
        """Stop; whatever is unconfirmed fails now."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for token in list(self._pending):
            self._fail(token, "ingest stops")

    @property
    def pending(self) -> int:
        """Messages not yet confirmed."""
        return len(self._pending)

    async def reading(self, reading: Reading) -> asyncio.Future[None]:
        """Publish a reading; the future resolves when it is durable or raises :class:`NotDurable`."""
        return await self.publish(self._bus.reading_subject(reading), encode(reading), reading.reading_id)

    async def observation(self, observation: Observation) -> asyncio.Future[None]:
        """Publish an observation; the future as for :meth:`reading`."""
        subject = self._bus.observation_subject(observation)
        return await self.publish(subject, encode(observation), observation.observation_id)

    async def publish(self, subject: str, payload: bytes, message_id: str | None) -> asyncio.Future[None]:
        """Publish raw ``payload``; ``message_id`` lets JetStream drop a repeat within its window."""
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._number += 1
        token = str(self._number)
        self._pending[token] = (future, loop.time() + self._timeout_s, subject)
        headers = {"Nats-Msg-Id": message_id} if message_id else None
        try:
            await self._bus.client.publish(subject, payload, reply=f"{self._inbox}.{token}", headers=headers)
        except nats.errors.Error as error:
            self._fail(token, type(error).__name__)
        return future

    async def _on_ack(self, message: Msg) -> None:
        token = message.subject.rpartition(".")[2]
        if not message.data:
            self._fail(token, "no stream takes it")
            return
        if b'"error"' in message.data:
            answer: dict[str, Any] = json.loads(message.data)
            self._fail(token, str(answer.get("error", {}).get("description", answer)))
            return
        entry = self._pending.pop(token, None)
        if entry is not None:
            self._room.release()
            if not entry[0].done():
                entry[0].set_result(None)

    def _fail(self, token: str, detail: str) -> None:
        entry = self._pending.pop(token, None)
        if entry is None:
            return
        self._room.release()
        future, _, subject = entry
        if not future.done():
            future.set_exception(NotDurable(subject=subject, detail=detail))
            future.exception()  # looked at: a caller that went away causes no warning

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            now = asyncio.get_running_loop().time()
            late = [token for token, (_, deadline, _) in self._pending.items() if deadline < now]
            for token in late:
                self._fail(token, f"no PubAck within {self._timeout_s:g} s")
