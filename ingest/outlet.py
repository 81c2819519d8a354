"""The way out: many publishes under way at once, each with a future that resolves at JetStream's PubAck.

Readings are gathered for 20 ms and go together, by partition: a stream's cost is by message, not by reading.

Own acknowledgement inbox instead of ``nats-py``'s ``publish_async``: that one never gives up on an
acknowledgement that was lost with a killed server, and costs half as much again per message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import Any

import nats.errors
from nats.aio.msg import Msg

from core.bus import Bus
from core.errors import YiwangError
from core.records import Observation, Reading, encode, encode_many

log = logging.getLogger("yiwang.ingest")

GATHER_S = 0.02
MOST_READINGS = 64  # in one message
MOST_BYTES = 256 * 1024


class NotDurable(YiwangError):
    code = "not_durable"
    message = "the bus did not confirm {subject}: {detail}"
    remedy = "the device is not confirmed and will send again; check the bus and its disk"
    zh = "总线没有确认 {subject}：{detail}"
    zh_remedy = "设备没有得到确认，会再发；请检查总线及其磁盘"


@dataclass(slots=True)
class _Batch:
    """Readings that travel together; ``open`` counts the messages that carry them."""

    future: asyncio.Future[None]
    readings: list[Reading]
    open: list[int] = field(default_factory=lambda: [1])


@dataclass(slots=True)
class _Pending:
    """A message under way."""

    future: asyncio.Future[None]
    open: list[int]
    size: int
    subject: str
    deadline: float = 0.0


class Outlet:
    """Publishes with at most ``max_pending`` readings and messages unconfirmed (policy: block)."""

    def __init__(
        self, bus: Bus, *, max_pending: int = 8192, timeout_s: float = 10.0, gather_s: float = GATHER_S
    ) -> None:
        self._bus = bus
        self._gather_s = gather_s
        self._gathering: dict[str, _Batch] = {}
        self._flusher: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(max_pending)
        self._pending: dict[str, _Pending] = {}
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
        if self._flusher is not None:
            self._flusher.cancel()
            self._flush()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for token in list(self._pending):
            self._fail(token, "ingest stops")

    @property
    def pending(self) -> int:
        """Messages not yet confirmed."""
        return len(self._pending)

    async def reading(self, reading: Reading) -> asyncio.Future[None]:
        """Publish a reading; the future resolves when it is durable or raises :class:`NotDurable`.

        Readings of a partition that come within ``gather_s`` travel in one message and share its future.
        """
        await self._room.acquire()
        part = self._bus.partition_of(reading.site_id, reading.device_id)
        batch = self._gathering.get(part)
        if batch is None:
            loop = asyncio.get_running_loop()
            batch = self._gathering[part] = _Batch(loop.create_future(), [])
            if self._flusher is None:
                self._flusher = loop.call_later(self._gather_s, self._flush)
        batch.readings.append(reading)
        if len(batch.readings) >= MOST_READINGS:
            self._send(part, self._gathering.pop(part))
        return batch.future

    def _flush(self) -> None:
        self._flusher = None
        gathered, self._gathering = self._gathering, {}
        for part, batch in gathered.items():
            self._send(part, batch)

    def _send(self, part: str, batch: _Batch) -> None:
        """Put a batch under way; one that would not fit a message goes as two, and is durable when both are."""
        payload = encode_many(batch.readings) if len(batch.readings) > 1 else encode(batch.readings[0])
        if len(payload) > MOST_BYTES and len(batch.readings) > 1:
            middle = len(batch.readings) // 2
            halves = [_Batch(batch.future, batch.readings[:middle]), _Batch(batch.future, batch.readings[middle:])]
            batch.open[0] += 1
            for half in halves:
                half.open = batch.open
                self._send(part, half)
            return
        one = batch.readings[0] if len(batch.readings) == 1 else None
        subject = self._bus.reading_subject(one) if one else self._bus.readings_subject(part)
        task = asyncio.ensure_future(self._carry(subject, payload, one.reading_id if one else None, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, subject: str, payload: bytes, message_id: str | None, batch: _Batch) -> None:
        await self._put(subject, payload, message_id, _Pending(batch.future, batch.open, len(batch.readings), subject))

    async def observation(self, observation: Observation) -> asyncio.Future[None]:
        """Publish an observation; the future as for :meth:`reading`."""
        subject = self._bus.observation_subject(observation)
        return await self.publish(subject, encode(observation), observation.observation_id)

    async def publish(self, subject: str, payload: bytes, message_id: str | None) -> asyncio.Future[None]:
        """Publish raw ``payload``; ``message_id`` lets JetStream drop a repeat within its window."""
        await self._room.acquire()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._put(subject, payload, message_id, _Pending(future, [1], 1, subject))
        return future

    async def _put(self, subject: str, payload: bytes, message_id: str | None, entry: _Pending) -> None:
        self._number += 1
        token = str(self._number)
        entry.deadline = asyncio.get_running_loop().time() + self._timeout_s
        self._pending[token] = entry
        headers = {"Nats-Msg-Id": message_id} if message_id else None
        try:
            await self._bus.client.publish(subject, payload, reply=f"{self._inbox}.{token}", headers=headers)
        except nats.errors.Error as error:
            self._fail(token, type(error).__name__)

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
            self._release(entry)
            entry.open[0] -= 1
            if entry.open[0] == 0 and not entry.future.done():
                entry.future.set_result(None)

    def _release(self, entry: _Pending) -> None:
        for _ in range(entry.size):
            self._room.release()

    def _fail(self, token: str, detail: str) -> None:
        entry = self._pending.pop(token, None)
        if entry is None:
            return
        self._release(entry)
        future = entry.future
        if not future.done():
            future.set_exception(NotDurable(subject=entry.subject, detail=detail))
            future.exception()  # looked at: a caller that went away causes no warning

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            now = asyncio.get_running_loop().time()
            late = [token for token, entry in self._pending.items() if entry.deadline < now]
            for token in late:
                self._fail(token, f"no PubAck within {self._timeout_s:g} s")
