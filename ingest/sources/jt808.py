"""JT/T 808-2011/2013/2019: vehicle terminals (sanitation trucks) over TCP.

Positions come singly (0x0200) and in batches (0x0704) and are answered after they are durable.  Sub-packaged
messages are put together and answered when whole.

Ids: phone, position time, the position's bytes and the quantity; with an impossible clock the serial too.  A position
that is repeated in a catch-up batch collapses with the one sent live.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from core.plugins import About, Words
from core.records import DeviceCommand
from ingest.contract import Answer, Frame, Refused, Request, refused
from ingest.errors import CommandUnsupported, FrameError, FrameField, FrameParts
from ingest.sources import _jt808_tables as tables
from ingest.sources._jt808_body import PROTOCOL, bcd_of, encode_position
from ingest.sources._jt808_facts import check_signals, observations, readings
from ingest.sources._jt808_frame import MAX_FRAME_BYTES, Jt808Packet, decode, encode, encode_packet, meaning

ABOUT = About(
    zh="车载终端（JT/T 808）",
    en="Vehicle terminal (JT/T 808)",
    transport="tcp",
    port=8608,
    interval_s=60.0,
    params={
        "auth_key": Words("鉴权密钥", "Authentication key"),
        "acknowledge_alarms": Words("确认报警", "Acknowledge alarms"),
        "signals": Words("附加信号位", "Additional signal bits"),
        "vehicles": Words("按车辆的信号位", "Signal bits by vehicle"),
    },
)

__all__ = ["PROTOCOL", "Jt808Packet", "Params", "build", "decode", "encode", "encode_packet", "encode_position"]

_MOST_MESSAGES = 4
_MOST_BYTES = 4 << 20
_PARTS_WAIT = timedelta(seconds=120)
_MOST_VEHICLES = 4096


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``auth_key``: when set, terminals get their code by it at registration and must show it before positions count.

    ``acknowledge_alarms``: answer a position with alarms by "acknowledged", which makes the terminal drop SOS and
    its like; off, the alarm stands until its cause ends.  ``signals`` name bits of additional items that tell what
    the vehicle's equipment does, e.g. ``{"sweeping": "2a.4"}`` (item in hex, bit); ``vehicles`` the same by phone.
    """

    auth_key: str = ""
    acknowledge_alarms: bool = False
    signals: dict[str, str] = {}
    vehicles: dict[str, dict[str, str]] = {}

    def __post_init__(self) -> None:
        for signals in (self.signals, *self.vehicles.values()):
            check_signals(signals)


def build(params: Params) -> Jt808:
    """The source."""
    return Jt808(params)


class Jt808:
    """The source; see the module."""

    kind: ClassVar[str] = PROTOCOL
    max_frame_bytes: ClassVar[int] = MAX_FRAME_BYTES

    def __init__(self, params: Params) -> None:
        self.params = params

    def session(self) -> Jt808Session:
        """A dialogue for one connection."""
        return Jt808Session(self.params)


class _Parts:
    """Sub-packages of one message."""

    def __init__(self, total: int) -> None:
        self.total, self.size, self.pieces = total, 0, dict[int, bytes]()
        self.seen: datetime | None = None

    def add(self, number: int, body: bytes, now: datetime) -> None:
        self.size += len(body) if number not in self.pieces else 0
        self.pieces[number], self.seen = body, now


class Jt808Session:
    """One connection's dialogue."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._last: Jt808Packet | None = None
        self._known: OrderedDict[str, tuple[str, bool, int]] = OrderedDict()  # address: phone, header, version
        self._shown_code: set[str] = set()
        self._parts: OrderedDict[tuple[str, int], _Parts] = OrderedDict()
        self._serial = 0

    @property
    def address(self) -> str | None:
        """The vehicle that spoke last."""
        return None if self._last is None else self._last.address

    def decode(self, data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]:
        """See :mod:`ingest.contract`."""
        decoded = decode(data)
        frames: list[Frame | Refused] = []
        for entry in decoded.frames:
            if isinstance(entry, FrameError):
                frames.append(refused(entry))
            elif isinstance(entry, Jt808Packet):
                frames.append(self._packet(entry, received_at))
        return frames, decoded.rest

    def _packet(self, packet: Jt808Packet, now: datetime) -> Frame | Refused:
        self._last = packet
        self._known[packet.address] = (packet.phone, packet.long_header, packet.version)
        if len(self._known) > _MOST_VEHICLES:
            self._known.popitem(last=False)
        if packet.part is None:
            return self._frame(packet, now)
        key = (packet.address, packet.message)
        known = self._parts.get(key)
        if known is None or known.total != packet.part[0]:
            known = self._parts[key] = _Parts(packet.part[0])
            if len(self._parts) > _MOST_MESSAGES:
                self._parts.popitem(last=False)
        known.add(packet.part[1], packet.body, now)
        if known.size > _MOST_BYTES:
            del self._parts[key]
            error = FrameParts(protocol=PROTOCOL, key=key[0], detail=f"more than {_MOST_BYTES} bytes")
            return refused(error, device_id=f"{PROTOCOL}:{key[0]}")
        if len(known.pieces) < known.total:
            device_id = f"{PROTOCOL}:{packet.address}"
            return Frame(device_id=device_id, kind="part", serial=packet.serial, show=packet.as_json, raw=packet.raw)
        del self._parts[key]
        body = b"".join(known.pieces[n] for n in range(1, known.total + 1))
        try:
            fields, positions = meaning(packet.message, body, packet.long_header)
        except FrameField as error:
            return refused(error, device_id=f"{PROTOCOL}:{packet.address}")
        whole = msgspec.structs.replace(packet, body=body, fields=fields, positions=positions)
        return self._frame(whole, now)

    def _frame(self, packet: Jt808Packet, now: datetime) -> Frame:
        trusted = self._trusted(packet)
        newest = packet.positions[-1] if packet.positions else None
        signals = self._params.vehicles.get(packet.address, self._params.signals)
        return Frame(
            device_id=f"{PROTOCOL}:{packet.address}",
            kind=_KINDS.get(packet.message, "data" if packet.positions else "message"),
            serial=packet.serial,
            readings=readings(packet, now, signals) if trusted else (),
            observations=observations(packet, now) if trusted else (),
            reply=self._reply(packet, trusted, now),
            answers=_answers(packet),
            show=packet.as_json,
            device_time=newest.time if newest and packet.message == 0x0200 else None,
            raw=packet.raw,
            attachment=packet.body[36:] if "media_id" in packet.fields else b"",
            problem=str(packet.fields.get("problem", "")),
        )

    def _trusted(self, packet: Jt808Packet) -> bool:
        if not self._params.auth_key:
            return True
        if packet.message == 0x0102:
            shown = str(packet.fields.get("auth_code", ""))
            if hmac.compare_digest(shown.encode(), self._code(packet).encode()):
                self._shown_code.add(packet.address)
        return packet.address in self._shown_code or packet.message == 0x0100

    def _code(self, packet: Jt808Packet) -> str:
        key = self._params.auth_key or "open"
        return hmac.new(key.encode(), packet.address.encode(), hashlib.sha256).hexdigest()[:16]

    def _reply(self, packet: Jt808Packet, trusted: bool, now: datetime) -> bytes | None:
        serial = packet.serial.to_bytes(2, "big")
        if packet.message >= 0x8000 or packet.message in _ANSWERS:
            return None
        if packet.message == 0x0100:
            return self._send(packet, 0x8100, serial + b"\x00" + self._code(packet).encode())
        if packet.message == 0x0004:
            return self._send(packet, 0x8004, bcd_of(now))
        if packet.message == 0x0801 and trusted:
            return self._send(packet, 0x8800, packet.body[:4])
        result = 0 if trusted else 1
        if (
            trusted
            and self._params.acknowledge_alarms
            and any(p.alarm & tables.CLEARED_BY_ANSWER for p in packet.positions)
        ):
            result = 4
        if packet.message not in tables.MESSAGES:
            result = 3
        return self._send(packet, 0x8001, serial + packet.message.to_bytes(2, "big") + bytes((result,)))

    def _send(self, packet: Jt808Packet, message: int, body: bytes) -> bytes:
        self._serial = self._serial + 1 & 0xFFFF
        return encode(
            message=message,
            phone=packet.phone,
            serial=self._serial,
            body=body,
            long_header=packet.long_header,
            version=packet.version,
        )

    def request(self, command: DeviceCommand, now: datetime) -> Request:
        """Ask for the position (0x8201), restart the terminal (0x8105, 4)."""
        if command.name == "query_now":
            message, body = 0x8201, b""
        elif command.name == "restart":
            message, body = 0x8105, b"\x04"
        else:
            raise CommandUnsupported(protocol=PROTOCOL, command=command.name, known="query_now, restart")
        address = command.device_id.partition(":")[2]
        if not (address.isascii() and address.isdecimal() and len(address) <= 20):
            raise FrameField(protocol=PROTOCOL, field="device_id", detail=f"{command.device_id!r} is not jt808:<phone>")
        phone, long_header, version = self._known.get(address, (address.zfill(12), len(address) > 12, 1))
        self._serial = self._serial + 1 & 0xFFFF
        data = encode(
            message=message, phone=phone, serial=self._serial, body=body, long_header=long_header, version=version
        )
        return Request(key=str(self._serial), data=data)

    def expire(self, now: datetime) -> list[Refused]:
        """Messages whose sub-packages stopped coming."""
        out = []
        for key, parts in list(self._parts.items()):
            if parts.seen is not None and now - parts.seen > _PARTS_WAIT:
                del self._parts[key]
                detail = f"{len(parts.pieces)} of {parts.total} sub-packages came"
                error = FrameParts(protocol=PROTOCOL, key=f"{key[1]:#06x}", detail=detail)
                out.append(refused(error, device_id=f"{PROTOCOL}:{key[0]}"))
        return out


_KINDS = {
    0x0001: "confirm",
    0x0002: "heartbeat",
    0x0003: "unregister",
    0x0100: "register",
    0x0102: "authenticate",
    0x0201: "response",
    0x0801: "picture",
}
_ANSWERS = frozenset((0x0001, 0x0104, 0x0107, 0x0201, 0x0608, 0x1205))


def _answers(packet: Jt808Packet) -> tuple[Answer, ...]:
    fields = packet.fields
    if "answered_serial" not in fields:
        return ()  # encrypted: nobody read it
    if packet.message == 0x0001:
        key, ok = str(fields["answered_serial"]), fields["result"] in (0, 4)
        return (Answer(key=key, ok=ok, detail=fields["result_name"]),)
    if packet.message == 0x0201 and packet.positions:
        return (Answer(key=str(fields["answered_serial"]), ok=True, detail="position", data=dict(fields)),)
    return ()
