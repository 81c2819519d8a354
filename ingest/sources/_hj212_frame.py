"""HJ 212: text frames, bytes to packets and back.

``##`` + 4 digits of length + data segment + CRC (4 hex digits) + CR LF.  The CRC is HJ 212's own, not MODBUS.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

import msgspec

from ingest.contract import Decoded, iso
from ingest.crc import crc16_hj212, crc16_modbus
from ingest.errors import FrameChecksum, FrameEnd, FrameError, FrameField, FrameLength
from ingest.sources import _hj212_tables as tables
from ingest.sources._scan import scan
from ingest.times import compact_time, read_time

PROTOCOL = "hj212"
MAX_FRAME_BYTES = 6 + 9999 + 6
_MARK = re.compile(rb"##")
_HEX4 = re.compile(rb"[0-9A-Fa-f]{4}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?$")
_MN = re.compile(r"[0-9A-Za-z_-]{1,40}$")
_MOST_ITEMS = 2000


class Hj212Item(msgspec.Struct, frozen=True):
    """What one factor (or ``SBn``) says: its fields by suffix, e.g. ``{"Rtd": "35.0", "Flag": "N"}``."""

    code: str
    fields: dict[str, str]


class Hj212Record(msgspec.Struct, frozen=True):
    """The factors of one DataTime; ``data_time`` None when absent or impossible."""

    data_time: datetime | None
    data_time_raw: str
    items: tuple[Hj212Item, ...]


class Hj212Packet(msgspec.Struct, frozen=True):
    """One frame.  ``header`` are the fields before CP in their order, ``cp`` what stands between ``&&``."""

    raw: bytes
    header: dict[str, str]
    cp: str
    crc_bad: bool
    records: tuple[Hj212Record, ...]
    parameters: dict[str, str]

    @property
    def mn(self) -> str:
        return self.header["MN"]

    @property
    def cn(self) -> str:
        return self.header["CN"]

    @property
    def qn(self) -> str:
        return self.header.get("QN", "")

    @property
    def flag(self) -> int:
        text = self.header.get("Flag", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0

    @property
    def answer_wanted(self) -> bool:
        return bool(self.flag & 1)

    @property
    def part(self) -> tuple[int, int] | None:
        """(total, number) when the packet is one of several."""
        total, number = self.header.get("PNUM", ""), self.header.get("PNO", "")
        if not (_small(total) and _small(number)) or int(total) < 2:
            return None
        return int(total), int(number)

    @property
    def sent_at(self) -> datetime | None:
        """The device's clock: QN of what it sends of itself."""
        return parse_time(self.qn)

    def as_json(self) -> dict[str, Any]:
        """What ``python -m app decode hj212`` prints."""
        head, st = self.header, self.header.get("ST", "")
        out: dict[str, Any] = {
            "protocol": PROTOCOL,
            "version": "2005" if self.flag >> 2 == 0 else "2017",
            "qn": self.qn or None,
            "st": st or None,
            "st_name": tables.SYSTEMS.get(st, "unknown"),
            "cn": self.cn,
            "cn_name": tables.COMMANDS.get(self.cn, "unknown"),
            "pw": head.get("PW"),
            "mn": self.mn,
            "flag": self.flag if "Flag" in head else None,
            "answer_wanted": self.answer_wanted,
        }
        if self.part is not None:
            out |= {"packets_total": self.part[0], "packet_number": self.part[1]}
        if self.crc_bad:
            out["crc_bad"] = True
        for record in self.records[:1]:
            out |= record_json(record)
        if len(self.records) > 1:
            out["records"] = [record_json(r) for r in self.records]
        out["parameters"] = {k: _plain(v) for k, v in self.parameters.items()}
        return out


def _small(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5


def record_json(record: Hj212Record) -> dict[str, Any]:
    """One DataTime's factors: by code with all fields, and flat under names with units."""
    out: dict[str, Any] = {}
    if record.data_time_raw:
        out["data_time"] = iso(record.data_time)
        if record.data_time is None:
            out |= {"data_time_raw": record.data_time_raw, "clock_bad": True}
    factors: dict[str, Any] = {}
    for item in record.items:
        now, known = tables.factor_of(item.code)
        shown: dict[str, Any] = {k.lower(): _plain(v) for k, v in item.fields.items()}
        shown["value"] = main_value(item)
        if "Flag" in item.fields:
            flag = item.fields["Flag"].upper()
            shown |= {"flag": flag, "flag_name": tables.FLAGS.get(flag, ("unknown",))[0]}
        if known:
            shown |= {"name": known.name, "unit": known.unit}
            out[known.name] = shown["value"]
        if now != item.code:
            shown["code_2017"] = now
        factors[item.code] = shown
    if factors:
        out["factors"] = factors
    return out


NO_VALUES = frozenset(("Info", "EFlag", "SampleTime", "SN"))
"""Suffixes that measure nothing: they tell of the instrument."""


def main_value(item: Hj212Item) -> float | None:
    """The factor's value: real time, else mean, else total, else running state."""
    for name in ("Rtd", "Avg", "Cou", "RS", "RT"):
        if name in item.fields:
            return parse_number(item.fields[name])
    return None


def parse_number(text: str) -> float | None:
    """A decimal number, None for anything else."""
    text = text.strip()
    if not _NUMBER.match(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _plain(text: str) -> float | int | str | None:
    if re.match(r"-?[0-9]{1,12}$", text):
        return int(text) if len(text) == 1 or not text.lstrip("-").startswith("0") else text
    value = parse_number(text)
    return text if value is None else value


def parse_time(text: str) -> datetime | None:
    """YYYYMMDDhhmm[ss[fraction]], or as gear writes it otherwise; Beijing without an offset; None if impossible."""
    if text.isdecimal() and len(text) not in (10, 13, 16, 19):  # those are unix times
        return compact_time(text)
    return read_time(text)


def decode(data: bytes, lenient: bool = False) -> Decoded:
    """Frames and refusals in stream order; ``lenient`` takes frames with a wrong CRC too, marked ``crc_bad``."""
    return scan(data, PROTOCOL, _MARK, b"#", _frame_at_lenient if lenient else _frame_at_strict, blanks=b"\r\n \t")


def _frame_at_strict(data: bytes, start: int) -> tuple[Hj212Packet | FrameError | None, int]:
    return _frame_at(data, start, False)


def _frame_at_lenient(data: bytes, start: int) -> tuple[Hj212Packet | FrameError | None, int]:
    return _frame_at(data, start, True)


def _frame_at(data: bytes, start: int, lenient: bool) -> tuple[Hj212Packet | FrameError | None, int]:
    head = data[start + 2 : start + 6]
    if head and not head.isdigit():
        end = min(start + 6, len(data))
        return FrameLength(protocol=PROTOCOL, got=repr(head), detail="4 digits expected", raw=data[start:end]), end
    if len(head) < 4:
        return None, start
    end = start + 6 + int(head) + 4
    if end > len(data):
        return None, start
    raw = data[start:end]
    segment, crc = raw[6:-4], raw[-4:]
    if not _HEX4.match(crc):
        return FrameEnd(protocol=PROTOCOL, expected="a CRC of 4 hex digits", got=repr(crc), raw=raw), end
    computed = crc16_hj212(segment)
    crc_bad = int(crc, 16) != computed
    if crc_bad and not (lenient and segment.startswith((b"QN=", b"ST=", b"MN=", b"CN="))):
        got = crc.decode("ascii").upper()
        note = " (MODBUS instead of HJ 212's CRC?)" if int(crc, 16) == crc16_modbus(segment) else ""
        return FrameChecksum(protocol=PROTOCOL, got=got + note, expected=f"{computed:04X}", raw=raw), end
    try:
        return parse_segment(raw, segment, crc_bad), end
    except FrameField as error:
        error.raw = raw
        return error, end


def parse_segment(raw: bytes, segment: bytes, crc_bad: bool = False) -> Hj212Packet:
    """The packet that a data segment holds; :class:`FrameField` when CN or MN are missing."""
    text = segment.decode("gb18030", errors="replace")
    head, found, tail = text.partition("CP=&&")
    cp = tail.rpartition("&&")[0] if found and "&&" in tail else tail
    header: dict[str, str] = {}
    for pair in head.split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            header[_HEADER.get(name.strip().upper(), name.strip())] = value.strip()
    for name in ("CN", "MN"):
        if not header.get(name):
            raise FrameField(protocol=PROTOCOL, field=name, detail="missing")
    if not _MN.match(header["MN"]):
        raise FrameField(protocol=PROTOCOL, field="MN", detail="1 to 40 letters, digits, - and _ expected")
    records, parameters = parse_cp(cp)
    return Hj212Packet(raw, header, cp, crc_bad, records, parameters)


_HEADER = {name.upper(): name for name in ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO")}


def parse_cp(cp: str) -> tuple[tuple[Hj212Record, ...], dict[str, str]]:
    """Factors by DataTime, and the parameters that belong to no factor."""
    records: list[Hj212Record] = []
    parameters: dict[str, str] = {}
    time_raw = ""
    items: dict[str, dict[str, str]] = {}

    def close() -> None:
        if items or time_raw:
            found = tuple(Hj212Item(code, fields) for code, fields in items.items())
            records.append(Hj212Record(parse_time(time_raw), time_raw, found))
        items.clear()

    pairs = re.split("[;,]", cp)
    if len(pairs) > _MOST_ITEMS:
        raise FrameField(protocol=PROTOCOL, field="CP", detail=f"{len(pairs)} items, at most {_MOST_ITEMS}")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        code, dash, suffix = name.rpartition("-")
        if not equals or not name:
            continue
        if name == "DataTime":
            close()
            time_raw = value
        elif dash and code:
            items.setdefault(code, {})[suffix] = value
        else:
            parameters[name] = value
    close()
    return tuple(records), parameters


def encode(segment: str) -> bytes:
    """A frame around a data segment; :class:`FrameLength` when it has more than 9999 bytes."""
    body = segment.encode("gb18030")
    if len(body) > 9999:
        raise FrameLength(protocol=PROTOCOL, got=len(body), detail="at most 9999")
    return b"##%04d" % len(body) + body + b"%04X\r\n" % crc16_hj212(body)


def compose(header: dict[str, Any], cp: str = "") -> bytes:
    """A frame from header fields (in their order) and CP content."""
    return encode("".join(f"{name}={value};" for name, value in header.items()) + f"CP=&&{cp}&&")


def encode_packet(packet: Hj212Packet) -> bytes:
    """The frame again, with CR LF and capital CRC."""
    return compose(packet.header, packet.cp)
