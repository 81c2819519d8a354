"""GB/T 26875.3-2011: frames, bytes to packets and back."""

from __future__ import annotations

import re
import struct
from datetime import datetime
from typing import Any

import msgspec

from ingest.contract import Decoded, iso
from ingest.errors import FrameChecksum, FrameEnd, FrameError, FrameField, FrameLength
from ingest.sources import _gb26875_tables as tables
from ingest.sources._gb26875_adu import PROTOCOL, Unit, decode_unit, item_json, label_time, time_label
from ingest.sources._scan import scan

START, END = b"@@", b"##"
_MARK = re.compile(START)
# start, serial, version, user version, time label, source, destination, length, command
HEAD = struct.Struct("<2sHBB6s6s6sHB")
MOST_ADU = 1024
MAX_FRAME_BYTES = 30 + MOST_ADU


class Gb26875Packet(msgspec.Struct, frozen=True):
    """One frame.  ``unit`` is None when the data unit is empty (confirm, deny, heart-beat)."""

    raw: bytes
    serial: int
    version: tuple[int, int]
    label: bytes
    source: int
    destination: int
    command: int
    adu: bytes
    unit: Unit | None

    @property
    def time(self) -> datetime | None:
        """When the frame was sent by the sender's clock, None when impossible."""
        return label_time(self.label)

    @property
    def heartbeat(self) -> bool:
        return self.command == 2 and not self.adu

    def as_json(self, address_style: str = "zone_position") -> dict[str, Any]:
        """What ``python -m app decode gb26875`` prints."""
        out: dict[str, Any] = {
            "protocol": PROTOCOL,
            "serial": self.serial,
            "version": f"{self.version[0]}.{self.version[1]}",
            "time": iso(self.time),
            "source_address": self.source,
            "destination_address": self.destination,
            "command": self.command,
            "command_name": "user_defined" if self.command >= 128 else tables.COMMANDS[self.command],
            "adu_length": len(self.adu),
        }
        if self.heartbeat:
            out["heartbeat"] = True
        if self.unit is not None:
            out |= {"adu_type": self.unit.adu_type, "adu_type_name": self.unit.name, "object_count": self.unit.count}
            if self.unit.kept_raw:
                out["adu_hex"] = self.adu.hex().upper()
            out["objects"] = [item_json(self.unit, item, address_style) for item in self.unit.items]
        elif self.adu:
            out["adu_hex"] = self.adu.hex().upper()
        return out


def decode(data: bytes) -> Decoded:
    """Frames and refusals in stream order; resynchronises byte by byte on ``@@``."""
    return scan(data, PROTOCOL, _MARK, START[:1], _frame_at)


def _frame_at(data: bytes, start: int) -> tuple[Gb26875Packet | FrameError | None, int]:
    """The frame that begins at ``start`` and its end; None when more bytes are needed."""
    if len(data) - start < HEAD.size:
        return None, start
    _, serial, major, minor, label, source, destination, length, command = HEAD.unpack_from(data, start)
    if length > MOST_ADU:
        end = start + HEAD.size
        return FrameLength(protocol=PROTOCOL, got=length, detail=f"at most {MOST_ADU}", raw=data[start:end]), end
    end = start + 30 + length
    if end > len(data):
        return None, start
    raw = data[start:end]
    if raw[-2:] != END:
        return FrameEnd(protocol=PROTOCOL, expected="23 23", got=raw[-2:].hex(" "), raw=raw), end
    total = sum(raw[2:-3]) & 0xFF
    if total != raw[-3]:
        return FrameChecksum(protocol=PROTOCOL, got=f"{raw[-3]:02X}", expected=f"{total:02X}", raw=raw), end
    if command not in tables.COMMANDS and command < 128:
        return FrameField(protocol=PROTOCOL, field="command", detail=f"{command} is reserved", raw=raw), end
    adu = raw[HEAD.size : -3]
    unit = None
    if adu and command < 128:
        try:
            unit = decode_unit(adu)
        except FrameField as error:
            error.raw = raw
            return error, end
    return (
        Gb26875Packet(
            raw,
            serial,
            (major, minor),
            label,
            int.from_bytes(source, "little"),
            int.from_bytes(destination, "little"),
            command,
            adu,
            unit,
        ),
        end,
    )


def encode(
    *,
    command: int,
    serial: int,
    source: int,
    destination: int,
    time: datetime | bytes,
    adu: bytes = b"",
    version: tuple[int, int] = (1, 1),
) -> bytes:
    """A frame; ``time`` a moment or the 6 bytes of a label."""
    if len(adu) > MOST_ADU:
        raise FrameLength(protocol=PROTOCOL, got=len(adu), detail=f"at most {MOST_ADU}")
    label = time if isinstance(time, bytes) else time_label(time)
    head = HEAD.pack(
        START,
        serial,
        *version,
        label,
        source.to_bytes(6, "little"),
        destination.to_bytes(6, "little"),
        len(adu),
        command,
    )
    return head + adu + bytes((sum(head[2:]) + sum(adu) & 0xFF,)) + END


def encode_packet(packet: Gb26875Packet) -> bytes:
    """The frame again: ``encode_packet(decode(x)) == x``."""
    return encode(
        command=packet.command,
        serial=packet.serial,
        source=packet.source,
        destination=packet.destination,
        time=packet.label,
        adu=packet.adu,
        version=packet.version,
    )


def answer(packet: Gb26875Packet, now: datetime, command: int = 3) -> bytes:
    """Confirm (3) or deny (6) of ``packet``: its serial and version, addresses swapped, our time."""
    return encode(
        command=command,
        serial=packet.serial,
        source=packet.destination,
        destination=packet.source,
        time=now,
        version=packet.version,
    )


def deny(raw: bytes, now: datetime) -> tuple[bytes | None, int | None]:
    """Deny of refused bytes and who sent them; None where the head cannot be read."""
    if len(raw) < HEAD.size or raw[:2] != START:
        return None, None
    _, serial, major, minor, _, source, destination, _, command = HEAD.unpack_from(raw)
    sender = int.from_bytes(source, "little")
    if command in (3, 6):  # never deny an answer: two ends would deny each other for ever
        return None, sender
    return encode(
        command=6,
        serial=serial,
        source=int.from_bytes(destination, "little"),
        destination=sender,
        time=now,
        version=(major, minor),
    ), sender
