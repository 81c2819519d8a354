"""A simulated sanitation vehicle: JT/T 808-2013 registration, authentication, positions along a loop of streets."""

from __future__ import annotations

import argparse
import asyncio
import math
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.clock import BEIJING
from core.settings import Settings
from ingest.simulate import _terminal
from ingest.sources._jt808_body import decode_register_answer, encode_position
from ingest.sources._jt808_frame import Jt808Packet, decode, encode

HELP = "vehicle terminal (JT/T 808-2013)"
CENTRE = (125.3746, 43.8654)  # Erdao
RADIUS_DEG = 0.01


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the vehicle."""
    _terminal.add_options(parser, "jt808:013500000001")
    parser.add_argument("--sos", action="store_true", help="every position carries the SOS alarm")


async def run(args: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> dict[str, Any]:
    """Play the vehicle."""
    host, port = args.host or settings.panel_host, args.port or settings.source_port("jt808")
    return await _terminal.run(Vehicle(args.device.partition(":")[2], args.sos), args, host, port, stop)


class Vehicle:
    """The protocol's side; a key is message id and serial."""

    def __init__(self, phone: str, sos: bool) -> None:
        self._phone, self._sos = phone.zfill(12), sos
        self._serial = 0
        self._code = b"code"

    def _frame(self, message: int, body: bytes = b"") -> tuple[str, bytes]:
        self._serial = self._serial % 65_535 + 1
        return f"{message:04X}:{self._serial}", encode(
            message=message, phone=self._phone, serial=self._serial, body=body
        )

    def greeting(self) -> Iterator[tuple[str, bytes]]:
        """Register, then authenticate with the code that came back."""
        plate = "吉A·D0001".encode("gbk")
        body = struct.pack(">HH5s20s7sB", 22, 105, b"YIWNG", b"SIM-1", b"T000001", 2) + plate
        yield self._frame(0x0100, body)
        yield self._frame(0x0102, self._code)

    def report(self, number: int) -> tuple[str, bytes]:
        """A position (0200) on a circle, with mileage."""
        angle = number * 2 * math.pi / 120
        body = encode_position(
            latitude=CENTRE[1] + RADIUS_DEG * math.sin(angle),
            longitude=CENTRE[0] + RADIUS_DEG * math.cos(angle),
            time=datetime.now(UTC).astimezone(BEIJING),
            speed_kmph=18.0,
            direction_deg=round(90 - math.degrees(angle)) % 360,
            altitude_m=215,
            alarm=int(self._sos),
            items=((0x01, (1000 + number).to_bytes(4, "big")),),
        )
        return self._frame(0x0200, body)

    def heartbeat(self) -> tuple[str, bytes]:
        """0002."""
        return self._frame(0x0002)

    def confirms(self, data: bytes) -> tuple[list[str], bytes]:
        """General answers (8001) and the registration's (8100)."""
        decoded = decode(data)
        keys = []
        for packet in decoded.frames:
            if isinstance(packet, Jt808Packet) and packet.message == 0x8001 and len(packet.body) == 5:
                serial, message, _ = struct.unpack(">HHB", packet.body)
                keys.append(f"{message:04X}:{serial}")
            elif isinstance(packet, Jt808Packet) and packet.message == 0x8100:
                answer = decode_register_answer(packet.body)
                self._code = str(answer["auth_code"]).encode("gbk")
                keys.append(f"0100:{answer['answered_serial']}")
        return keys, decoded.rest
