"""MQTT QoS 1 load: many devices over a few connections, packets built by hand so that the generator is cheap.

``python -m bench.parts.mqtt_load HOST PORT DEVICES CONNECTIONS COUNT RATE`` with the account in ``MQTT_USER`` and
``MQTT_PASSWORD``; prints ``{"sent", "confirmed", "seconds"}``.  Rate 0: as fast as the broker confirms.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

WINDOW = 500  # unconfirmed messages per connection


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(kind: int, body: bytes) -> bytes:
    length, size = b"", len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes((low | (0x80 if size else 0),))
        if not size:
            return bytes((kind,)) + length + body


class Publisher:
    """One connection that plays several devices.  ``confirmed`` are the (device, seq) the broker PUBACKed."""

    def __init__(self, name: str, user: str, password: str) -> None:
        self._name, self._user, self._password = name, user, password
        self._mid = 0
        self._flying: dict[int, tuple[str, int]] = {}
        self._room = asyncio.Event()
        self.confirmed: list[tuple[str, int]] = []
        self.keep_confirmed = False
        self.lost = False
        self.count = 0

    async def open(self, host: str, port: int) -> None:
        """Connect with a clean session."""
        self._reader, self._writer = await asyncio.open_connection(host, port)
        body = _text("MQTT") + bytes((4, 0xC2)) + struct.pack(">H", 600)
        self._writer.write(_packet(0x10, body + _text(self._name) + _text(self._user) + _text(self._password)))
        answer = await asyncio.wait_for(self._reader.readexactly(4), 10)
        if answer[3] != 0:
            raise ConnectionRefusedError(f"CONNACK {answer[3]}")
        self._flying.clear()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ConnectionError):  # the same as an orderly end: the owner connects again
            await self._take_confirms()
        self.lost = True
        self._room.set()

    async def _take_confirms(self) -> None:
        buffer = b""
        while data := await self._reader.read(65536):
            buffer += data
            whole = len(buffer) - len(buffer) % 4  # PUBACKs alone come back, four bytes each
            for at in range(0, whole, 4):
                known = self._flying.pop(int.from_bytes(buffer[at + 2 : at + 4], "big"), None)
                if known is not None:
                    self.count += 1
                    if self.keep_confirmed:
                        self.confirmed.append(known)
            buffer = buffer[whole:]
            self._room.set()

    def send(self, device: str, seq: int, body: bytes) -> None:
        """Publish without waiting."""
        self._mid = self._mid % 65535 + 1
        self._flying[self._mid] = (device, seq)
        head = _text(f"sensors/{device}") + struct.pack(">H", self._mid)
        self._writer.write(_packet(0x32, head + body))

    async def ready(self) -> None:
        """Wait until less than the window is unconfirmed."""
        while len(self._flying) >= WINDOW and not self.lost:
            self._room.clear()
            await self._room.wait()
        await self._writer.drain()

    async def drained(self, wait_s: float) -> None:
        """Wait until everything is confirmed, or give up."""
        deadline = time.monotonic() + wait_s
        while self._flying and time.monotonic() < deadline and not self._reading.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """Hang up."""
        self._reading.cancel()
        self._writer.close()


def message(seq: int, now: datetime) -> bytes:
    """A plausible reading: a level that moves below every threshold."""
    level = (seq % 40) / 1000
    return b'{"time":"%s","seq":%d,"water_level_m":%.3f}' % (now.isoformat().encode(), seq, level)


async def publish(
    host: str, port: int, user: str, password: str, devices: int, connections: int, count: int, rate: float
) -> dict[str, float]:
    """Send ``count`` messages of ``devices`` devices; figures."""
    names = [[f"bench-{d}" for d in range(devices) if d % connections == c] for c in range(connections)]
    publishers = [Publisher(f"bench-load-{c}-{os.getpid()}", user, password) for c in range(connections)]
    for publisher in publishers:
        await publisher.open(host, port)
    began = time.monotonic()

    async def feed(index: int) -> None:
        publisher, mine = publishers[index], names[index]
        share = count // connections
        for number in range(share):
            publisher.send(mine[number % len(mine)], number, message(number, datetime.now(UTC)))
            if number % 20 == 19 or rate:
                await publisher.ready()
            if rate:
                ahead = began + number * connections / rate - time.monotonic()
                if ahead > 0:
                    await asyncio.sleep(ahead)
        await publisher.drained(60)

    await asyncio.gather(*(feed(i) for i in range(connections)))
    seconds = time.monotonic() - began
    for publisher in publishers:
        publisher.close()
    return {
        "sent": count // connections * connections,
        "confirmed": sum(p.count for p in publishers),
        "seconds": round(seconds, 3),
    }


def main() -> None:
    """As the module says."""
    host, port, devices, connections, count, rate = sys.argv[1:7]
    figures = asyncio.run(
        publish(
            host, int(port), os.environ["MQTT_USER"], os.environ["MQTT_PASSWORD"],
            int(devices), int(connections), int(count), float(rate),
        )
    )  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
