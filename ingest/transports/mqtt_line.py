"""One connection to an MQTT broker on asyncio's own loop: whole packets in, bytes out, keep-alive, back-pressure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from ingest.transports import mqtt_wire as wire

KEEPALIVE_S = 30


class Line(asyncio.Protocol):
    """One connection to the broker: whole packets in, bytes out."""

    def __init__(self, take: Callable[[list[wire.Packet]], None]) -> None:
        self._take = take
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._paused = False
        now = asyncio.get_running_loop().time()
        self._heard = self._said = now
        self.lost = asyncio.Event()
        self.why = ""
        self.connack: asyncio.Future[wire.Connack] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            packets, self._buffer = wire.decode(self._buffer + data)
        except wire.WireError as error:
            self.why = str(error)
            self.close()
            return
        if packets and isinstance(packets[0], wire.Connack) and not self.connack.done():
            self.connack.set_result(packets[0])
        self._take(packets)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.connack.done():
            self.connack.set_exception(ConnectionResetError("the broker hung up"))
            self.connack.exception()
        self.lost.set()

    def write(self, data: bytes) -> None:
        """Send, if the broker is still there."""
        if self._transport is not None and not self._transport.is_closing():
            self._said = asyncio.get_running_loop().time()
            self._transport.write(data)

    def keep_alive(self, now: float) -> None:
        """Ping when nothing was said for half the keep-alive; give up on a broker that answers nothing."""
        if now - self._said > KEEPALIVE_S / 2:
            self.write(wire.PINGREQ)
        if not self._paused and now - self._heard > 2 * KEEPALIVE_S:
            self.why = f"nothing from the broker for {2 * KEEPALIVE_S} s"
            self.close()

    def pause(self) -> None:
        """Read no further until :meth:`resume`."""
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._heard = asyncio.get_running_loop().time()
            self._transport.resume_reading()

    def close(self, last: bytes = b"") -> None:
        """Hang up."""
        if last:
            self.write(last)
        if self._transport is not None:
            self._transport.close()
