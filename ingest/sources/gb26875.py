"""GB/T 26875.3-2011: fire user-information devices (用户信息传输装置) to the monitoring centre.

Frames are little-endian ``@@ … ##`` with a byte sum.  The device is the TCP client.  Uplink data (command 2) is
confirmed (3) after it is durable; a bad frame is denied (6); an empty command 2 is the heart-beat.

Ids: device address, serial, unit type, the object's bytes (its own time label among them) and the kind; when the
object's clock is impossible the frame's own time label too.  A device that restarts without a clock and repeats a
serial within one sending second would collapse; that is the protocol's limit.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from core.plugins import About, Words
from core.records import DeviceCommand, Observation
from ingest.contract import Answer, Frame, Refused, Request, iso, refused
from ingest.errors import CommandUnsupported, FrameError, FrameField
from ingest.sources._gb26875_adu import PROTOCOL, encode_unit, operation_flags
from ingest.sources._gb26875_facts import observation, observations, readings
from ingest.sources._gb26875_frame import MAX_FRAME_BYTES, Gb26875Packet, answer, decode, deny, encode, encode_packet

ABOUT = About(
    zh="用户信息传输装置（GB/T 26875.3）",
    en="Fire user-information device (GB/T 26875.3)",
    transport="tcp",
    port=8626,
    port_variable="YIWANG_PANEL_PORT",
    interval_s=30.0,
    params={
        "component_address": Words("部件地址的填法", "How component addresses are filled"),
        "duty_check_min": Words("查岗应答时间（分钟）", "Minutes to answer a duty check"),
        "centre_address": Words("监控中心地址", "Centre's address"),
    },
)

__all__ = ["PROTOCOL", "Gb26875Packet", "Params", "answer", "build", "decode", "encode", "encode_packet", "encode_unit"]

_REMEMBERED = 4096  # open alarms a session keeps in mind


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``component_address``: how panels fill the four address bytes.  ``duty_check_min``: answer window in minutes.

    ``centre_address`` is used in commands until a device has named the centre's address itself.
    """

    component_address: Literal["zone_position", "host_loop_point"] = "zone_position"
    duty_check_min: int = 10
    centre_address: int = 1


def build(params: Params) -> Gb26875:
    """The source."""
    return Gb26875(params)


class Gb26875:
    """The source; see the module."""

    kind: ClassVar[str] = PROTOCOL
    max_frame_bytes: ClassVar[int] = MAX_FRAME_BYTES

    def __init__(self, params: Params) -> None:
        self.params = params

    def session(self) -> Gb26875Session:
        """A dialogue for one connection."""
        return Gb26875Session(self.params)


_KINDS = {2: "data", 3: "confirm", 6: "deny", 5: "response", 1: "control", 4: "request"}
_QUERIES = {"status": 81, "version": 85, "configuration": 86, "time": 88}


class Gb26875Session:
    """One connection's dialogue.  Remembers which alarms stand open, so that a reset at the panel clears them."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._address: str | None = None
        self._centre = params.centre_address
        self._serial: int | None = None
        self._open: dict[tuple[str, str, str], None] = {}  # device, kind, channel

    @property
    def address(self) -> str | None:
        """The device that spoke last."""
        return self._address

    def decode(self, data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]:
        """See :mod:`ingest.contract`."""
        decoded = decode(data)
        frames: list[Frame | Refused] = []
        for entry in decoded.frames:
            if isinstance(entry, FrameError):
                reply, sender = deny(entry.raw, received_at)
                frames.append(refused(entry, reply, None if sender is None else f"{PROTOCOL}:{sender}"))
            elif isinstance(entry, Gb26875Packet):
                frames.append(self._frame(entry, received_at))
        return frames, decoded.rest

    def _frame(self, packet: Gb26875Packet, received_at: datetime) -> Frame:
        device_id = f"{PROTOCOL}:{packet.source}"
        self._address, self._centre = str(packet.source), packet.destination
        found = observations(packet, received_at, self._params.component_address)
        found += self._cleared_by_reset(packet, device_id, received_at)
        self._remember(found)
        return Frame(
            device_id=device_id,
            kind="heartbeat" if packet.heartbeat else _KINDS.get(packet.command, "vendor"),
            serial=packet.serial,
            readings=readings(packet, received_at, self._params.component_address),
            observations=found,
            reply=answer(packet, received_at) if packet.command == 2 else None,
            answers=self._answers(packet),
            show=lambda: packet.as_json(self._params.component_address),
            device_time=packet.time,
            raw=packet.raw,
            problem=packet.unit.problem if packet.unit is not None else "",
        )

    def _answers(self, packet: Gb26875Packet) -> tuple[Answer, ...]:
        if packet.command in (3, 5, 6):
            data = packet.as_json(self._params.component_address) if packet.unit else {}
            detail = {3: "confirmed", 5: "answered", 6: "denied by the device"}[packet.command]
            return (Answer(key=str(packet.serial), ok=packet.command != 6, detail=detail, data=data),)
        if packet.unit is None or packet.unit.adu_type != 24:
            return ()
        return tuple(
            Answer(key="duty_check", ok=True, detail="answered", data={"operator": i.operator, "time": iso(i.time)})
            for i in packet.unit.items
            if operation_flags(packet.unit, i)["duty_check_answered"]
        )

    def _cleared_by_reset(
        self, packet: Gb26875Packet, device_id: str, received_at: datetime
    ) -> tuple[Observation, ...]:
        if packet.command != 2 or packet.unit is None or packet.unit.adu_type not in (4, 24):
            return ()
        out = []
        for item in packet.unit.items:
            done = operation_flags(packet.unit, item)
            if not (done["reset"] or done["alarm_cleared"]):
                continue
            within = "" if packet.unit.adu_type == 24 else f"{item.system_type}/{item.system_address}"
            for _, kind, channel in [k for k in self._open if k[0] == device_id]:
                if kind in ("fire_alarm", "manual_alarm", "supervisory_alarm") and _within(channel, within):
                    extra = {"reason": "reset at the panel"}
                    out.append(observation(packet, item, kind, "clear", received_at, channel, extra))
        return tuple(out)

    def _remember(self, found: tuple[Observation, ...]) -> None:
        for o in found:
            key = (o.source_id, o.kind, str(o.attributes.get("channel", "")))
            if o.state == "open":
                self._open[key] = None
                if len(self._open) > _REMEMBERED:
                    self._open.pop(next(iter(self._open)))
            else:
                self._open.pop(key, None)

    def request(self, command: DeviceCommand, now: datetime) -> Request:
        """Duty check (查岗), clock synchronisation, initialisation, or a query (``params.what``)."""
        window = 0
        if command.name == "duty_check":
            window = int(command.params.get("window_min", self._params.duty_check_min))
            number, adu = 1, encode_unit(91, {"window_min": max(0, min(255, window))})
        elif command.name == "clock_sync":
            number, adu = 1, encode_unit(90, {"time": now})
        elif command.name == "restart":
            number, adu = 1, encode_unit(89, {})
        else:
            what = str(command.params.get("what", "status"))
            if what not in _QUERIES:
                raise CommandUnsupported(protocol=PROTOCOL, command=f"query {what}", known=", ".join(_QUERIES))
            number, adu = 4, encode_unit(_QUERIES[what], {})
        self._serial = (int(now.timestamp()) if self._serial is None else self._serial + 1) & 0xFFFF
        data = encode(
            command=number,
            serial=self._serial,
            source=self._centre,
            destination=_address_of(command.device_id),
            time=now,
            adu=adu,
        )
        return Request(
            key=str(self._serial), data=data, window_s=window * 60.0, window_key="duty_check" if window else ""
        )

    def expire(self, now: datetime) -> list[Refused]:
        """Nothing grows stale here: frames are never split by the protocol."""
        return []


def _within(channel: str, system: str) -> bool:
    return not system or channel == system or channel.startswith(system + "/")


def _address_of(device_id: str) -> int:
    text = device_id.partition(":")[2]
    if not text.isdigit() or int(text) >= 1 << 48:
        raise FrameField(protocol=PROTOCOL, field="device_id", detail=f"{device_id!r} is not gb26875:<number>")
    return int(text)
