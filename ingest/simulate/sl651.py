"""A simulated hydrological station: SL 651-2014 timed reports of level, rain and voltage, with confirms (mode M2)."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.clock import BEIJING
from core.settings import Settings
from ingest.simulate import _terminal
from ingest.sources._sl651_frame import Sl651Packet, decode, encode

HELP = "hydrological station (SL 651-2014)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the station."""
    _terminal.add_options(parser, "sl651:2201050001")
    parser.add_argument("--level", type=float, default=0.12, help="water level in m around which it moves")


async def run(args: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> dict[str, Any]:
    """Play the station."""
    host, port = args.host or settings.panel_host, args.port or settings.source_port("sl651")
    return await _terminal.run(SimulatedStation(args.device.partition(":")[2], args.level), args, host, port, stop)


def bcd(number: int, digits: int) -> bytes:
    """``number`` as packed BCD."""
    return bytes.fromhex(f"{number:0{digits}d}")


class SimulatedStation:
    """The protocol's side."""

    def __init__(self, station: str, level_m: float) -> None:
        self._station, self._level = station.zfill(10), level_m
        self._serial = random.randrange(1, 60_000)
        self._rain = 0

    def greeting(self) -> Iterator[tuple[str, bytes]]:
        """None in this protocol."""
        return iter(())

    def report(self, number: int) -> tuple[str, bytes]:
        """A timed report (32): Z, PT, VT."""
        self._serial = self._serial % 65_535 + 1
        self._rain += random.random() < 0.2
        level = max(0, round((self._level + 0.02 * random.random()) * 1000))
        elements = b"\x39\x23" + bcd(level, 8) + b"\x26\x19" + bcd(self._rain * 5, 6) + b"\x38\x12" + bcd(1210, 4)
        now = datetime.now(UTC).astimezone(BEIJING)
        head = self._serial.to_bytes(2, "big") + bytes.fromhex(now.strftime("%y%m%d%H%M%S"))
        place = b"\xf1\xf1" + bytes.fromhex(self._station) + b"H" + b"\xf0\xf0"
        return str(self._serial), self._frame(0x32, head + place + bytes.fromhex(now.strftime("%y%m%d%H%M")) + elements)

    def heartbeat(self) -> tuple[str, bytes]:
        """Keep-alive (2F), which nobody answers; its serial is that of the last report."""
        now = datetime.now(UTC).astimezone(BEIJING)
        body = self._serial.to_bytes(2, "big") + bytes.fromhex(now.strftime("%y%m%d%H%M%S"))
        return "", self._frame(0x2F, body)

    def _frame(self, function: int, payload: bytes) -> bytes:
        return encode(station=self._station, centre=1, password="1234", function=function, payload=payload)  # noqa: S106

    def confirms(self, data: bytes) -> tuple[list[str], bytes]:
        """Serials of downlink confirms."""
        decoded = decode(data)
        keys = [
            str(int.from_bytes(p.payload[:2], "big")) for p in decoded.frames if isinstance(p, Sl651Packet) and p.down
        ]
        return keys, decoded.rest
