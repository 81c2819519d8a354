"""SL 651-2014: frames, bytes to packets and back, HEX/BCD (``7E 7E``) and ASCII (``01``)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from core.clock import BEIJING
from ingest.contract import Decoded, iso
from ingest.crc import crc16_modbus
from ingest.errors import FrameChecksum, FrameEnd, FrameError, FrameField
from ingest.sources import _sl651_tables as tables
from ingest.sources._scan import scan
from ingest.sources._sl651_ascii import decode_ascii
from ingest.sources._sl651_body import PROTOCOL, Body, Element, Group, Parameter
from ingest.sources._sl651_decode import decode_hex

STX, SYN = 0x02, 0x16
MOST_BODY = 4095
MAX_FRAME_BYTES = 24 + MOST_BODY + 5
_MARK = re.compile(rb"\x7e\x7e|\x01")
_HEX_HEAD = 14  # up to and with STX
_ASCII_HEAD = 24
_ASCII_DIGITS = re.compile(rb"[0-9A-Fa-f]{22}")


class Sl651Packet(msgspec.Struct, frozen=True):
    """One frame.

    ``part`` is (total, number) of a multi-packet message (SYN).  ``payload`` are the body's bytes without the
    packet numbers; ``body`` its meaning: None in packets 2 … of a message, which cannot be read alone.
    """

    raw: bytes
    ascii: bool
    down: bool
    centre: int
    station: str
    password: str
    function: int
    part: tuple[int, int] | None
    payload: bytes
    end: int
    body: Body | None

    def as_json(self) -> dict[str, Any]:
        """What ``python -m app decode sl651`` prints."""
        out: dict[str, Any] = {
            "protocol": PROTOCOL,
            "encoding": "ascii" if self.ascii else "hex",
            "direction": "down" if self.down else "up",
            "centre_address": self.centre,
            "station": self.station,
            "password": self.password,
            "function_code": f"{self.function:02X}",
            "function_name": tables.FUNCTIONS.get(self.function, "reserved"),
            "end": tables.ENDS[self.end],
        }
        if self.part is not None:
            out |= {"packets_total": self.part[0], "packet_number": self.part[1]}
        if self.body is None:
            return out | {"payload_bytes": len(self.payload)}
        return out | body_json(self.body)


def body_json(body: Body) -> dict[str, Any]:
    """Serial, times, and the elements under names with units; more than one group under ``stations``."""
    out: dict[str, Any] = {"serial": body.serial, "sent_at": iso(body.sent_at)}
    bad_clock = body.sent_at is None
    if bad_clock:
        out["sent_at_raw"] = body.sent_raw
    for group in body.groups:
        shown = _group_json(group)
        bad_clock |= shown.get("clock_bad", False)
        out = out | {k: v for k, v in shown.items() if k not in out}  # the first group's also stand at the top
    if len(body.groups) > 1:
        out["stations"] = [_group_json(g) for g in body.groups]
    if bad_clock:
        out["clock_bad"] = True
    if body.parameters:
        out["parameters"] = {p.name: _parameter_json(p) for p in body.parameters}
    if body.text is not None:
        out["text"] = body.text
    if body.picture is not None:
        out["picture_bytes"] = len(body.picture)
    if body.version is not None:
        out["version"] = body.version
    if body.events:
        out["events"] = {name: body.events[n - 1] for n, name in tables.EVENTS.items()}
    if body.problems:
        out |= {"problems": list(body.problems), "rest_hex": body.rest[:64].hex().upper()}
    return out


def _parameter_json(parameter: Parameter) -> float | str | None:
    if parameter.text is not None:
        return parameter.text
    return parameter.raw.hex().upper() if parameter.value is None else parameter.value


def _group_json(group: Group) -> dict[str, Any]:
    out: dict[str, Any] = {"observed_station": group.station} if group.station else {}
    if group.station_class:
        out["station_class"] = group.station_class
        out["station_class_name"] = tables.STATION_CLASSES.get(group.station_class, "unknown")
    if group.elements:
        out["observed_at"] = iso(group.observed_at)
        if group.observed_at is None:
            out |= {"clock_bad": True, "observed_at_raw": group.observed_raw}
    for element in sorted(group.elements, key=lambda e: e.index is not None):  # single values first
        if element.status is not None:
            flags = {name: bool(element.status >> bit & 1) for bit, name in tables.STATUS_BITS.items()}
            out |= {"status_raw": element.status, "status": flags, **{n: True for n, on in flags.items() if on}}
        elif element.index is None:
            out[element.name] = element.value
        else:
            name = element.name if isinstance(out.get(element.name, []), list) else f"{element.name}_series"
            out.setdefault(name, []).append(element.value)
    if group.elements:
        out["elements"] = [_element_json(e) for e in group.elements]
    return out


def _element_json(element: Element) -> dict[str, Any]:
    out: dict[str, Any] = {"id": f"{element.code:02X}", "key": element.key, "name": element.name}
    if element.status is None:
        out |= {"value": element.value, "unit": element.unit}
    if element.code not in tables.ELEMENTS:
        out["raw_hex"] = element.raw.hex().upper()
    if element.index is not None:
        out["observed_at"] = iso(element.at and element.at.astimezone(BEIJING))
    return out


def decode(data: bytes) -> Decoded:
    """Frames and refusals in stream order."""
    return scan(data, PROTOCOL, _MARK, b"\x7e", _frame_at)


def _frame_at(data: bytes, start: int) -> tuple[Sl651Packet | FrameError | None, int]:
    return _ascii_at(data, start) if data[start] == 0x01 else _hex_at(data, start)


def _hex_at(data: bytes, start: int) -> tuple[Sl651Packet | FrameError | None, int]:
    if len(data) - start < _HEX_HEAD:
        return None, start
    word = int.from_bytes(data[start + 11 : start + 13], "big")
    begin = data[start + 13]
    if word >> 12 not in (0, 8) or begin not in (STX, SYN):
        return None, start + 1
    end = start + 17 + (word & 0xFFF)
    if end > len(data):
        return None, start
    raw = data[start:end]
    error = _check(raw, raw[-3], raw[-2:])
    if error is not None:
        return error, end
    head = raw[2:8]
    down = word >> 12 == 8
    station, centre = (head[:5], head[5]) if down else (head[1:], head[0])
    fields = (False, down, centre, station.hex().upper(), raw[8:10].hex().upper(), raw[10])
    return _packet(raw, fields, begin, raw[_HEX_HEAD:-3], raw[-3]), end


def _ascii_at(data: bytes, start: int) -> tuple[Sl651Packet | FrameError | None, int]:
    if len(data) - start < _ASCII_HEAD:
        seen = data[start + 1 : start + 23]
        return None, start if not seen or re.fullmatch(rb"[0-9A-Fa-f]*", seen) else start + 1
    head = data[start + 1 : start + 23]
    begin = data[start + 23]
    if begin not in (STX, SYN) or not _ASCII_DIGITS.fullmatch(head) or head[18:19] not in b"08":
        return None, start + 1
    end = start + _ASCII_HEAD + int(head[19:22], 16) + 5
    if end > len(data):
        return None, start
    raw = data[start:end]
    try:
        crc = bytes.fromhex(raw[-4:].decode("ascii"))
    except ValueError:
        return FrameEnd(protocol=PROTOCOL, expected="a CRC of 4 hex digits", got=repr(raw[-4:]), raw=raw), end
    error = _check(raw, raw[-5], crc)
    if error is not None:
        return error, end
    text = head.decode("ascii").upper()
    down = text[18] == "8"
    station, centre = (text[:10], text[10:12]) if down else (text[2:12], text[:2])
    fields = (True, down, int(centre, 16), station, text[12:16], int(text[16:18], 16))
    return _packet(raw, fields, begin, raw[_ASCII_HEAD:-5], raw[-5]), end


def _check(raw: bytes, end_mark: int, crc: bytes) -> FrameError | None:
    """End mark and CRC; the CRC covers everything before it (ASCII: its four digits)."""
    if end_mark not in tables.ENDS:
        return FrameEnd(protocol=PROTOCOL, expected="a control character", got=f"{end_mark:02X}", raw=raw)
    covered = raw[:-4] if raw[0] == 0x01 else raw[:-2]
    computed = crc16_modbus(covered).to_bytes(2, "big")
    if computed != crc:
        return FrameChecksum(protocol=PROTOCOL, got=crc.hex().upper(), expected=computed.hex().upper(), raw=raw)
    return None


def _packet(
    raw: bytes, fields: tuple[bool, bool, int, str, str, int], begin: int, content: bytes, end_mark: int
) -> Sl651Packet | FrameError:
    is_ascii, _, _, _, _, function = fields
    part, payload = None, content
    if begin == SYN:
        width = 6 if is_ascii else 3
        try:
            word = int(content[:6], 16) if is_ascii else int.from_bytes(content[:3], "big")
        except ValueError:
            word = 0
        part, payload = (word >> 12, word & 0xFFF), content[width:]
        if len(content) < width or not 1 <= part[1] <= part[0]:
            return FrameField(protocol=PROTOCOL, field="packet number", detail=f"{part[1]} of {part[0]}", raw=raw)
    body = None
    if part is None or part[1] == 1:
        try:
            body = (decode_ascii if is_ascii else decode_hex)(payload, function)
        except FrameField as error:
            error.raw = raw
            return error
    return Sl651Packet(raw, *fields, part, payload, end_mark, body)


def encode(
    *,
    station: str,
    centre: int,
    password: str,
    function: int,
    payload: bytes,
    down: bool = False,
    end: int = 0x03,
    part: tuple[int, int] | None = None,
    ascii_form: bool = False,
) -> bytes:
    """A frame; ``station`` ten and ``password`` four hex digits, ``payload`` the body (ASCII: its characters)."""
    head = bytes.fromhex(station) + bytes((centre,)) if down else bytes((centre,)) + bytes.fromhex(station)
    numbers = b"" if part is None else (part[0] << 12 | part[1]).to_bytes(3, "big")
    size = len(payload) + len(numbers) * (2 if ascii_form else 1)
    if size > MOST_BODY:
        raise FrameField(protocol=PROTOCOL, field="body", detail=f"{size} bytes, at most {MOST_BODY}")
    head += bytes.fromhex(password) + bytes((function,)) + ((8 if down else 0) << 12 | size).to_bytes(2, "big")
    begin = bytes((STX if part is None else SYN,))
    if ascii_form:
        head, numbers = head.hex().upper().encode(), numbers.hex().upper().encode()
    frame = (b"\x01" if ascii_form else b"\x7e\x7e") + head + begin + numbers + payload + bytes((end,))
    crc = crc16_modbus(frame).to_bytes(2, "big")
    return frame + (crc.hex().upper().encode() if ascii_form else crc)


def encode_packet(packet: Sl651Packet) -> bytes:
    """The frame again: ``encode_packet(decode(x)) == x`` (ASCII: with capital hex digits)."""
    return encode(
        station=packet.station,
        centre=packet.centre,
        password=packet.password,
        function=packet.function,
        payload=packet.payload,
        down=packet.down,
        end=packet.end,
        part=packet.part,
        ascii_form=packet.ascii,
    )
