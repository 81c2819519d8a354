"""JT/T 808: message bodies, bytes to meaning and back."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

import msgspec

from core.clock import BEIJING
from core.records import GeoPoint
from ingest.contract import beijing_time, iso
from ingest.errors import FrameField
from ingest.sources import _jt808_tables as tables

PROTOCOL = "jt808"
_FIXED = struct.Struct(">IIIIHHH6s")
_MOST_BATCH = 1000

Fields = dict[str, Any]


class Position(msgspec.Struct, frozen=True):
    """A 0x0200 body.  ``items`` are the additional items as (id, data); ``raw`` the bytes."""

    raw: bytes
    alarm: int
    status: int
    latitude: float
    longitude: float
    altitude_m: int
    speed_kmph: float
    direction_deg: int
    time: datetime | None
    time_raw: str
    items: tuple[tuple[int, bytes], ...]
    rest: bytes

    @property
    def location(self) -> GeoPoint | None:
        """Where, when the terminal has a fix (status bit 1) and the place exists."""
        if not self.status & 2 or abs(self.latitude) > 90 or abs(self.longitude) > 180:
            return None
        return GeoPoint(lon=self.longitude, lat=self.latitude)

    def values(self) -> Fields:
        """The additional items by name."""
        out: Fields = {}
        for item, data in self.items:
            out |= _item(item, data)
        return out

    def as_json(self) -> Fields:
        """Names with units; flags that are set also stand alone."""
        alarms, status = tables.raised(tables.ALARMS, self.alarm), tables.flags(tables.STATUS, self.status)
        out: Fields = {
            "alarm": self.alarm,
            "alarms": alarms,
            "status": self.status,
            "status_flags": [name for name, on in status.items() if on],
            "positioned": status["positioned"],
            "acc_on": status["acc_on"],
            "load": tables.LOADS[self.status >> 8 & 3],
            "latitude": self.latitude,
            "longitude": self.longitude,
            "altitude_m": self.altitude_m,
            "speed_kmph": self.speed_kmph,
            "direction_deg": self.direction_deg,
            "time": iso(self.time),
        }
        if self.time is None:
            out |= {"time_raw": self.time_raw, "clock_bad": True}
        out |= dict.fromkeys(alarms, True) | self.values()
        if self.rest:
            out["rest_hex"] = self.rest.hex().upper()
        return out


def bcd_time(raw: bytes) -> datetime | None:
    """BCD YYMMDDhhmmss, Beijing time; None when impossible."""
    text = raw.hex()
    if not text.isdecimal():
        return None
    year, month, day, hour, minute, second = (int(text[i : i + 2]) for i in range(0, 12, 2))
    return beijing_time(2000 + year, month, day, hour, minute, second)


def bcd_of(moment: datetime) -> bytes:
    """``moment`` as BCD YYMMDDhhmmss, Beijing time."""
    return bytes.fromhex(moment.astimezone(BEIJING).strftime("%y%m%d%H%M%S"))


def decode_position(data: bytes) -> Position:
    """A 0x0200 body; :class:`FrameField` when it is shorter than 28 bytes.  Items that do not fit stay in ``rest``."""
    if len(data) < _FIXED.size:
        raise FrameField(protocol=PROTOCOL, field="position", detail=f"{len(data)} bytes; at least {_FIXED.size}")
    alarm, status, lat, lon, altitude, speed, direction, time = _FIXED.unpack_from(data)
    items, place = [], _FIXED.size
    while place + 2 <= len(data) and place + 2 + data[place + 1] <= len(data):
        end = place + 2 + data[place + 1]
        items.append((data[place], data[place + 2 : end]))
        place = end
    return Position(
        data,
        alarm,
        status,
        lat / 1e6 * (-1 if status & 4 else 1),
        lon / 1e6 * (-1 if status & 8 else 1),
        altitude - 65536 if altitude >= 0x8000 else altitude,  # below the sea, as terminals send it
        speed / 10,
        direction,
        bcd_time(time),
        time.hex(),
        tuple(items),
        data[place:],
    )


def encode_position(
    *,
    latitude: float,
    longitude: float,
    time: datetime,
    speed_kmph: float = 0.0,
    direction_deg: int = 0,
    altitude_m: int = 0,
    alarm: int = 0,
    status: int = 3,
    items: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """A 0x0200 body: for simulators and tests."""
    status |= (4 if latitude < 0 else 0) | (8 if longitude < 0 else 0)
    fixed = _FIXED.pack(
        alarm,
        status,
        round(abs(latitude) * 1e6),
        round(abs(longitude) * 1e6),
        altitude_m & 0xFFFF,
        round(speed_kmph * 10),
        direction_deg,
        bcd_of(time),
    )
    return fixed + b"".join(bytes((item, len(data))) + data for item, data in items)


_NUMBERS = {  # item: name, bytes, signed, divisor
    0x01: ("mileage_km", 4, False, 10),
    0x02: ("fuel_l", 2, False, 10),
    0x03: ("recorder_speed_kmph", 2, False, 10),
    0x04: ("alarm_event_id", 2, False, 1),
    0x06: ("cargo_temperature_c", 2, True, 1),
    0x30: ("network_rssi", 1, False, 1),
    0x31: ("satellites", 1, False, 1),
}
_AREAS = {0: "none", 1: "circle", 2: "rectangle", 3: "polygon", 4: "section"}


def _item(item: int, data: bytes) -> Fields:
    if item in _NUMBERS:
        name, size, signed, divisor = _NUMBERS[item]
        if len(data) == size:
            number = int.from_bytes(data, "big", signed=signed)
            return {name: number if divisor == 1 else number / divisor}
    elif item == 0x11 and len(data) in (1, 5):
        area = {"area_id": int.from_bytes(data[1:], "big")} if len(data) == 5 else {}
        return {"overspeed_area": {"type": _AREAS.get(data[0], str(data[0])), **area}}
    elif item == 0x12 and len(data) == 6:
        crossed = {"type": _AREAS.get(data[0], str(data[0])), "area_id": int.from_bytes(data[1:5], "big")}
        return {"area_crossing": {**crossed, "direction": "out" if data[5] else "in"}}
    elif item == 0x13 and len(data) == 7:
        section = {"section_id": int.from_bytes(data[:4], "big"), "duration_s": int.from_bytes(data[4:6], "big")}
        return {"section_time": {**section, "result": "too_long" if data[6] else "too_short"}}
    elif item == 0x25 and len(data) == 4:
        return {"signals": tables.raised(tables.SIGNALS, int.from_bytes(data, "big"))}
    elif item == 0x2A and len(data) == 2:
        return {"io": int.from_bytes(data, "big"), "io_flags": tables.raised(tables.IO, int.from_bytes(data, "big"))}
    elif item == 0x2B and len(data) == 4:
        return {"analogue_0": int.from_bytes(data[2:], "big"), "analogue_1": int.from_bytes(data[:2], "big")}
    return {f"item_{item:02x}_hex": data.hex().upper()}


def text(raw: bytes) -> str:
    """GBK without padding."""
    return raw.strip(b"\x00 ").decode("gb18030", errors="replace").strip("\x00 ")


_REGISTER_SIZES = {"2011": (5, 8, 7), "2013": (5, 20, 7), "2019": (11, 30, 30)}  # maker, model, terminal id


def decode_register(data: bytes) -> Fields:
    """0x0100: sizes of the fields differ between the editions; the body's length tells which."""
    if len(data) < 25:
        raise FrameField(protocol=PROTOCOL, field="register", detail=f"{len(data)} bytes; at least 25")
    edition = "2019" if len(data) >= 76 else "2013" if len(data) >= 37 else "2011"
    maker, model, terminal = _REGISTER_SIZES[edition]
    province, city = struct.unpack_from(">HH", data)
    one, two, three = 4 + maker, 4 + maker + model, 4 + maker + model + terminal
    return {
        "edition": edition,
        "province": province,
        "city": city,
        "maker": text(data[4:one]),
        "model": text(data[one:two]),
        "terminal_id": text(data[two:three]),
        "plate_colour": data[three],
        "plate_colour_name": tables.PLATE_COLOURS.get(data[three], "unknown"),
        "plate": text(data[three + 1 :]),
    }


def decode_authenticate(data: bytes, edition_2019: bool) -> Fields:
    """0x0102: 2013 the code alone; 2019 its length, the code, IMEI and software version."""
    if edition_2019 and data and len(data) >= 1 + data[0] + 35:
        end = 1 + data[0]
        return {
            "auth_code": text(data[1:end]),
            "imei": text(data[end : end + 15]),
            "software_version": text(data[end + 15 : end + 35]),
        }
    return {"auth_code": text(data)}


def decode_batch(data: bytes) -> tuple[int, tuple[Position, ...], str]:
    """0x0704: (type: 0 normal, 1 catch-up after a blind spot; the positions; what was wrong, "" if nothing).

    A count that does not fit and a position that cannot be read cost nothing beside them.
    """
    if len(data) < 3:
        raise FrameField(protocol=PROTOCOL, field="batch", detail=f"{len(data)} bytes; at least 3")
    count, kind = struct.unpack_from(">HB", data)
    place, came = 3, 0
    out: list[Position] = []
    while place + 2 <= len(data) and came < _MOST_BATCH:
        size = int.from_bytes(data[place : place + 2], "big")
        piece = data[place + 2 : place + 2 + size]
        if len(piece) < size:
            break
        place, came = place + 2 + size, came + 1
        if size >= _FIXED.size:
            out.append(decode_position(piece))
    if count == came == len(out) and place == len(data):
        return kind, tuple(out), ""
    if not out:
        raise FrameField(protocol=PROTOCOL, field="batch", detail=f"{count} positions announced, none can be read")
    return kind, tuple(out), f"{count} positions announced, {len(out)} can be read, {len(data) - place} bytes left over"


def decode_answer(data: bytes) -> Fields:
    """0x0001 and 0x8001: which message is answered, and how."""
    if len(data) != 5:
        raise FrameField(protocol=PROTOCOL, field="answer", detail=f"{len(data)} bytes instead of 5")
    serial, message, result = struct.unpack(">HHB", data)
    return {
        "answered_serial": serial,
        "answered_message_id": f"0x{message:04X}",
        "answered_message_name": tables.MESSAGES.get(message, "unknown"),
        "result": result,
        "result_name": tables.ANSWER_RESULTS.get(result, "unknown"),
    }


def decode_register_answer(data: bytes) -> Fields:
    """0x8100."""
    if len(data) < 3:
        raise FrameField(protocol=PROTOCOL, field="register answer", detail=f"{len(data)} bytes; at least 3")
    serial, result = struct.unpack_from(">HB", data)
    name = tables.REGISTER_RESULTS.get(result, "unknown")
    return {"answered_serial": serial, "result": result, "result_name": name, "auth_code": text(data[3:])}
