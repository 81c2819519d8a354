"""SL 651-2014: hydrological telemetry (water level, rain) over TCP.

Reports 30 to 35 are confirmed (M2) after they are durable; keep-alives (2F) get no answer, and neither does a frame
whose CRC is wrong.  Long messages come in numbered packets (M3) and are confirmed once, when whole; a missing packet
is asked for by NAK.  Stations' clocks are Beijing time; an impossible one is flagged and the receiving time stands in.

Ids: station, observation time, element, place in its series and raw value, and the report's serial where the
observation time is not a series' own.  A resend repeats the serial, so it collapses; five-minute values that several
reports repeat collapse too.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from core.plugins import About, Words
from core.records import DeviceCommand
from ingest.contract import Answer, Frame, Refused, Request, refused
from ingest.errors import CommandUnsupported, FrameError, FrameField, FrameParts
from ingest.sources import _sl651_tables as tables
from ingest.sources._sl651_ascii import decode_ascii
from ingest.sources._sl651_body import PROTOCOL, Body, bcd_of, element
from ingest.sources._sl651_decode import decode_hex
from ingest.sources._sl651_facts import observations, readings
from ingest.sources._sl651_frame import MAX_FRAME_BYTES, Sl651Packet, body_json, decode, encode, encode_packet

ABOUT = About(
    zh="水文遥测站（SL 651）",
    en="Hydrological telemetry station (SL 651)",
    transport="tcp",
    port=8651,
    interval_s=3600.0,
    text_mark="\x01",
    params={
        "stay_online": Words("保持在线", "Stay online"),
        "password": Words("访问密码", "Password"),
        "centre": Words("中心站地址", "Centre's address"),
    },
)

__all__ = ["PROTOCOL", "Params", "build", "decode", "element", "encode", "encode_packet"]

_ESC, _EOT, _ENQ, _NAK = 0x1B, 0x04, 0x05, 0x15
_MOST_PARTS_BYTES = 4 << 20
_MOST_MESSAGES = 8
_PARTS_WAIT = timedelta(seconds=120)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``stay_online``: confirm with ESC (the station keeps the line) rather than EOT (it may hang up).

    ``password`` (four hex digits) and ``centre`` are used in commands until the station has shown its own.
    """

    stay_online: bool = True
    password: str = "0000"  # noqa: S105 (the protocol's field, learned from the station)
    centre: int = 1


def build(params: Params) -> Sl651:
    """The source."""
    return Sl651(params)


class Sl651:
    """The source; see the module."""

    kind: ClassVar[str] = PROTOCOL
    max_frame_bytes: ClassVar[int] = MAX_FRAME_BYTES

    def __init__(self, params: Params) -> None:
        self.params = params

    def session(self) -> Sl651Session:
        """A dialogue for one connection."""
        return Sl651Session(self.params)


class _Parts:
    """Packets of one long message."""

    def __init__(self, first: Sl651Packet, now: datetime) -> None:
        self.total = first.part[0] if first.part else 1
        self.pieces: dict[int, bytes] = {}
        self.size = 0
        self.seen = now
        self.ended = False

    def add(self, packet: Sl651Packet, now: datetime) -> bool:
        """Take a packet; False when the message grew beyond what we hold."""
        number = packet.part[1] if packet.part else 1
        if number not in self.pieces:
            self.size += len(packet.payload)
        self.pieces[number] = packet.payload
        self.seen = now
        self.ended = self.ended or packet.end == 0x03 or number == self.total
        return self.size <= _MOST_PARTS_BYTES

    def missing(self) -> int | None:
        """The first packet that did not come."""
        return next((n for n in range(1, self.total + 1) if n not in self.pieces), None)


class Sl651Session:
    """One connection's dialogue."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._last: Sl651Packet | None = None
        self._parts: OrderedDict[tuple[str, int], _Parts] = OrderedDict()
        self._serial = 0

    @property
    def address(self) -> str | None:
        """The station that spoke last."""
        return None if self._last is None else self._last.station

    def decode(self, data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]:
        """See :mod:`ingest.contract`."""
        decoded = decode(data)
        frames: list[Frame | Refused] = []
        for entry in decoded.frames:
            if isinstance(entry, FrameError):
                frames.append(refused(entry))
            elif isinstance(entry, Sl651Packet):
                frames.append(self._frame(entry, received_at))
        return frames, decoded.rest

    def _frame(self, packet: Sl651Packet, now: datetime) -> Frame | Refused:
        if not packet.down:
            self._last = packet
        if packet.part is None or packet.down:
            return self._whole(packet, packet.body, now)
        key = (packet.station, packet.function)
        known = self._parts.get(key)
        if known is None or known.total != packet.part[0]:
            known = self._parts[key] = _Parts(packet, now)
            if len(self._parts) > _MOST_MESSAGES:
                self._parts.popitem(last=False)
        if not known.add(packet, now):
            del self._parts[key]
            error = FrameParts(protocol=PROTOCOL, key=key[0], detail=f"more than {_MOST_PARTS_BYTES} bytes")
            return refused(error, device_id=f"{PROTOCOL}:{packet.station}")
        missing = known.missing()
        if missing is not None:
            reply = self._ask_again(packet, missing, now) if known.ended else None
            return self._part(packet, reply)
        del self._parts[key]
        whole = b"".join(known.pieces[n] for n in range(1, known.total + 1))
        try:
            body = (decode_ascii if packet.ascii else decode_hex)(whole, packet.function)
        except FrameField as error:
            return refused(error, device_id=f"{PROTOCOL}:{packet.station}")
        return self._whole(packet, body, now)

    def _part(self, packet: Sl651Packet, reply: bytes | None) -> Frame:
        device_id = f"{PROTOCOL}:{packet.station}"
        return Frame(device_id=device_id, kind="part", reply=reply, show=packet.as_json, raw=packet.raw)

    def _whole(self, packet: Sl651Packet, body: Body | None, now: datetime) -> Frame:

        def show() -> dict[str, Any]:
            fields = packet.as_json() | (body_json(body) if packet.part is not None and body is not None else {})
            if picture is not None:
                fields["picture_sha256"] = hashlib.sha256(picture).hexdigest()
            return fields

        picture = body.picture if body is not None else None
        code = packet.function
        uplink = body is not None and not packet.down
        answers = (Answer(key=f"{code:02X}", ok=True, detail="answered", data=show()),) if code >= 0x37 else ()
        return Frame(
            device_id=f"{PROTOCOL}:{packet.station}",
            kind="heartbeat" if code == 0x2F else "data" if code <= 0x36 else "response",
            serial=body.serial if body else 0,
            readings=readings(packet, body, now) if uplink and body else (),
            observations=observations(packet, body, now) if uplink and body else (),
            reply=self._confirm(packet, body, now) if uplink and body else None,
            answers=answers,
            show=show,
            device_time=body.sent_at if body else None,
            raw=packet.raw,
            attachment=picture or b"",
            problem="; ".join(body.problems) if uplink and body else "",
        )

    def _confirm(self, packet: Sl651Packet, body: Body, now: datetime) -> bytes | None:
        if packet.function not in tables.CONFIRMED and packet.part is None:
            return None
        end = _ESC if self._params.stay_online else _EOT
        return _downlink(packet, packet.function, _payload(packet.ascii, body.serial, now), end, packet.part)

    def _ask_again(self, packet: Sl651Packet, number: int, now: datetime) -> bytes:
        total = packet.part[0] if packet.part else 1
        return _downlink(packet, packet.function, _payload(packet.ascii, 0, now), _NAK, (total, number))

    def request(self, command: DeviceCommand, now: datetime) -> Request:
        """Query of real-time data (37) or of what ``params.function`` names, clock (4A)."""
        if command.name == "query_now":
            function = int(str(command.params.get("function", "37")), 16)
        elif command.name == "clock_sync":
            function = 0x4A
        else:
            raise CommandUnsupported(protocol=PROTOCOL, command=command.name, known="query_now, clock_sync")
        if function not in tables.FUNCTIONS or function in (0x47, 0x48):
            raise CommandUnsupported(protocol=PROTOCOL, command=f"query {function:02X}", known="37, 41, 43, 45, 46, 51")
        self._serial = self._serial % 0xFFFF + 1
        station = command.device_id.partition(":")[2]
        if len(station) != 10 or set(station) - set("0123456789ABCDEFabcdef"):
            raise FrameField(protocol=PROTOCOL, field="device_id", detail=f"{command.device_id!r}: 10 hex digits")
        last = self._last
        is_ascii = last is not None and last.ascii
        data = encode(
            station=station,
            centre=last.centre if last else self._params.centre,
            password=last.password if last else self._params.password,
            function=function,
            payload=_payload(is_ascii, self._serial, now),
            down=True,
            end=_ENQ,
            ascii_form=is_ascii,
        )
        return Request(key=f"{function:02X}", data=data, timeout_s=20.0, tries=3)

    def expire(self, now: datetime) -> list[Refused]:
        """Messages whose packets stopped coming."""
        out = []
        for key, parts in list(self._parts.items()):
            if now - parts.seen > _PARTS_WAIT:
                del self._parts[key]
                detail = f"{len(parts.pieces)} of {parts.total} packets came"
                out.append(refused(FrameParts(protocol=PROTOCOL, key=key[0], detail=detail)))
        return out


def _payload(is_ascii: bool, serial: int, now: datetime) -> bytes:
    raw = serial.to_bytes(2, "big") + bcd_of(now)
    return raw.hex().upper().encode() if is_ascii else raw


def _downlink(packet: Sl651Packet, function: int, payload: bytes, end: int, part: tuple[int, int] | None) -> bytes:
    return encode(
        station=packet.station,
        centre=packet.centre,
        password=packet.password,
        function=function,
        payload=payload,
        down=True,
        end=end,
        part=part,
        ascii_form=packet.ascii,
    )
