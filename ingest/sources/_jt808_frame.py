"""JT/T 808: frames between two ``7E``, escaped, with an exclusive-or sum; headers of 2013 (and 2011) and 2019."""

from __future__ import annotations

from typing import Any

import msgspec

from ingest.contract import Decoded
from ingest.contract import Packet as AnyPacket
from ingest.crc import xor
from ingest.errors import FrameChecksum, FrameError, FrameField, FrameLength, FrameNoise
from ingest.sources import _jt808_body as bodies
from ingest.sources import _jt808_tables as tables
from ingest.sources._jt808_body import PROTOCOL, Position

_MARK = b"\x7e"
MOST_BODY = 1023
MAX_FRAME_BYTES = 2 * (21 + MOST_BODY + 1) + 2


class Jt808Packet(msgspec.Struct, frozen=True):
    """One frame.

    ``long_header``: the header of 2019 (some terminals set its flag, bit 14 of ``props``, on the short one).
    ``phone`` as the header has it, 12 or 20 digits.  ``part`` is (total, number) of a sub-packaged message; its body
    is only a piece.  ``fields``, ``positions``: the body's meaning.
    """

    raw: bytes
    message: int
    props: int
    long_header: bool
    version: int
    phone: str
    serial: int
    part: tuple[int, int] | None
    body: bytes
    fields: dict[str, Any]
    positions: tuple[Position, ...] = ()

    @property
    def address(self) -> str:
        """The phone number as devices are registered: twelve digits, however the header was filled."""
        return self.phone.lstrip("0").zfill(12)

    def as_json(self) -> dict[str, Any]:
        """What ``python -m app decode jt808`` prints."""
        out: dict[str, Any] = {
            "protocol": PROTOCOL,
            "message_id": f"0x{self.message:04X}",
            "message_name": tables.MESSAGES.get(self.message, "unknown"),
            "edition": "2019" if self.long_header else "2013",
            "phone": self.phone,
            "serial": self.serial,
            "body_length": len(self.body),
        }
        if self.long_header:
            out["version"] = self.version
        if self.part is not None:
            out |= {"packets_total": self.part[0], "packet_number": self.part[1]}
        if self.props >> 10 & 7:
            out["encryption"] = self.props >> 10 & 7
        return out | (self.positions[0].as_json() if self.message == 0x0200 and self.positions else self.fields)


def decode(data: bytes) -> Decoded:
    """Frames and refusals in stream order.  A refused frame's closing 7E may open the next one."""
    entries: list[AnyPacket | FrameError] = []
    position = 0
    while True:
        start = data.find(_MARK, position)
        if start < 0:
            _noise(entries, data[position:])
            return Decoded(entries, b"")
        _noise(entries, data[position:start])
        end = data.find(_MARK, start + 1)
        if end == start + 1:
            position = end  # the end of a lost frame and the beginning of the next
            continue
        if end < 0:
            if len(data) - start <= MAX_FRAME_BYTES:
                return Decoded(entries, data[start:])
            end = len(data)
        raw = data[start : end + 1]
        entry = _frame(raw)
        entries.append(entry)
        position = end if isinstance(entry, FrameError) and end < len(data) else end + 1
        if position > len(data):
            return Decoded(entries, b"")


def _noise(entries: list[AnyPacket | FrameError], noise: bytes) -> None:
    if noise:
        entries.append(FrameNoise(protocol=PROTOCOL, count=len(noise), raw=noise))


def _frame(raw: bytes) -> Jt808Packet | FrameError:
    if len(raw) > MAX_FRAME_BYTES:
        return FrameLength(protocol=PROTOCOL, got=len(raw), detail=f"at most {MAX_FRAME_BYTES} bytes", raw=raw)
    try:
        content = unescape(raw[1:-1])
        if len(content) < 13:
            raise FrameLength(protocol=PROTOCOL, got=len(content), detail="a header has 12 bytes")
        total = xor(content[:-1])
        if total != content[-1]:
            raise FrameChecksum(protocol=PROTOCOL, got=f"{content[-1]:02X}", expected=f"{total:02X}")
        return parse(raw, content[:-1])
    except FrameError as error:
        error.raw = raw
        return error


def unescape(data: bytes) -> bytes:
    """7D 02 → 7E, 7D 01 → 7D; :class:`FrameField` for any other 7D."""
    if b"\x7d" not in data:
        return data
    pieces = data.split(b"\x7d")
    out = bytearray(pieces[0])
    for piece in pieces[1:]:
        if piece[:1] not in (b"\x01", b"\x02"):
            raise FrameField(protocol=PROTOCOL, field="escape", detail=f"7D {piece[:1].hex()}")
        out.append(0x7D if piece[0] == 1 else 0x7E)
        out += piece[1:]
    return bytes(out)


def escape(data: bytes) -> bytes:
    """The inverse of :func:`unescape`."""
    return data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def parse(raw: bytes, content: bytes) -> Jt808Packet:
    """Header and body; :class:`FrameLength` when the length word agrees with neither header."""
    message, props = int.from_bytes(content[:2], "big"), int.from_bytes(content[2:4], "big")
    length, more = props & 0x3FF, 4 if props & 0x2000 else 0
    long_header = bool(props & 0x4000)
    if long_header and len(content) != 17 + more + length:
        long_header = False  # the flag of 2019 on a header of 2013
    size = (17 if long_header else 12) + more
    if len(content) != size + length:
        raise FrameLength(protocol=PROTOCOL, got=length, detail=f"{len(content) - size} body bytes came")
    version, phone_at = (content[4], 5) if long_header else (0, 4)
    serial_at = phone_at + (10 if long_header else 6)
    phone = content[phone_at:serial_at].hex()
    if not phone.isdecimal():
        raise FrameField(protocol=PROTOCOL, field="phone", detail=f"{phone} is not BCD")
    serial = int.from_bytes(content[serial_at : serial_at + 2], "big")
    part = None
    if more:
        part = (int.from_bytes(content[size - 4 : size - 2], "big"), int.from_bytes(content[size - 2 : size], "big"))
        if not 1 <= part[1] <= part[0]:
            raise FrameField(protocol=PROTOCOL, field="packet number", detail=f"{part[1]} of {part[0]}")
    body = content[size:]
    fields: dict[str, Any] = {}
    positions: tuple[Position, ...] = ()
    if part is None and not props >> 10 & 7:
        fields, positions = meaning(message, body, long_header)
    elif body:
        fields = {"body_hex": body.hex().upper()}
    return Jt808Packet(raw, message, props, long_header, version, phone, serial, part, body, fields, positions)


def meaning(message: int, body: bytes, edition_2019: bool) -> tuple[dict[str, Any], tuple[Position, ...]]:
    """A body's fields and positions; messages that we do not read keep ``body_hex``."""
    if message == 0x0200:
        return {}, (bodies.decode_position(body),)  # as_json words it when asked: most positions are never shown
    if message == 0x0201 and len(body) >= 30:
        position = bodies.decode_position(body[2:])
        return {"answered_serial": int.from_bytes(body[:2], "big"), **position.as_json()}, (position,)
    if message == 0x0704:
        kind, positions, wrong = bodies.decode_batch(body)
        name = "catch_up" if kind == 1 else "normal"
        shown = {"batch_type": name, "count": len(positions), "positions": [p.as_json() for p in positions]}
        return shown | ({"problem": wrong} if wrong else {}), positions
    if message == 0x0801 and len(body) >= 36:
        position = bodies.decode_position(body[8:36])
        media = {"media_id": int.from_bytes(body[:4], "big"), "media_type": body[4], "media_format": body[5]}
        return {**media, "event": body[6], "channel": body[7], "media_bytes": len(body) - 36, **position.as_json()}, ()
    if message == 0x0100:
        return bodies.decode_register(body), ()
    if message == 0x0102:
        return bodies.decode_authenticate(body, edition_2019), ()
    if message in (0x0001, 0x8001):
        return bodies.decode_answer(body), ()
    if message == 0x8100:
        return bodies.decode_register_answer(body), ()
    if message == 0x8300 and body:
        return {"text_flags": body[0], "text": bodies.text(body[1:])}, ()
    return ({"body_hex": body.hex().upper()} if body else {}), ()


def encode(
    *,
    message: int,
    phone: str,
    serial: int,
    body: bytes = b"",
    long_header: bool | None = None,
    version: int = 1,
    part: tuple[int, int] | None = None,
    props: int = 0,
) -> bytes:
    """A frame; ``phone`` 12 or 20 digits (20 mean the header of 2019); ``props`` bits besides length and sub-package.

    :class:`FrameLength` when the body has more than 1,023 bytes.
    """
    if len(body) > MOST_BODY:
        raise FrameLength(protocol=PROTOCOL, got=len(body), detail=f"at most {MOST_BODY}")
    is_long = len(phone) > 12 if long_header is None else long_header
    word = props & 0xDC00 | (0x4000 if is_long else 0) | (0x2000 if part else 0) | len(body)
    head = message.to_bytes(2, "big") + word.to_bytes(2, "big") + (bytes((version,)) if is_long else b"")
    head += bytes.fromhex(phone.zfill(20 if is_long else 12)) + serial.to_bytes(2, "big")
    if part is not None:
        head += part[0].to_bytes(2, "big") + part[1].to_bytes(2, "big")
    content = head + body
    return _MARK + escape(content + bytes((xor(content),))) + _MARK


def encode_packet(packet: Jt808Packet) -> bytes:
    """The frame again: ``encode_packet(decode(x)) == x``."""
    return encode(
        message=packet.message,
        phone=packet.phone,
        serial=packet.serial,
        body=packet.body,
        long_header=packet.long_header,
        version=packet.version,
        part=packet.part,
        props=packet.props,
    )
