"""The TCP listener for byte protocols: cuts the stream, publishes, and confirms late.

A frame's reply leaves only after JetStream acknowledged everything the frame produced.  If that fails the device
gets no answer and sends again, which its ids make harmless.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any, cast

from core.clock import Clock
from ingest.contract import IDLE_BYTES, Frame, Refused, Request, Source
from ingest.counters import Refusal
from ingest.pipeline import Pipeline, durable
from ingest.transports.limits import AllowList, Guard, Limits, TokenBucket

log = logging.getLogger("yiwang.ingest")

_SWEEP_S = 5.0
_SHORT_BYTES = 16


class TcpListener:
    """One source on one port; knows which connection each device speaks on."""

    def __init__(
        self,
        source: Source,
        pipeline: Pipeline,
        clock: Clock,
        limits: Limits | None = None,
        allow: AllowList | None = None,
    ) -> None:
        self.source = source
        self.pipeline = pipeline
        self.clock = clock
        self.limits = limits or Limits()
        self.guard = Guard(self.limits, allow)
        self.counters = pipeline.counters.of(source.kind)
        self.connections: set[Connection] = set()
        self.by_device: dict[str, Connection] = {}
        self._server: asyncio.Server | None = None

    async def serve(self, host: str, port: int, stop: asyncio.Event) -> None:
        """Listen until ``stop``; ``OSError`` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port, backlog=1024)
        log.info("%s listens on %s:%d", self.source.kind, host, port)
        try:
            while not stop.is_set():
                try:
                    await asyncio.wait_for(stop.wait(), _SWEEP_S)
                except TimeoutError:
                    self._sweep(loop.time())
        finally:
            self._server.close()
            for connection in list(self.connections):
                connection.close("stop")

    def _sweep(self, now: float) -> None:
        self.counters.events["open_connections"] = len(self.connections)
        for connection in list(self.connections):
            connection.check(now)

    def connection_of(self, device_id: str) -> Connection | None:
        """The connection on which the device spoke last, if it is still open."""
        return self.by_device.get(device_id)


class Connection(asyncio.Protocol):
    """One peer.  A task runs only while decoded frames wait to become durable."""

    __slots__ = (
        "_address",
        "_beat",
        "_beats",
        "_bucket",
        "_buffer",
        "_busy",
        "_frames",
        "_good",
        "_last",
        "_listener",
        "_paused",
        "_refused",
        "_since",
        "_throttled_until",
        "_unfinished",
        "answers",
        "device_ids",
        "session",
        "transport",
    )

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self.session = listener.source.session()
        self.transport: asyncio.Transport | None = None
        self.device_ids: tuple[str, ...] | set[str] = ()  # a set only for a gateway of many devices
        self.answers: dict[str, asyncio.Future[Any]] = {}
        self._frames: list[Frame | Refused] = []
        self._buffer = b""
        self._busy: asyncio.Task[None] | None = None
        self._address = ""
        self._good = self._refused = 0
        self._paused = False
        self._throttled_until = 0.0
        now = asyncio.get_running_loop().time()
        self._since = self._last = now
        self._unfinished: float | None = None
        self._beat = False
        self._beats: TokenBucket | None = None
        self._bucket = TokenBucket(listener.limits.bytes_per_s, listener.limits.burst_bytes, now)

    # from asyncio ----------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else "?"
        refusal = self._listener.guard.admit(address, self._since)
        if refusal is not None:
            self._listener.counters.refuse(refusal)
            if refusal == "not_allowed":
                detail = f"{address} is not on this listener's allow-list"
                self._listener.counters.keep(Refusal(refusal, detail, self._listener.clock.now(), b"", address))
            transport.abort()
            return
        self._address, self.transport = address, transport
        transport.set_write_buffer_limits(high=65536)
        # the kernel's send buffer would grow to megabytes for a peer that never reads
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        self._listener.connections.add(self)
        self._listener.counters.count("connections")

    def data_received(self, data: bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        now = asyncio.get_running_loop().time()
        self._last = now
        wait = self._bucket.take(len(data), now)
        frames, self._buffer = self.session.decode(self._buffer + data, received_at=self._listener.clock.now())
        self._unfinished = None if not self._buffer else (self._unfinished or now)
        if frames and self._buffer:
            self._unfinished = now
        if len(self._buffer) > self._listener.source.max_frame_bytes:
            self._refuse("too_long")
            self.close("oversize frame")
            return
        for entry in frames:
            self._judge(entry)
        if wait > 0:
            self._listener.counters.count("throttled")
            self._throttled_until = now + wait
            self._pause()
            asyncio.get_running_loop().call_later(wait + 0.001, self._resume)
        elif len(self._frames) > self._listener.limits.pending_frames:
            self._pause()
        if self._frames and self._busy is None:
            self._busy = asyncio.create_task(self._work())

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is None:
            return
        self.transport = None
        self._listener.connections.discard(self)
        self._listener.guard.leave(self._address)
        for device_id in self.device_ids:
            if self._listener.by_device.get(device_id) is self:
                del self._listener.by_device[device_id]
                self._listener.pipeline.disconnected(device_id)
        for future in self.answers.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the device hung up"))
                future.exception()

    # ours --------------------------------------------------------------------
    def _judge(self, entry: Frame | Refused) -> None:
        self._frames.append(entry)
        if isinstance(entry, Frame):
            self._good += 1
            self._listener.counters.count("frames")
            self._adopt(entry.device_id)
            if entry.problem:
                refusal = Refusal("frame_part", entry.problem, self._listener.clock.now(), entry.raw, self._address)
                self._listener.pipeline.note_refused(self._listener.source.kind, refusal, entry.device_id)
            for answer in entry.answers:
                waiting = self.answers.get(answer.key)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
            return
        beat = (entry.idle or len(entry.raw) <= _SHORT_BYTES) and self._is_beat(len(entry.raw))
        if beat and entry.idle:
            return
        device_id = entry.device_id or (next(iter(self.device_ids)) if len(self.device_ids) == 1 else "")
        self._refused += not beat  # a modem's text that looks like the beginning of a frame is told, and no attack
        refusal = Refusal(entry.code, entry.detail, self._listener.clock.now(), entry.raw, self._address)
        self._listener.pipeline.note_refused(self._listener.source.kind, refusal, device_id)
        if entry.device_id is not None:
            self._listener.pipeline.refused(entry.device_id)
        if self._refused > self._listener.limits.refusals + self._good:
            self._listener.guard.ban(self._address, self._last)
            self.close("nothing but refused frames")

    def _is_beat(self, size: int) -> bool:
        """Whether a few bytes between frames may be a modem's: they are counted, skipped, and no reason to hang up."""
        if self._beats is None:
            limits = self._listener.limits
            self._beats = TokenBucket(limits.beats_per_s, limits.beats_burst, self._last)
        self._beat = self._beats.take(1.0, self._last) == 0
        if self._beat:
            self._listener.counters.count("idle_bytes", size)
        return self._beat

    def _adopt(self, device_id: str) -> None:
        if device_id in self.device_ids and self._listener.by_device.get(device_id) is self:
            return
        if len(self.device_ids) < 1000:  # one gateway may carry many devices, not endlessly many
            if isinstance(self.device_ids, tuple) and len(self.device_ids) >= 4:
                self.device_ids = set(self.device_ids)
            if isinstance(self.device_ids, set):
                self.device_ids.add(device_id)
            elif device_id not in self.device_ids:
                self.device_ids = (*self.device_ids, device_id)
            self._listener.by_device[device_id] = self

    def _refuse(self, code: str) -> None:
        self._refused += 1
        self._listener.counters.refuse(code)

    async def _work(self) -> None:
        pipeline, kind = self._listener.pipeline, self._listener.source.kind
        try:
            while self._frames:
                batch, self._frames = self._frames, []
                taken = []
                for entry in batch:
                    futures = []
                    if isinstance(entry, Frame):
                        futures = await pipeline.take(kind, entry.device_id, entry.readings, entry.observations)
                        if entry.attachment:
                            futures += await pipeline.picture(kind, entry.device_id, entry.attachment)
                        if entry.device_time is not None:
                            pipeline.clock_seen(entry.device_id, entry.device_time)
                    taken.append((entry, futures))
                for entry, futures in taken:
                    if await durable(futures):
                        self.send(entry.reply)
                    else:
                        self._listener.counters.count("unconfirmed")
                self._resume()
        except Exception:  # noqa: BLE001 - one peer's trouble must not end the listener; it is logged and hung up
            log.exception("%s: connection from %s failed", kind, self._address)
            self.close("internal error")
        finally:
            self._busy = None

    def send(self, data: bytes | None) -> None:
        """Write ``data`` if the peer is still there; a peer that never reads is cut off at 64 KiB."""
        if not data or self.transport is None or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > 65536:
            self._refuse("does_not_read")
            self.close("does not read its answers")
            return
        self.transport.write(data)

    async def ask(self, request: Request, key: str, timeout_s: float) -> Any:
        """Wait for the :class:`~ingest.contract.Answer` with ``key``; ``TimeoutError``, ``ConnectionResetError``."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.answers[key] = future
        try:
            if key == request.key:
                self.send(request.data)
            return await asyncio.wait_for(future, timeout_s)
        finally:
            if self.answers.get(key) is future:
                del self.answers[key]

    def check(self, now: float) -> None:
        """Close the connection when it idles, never finishes a frame, or never sent a good one."""
        limits = self._listener.limits
        self.session.expire(self._listener.clock.now())
        crowded = len(self._listener.connections) > limits.crowded * limits.connections
        beating = (self._beat or bool(self._good)) and not crowded
        if self._unfinished is not None and now - self._unfinished > limits.unfinished_s:
            if beating and len(self._buffer) <= IDLE_BYTES and self._is_beat(len(self._buffer)):
                self._buffer, self._unfinished = b"", None  # a beat that looks like the beginning of a frame
                return
            self._refuse("unfinished_frame")
            self.close("frame never finished")
        elif not self._good and now - self._since > (limits.beats_s if beating else limits.first_frame_s):
            self._refuse("no_good_frame")
            self.close("no good frame")
        elif now - self._last > limits.idle_s:
            self._listener.counters.count("idle_closed")
            self.close("idle")

    def close(self, why: str) -> None:
        """Hang up."""
        if self.transport is not None and not self.transport.is_closing():
            log.debug("%s: %s closed: %s", self._listener.source.kind, self._address, why)
            if why == "stop":
                self.transport.close()
            else:
                self.transport.abort()

    def _pause(self) -> None:
        if not self._paused and self.transport is not None and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        """Read on, unless the peer is still too fast or too much of it is not yet durable."""
        throttled = asyncio.get_running_loop().time() < self._throttled_until
        if throttled or len(self._frames) > self._listener.limits.pending_frames:
            return
        if self._paused and self.transport is not None and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()
