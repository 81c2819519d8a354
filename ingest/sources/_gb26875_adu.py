"""GB/T 26875.3-2011: application data units, bytes to objects and back.

A unit is ``type (1) | count (1) | count × (information body [time label 6])``.  A table gives each type's body; the
vendor types (128 to 255) and the reserved ones are kept raw.
"""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from core.clock import BEIJING
from ingest.contract import beijing_time, iso
from ingest.errors import FrameField
from ingest.sources import _gb26875_tables as tables

PROTOCOL = "gb26875"
DESCRIPTION_BYTES = 31
TIME_BYTES = 6


class _Layout(NamedTuple):
    name: str
    body: struct.Struct
    fields: tuple[str, ...]
    timed: bool  # a time label follows the body
    most: int  # objects a unit may hold


def _layout(name: str, body: str, fields: str, most: int, timed: bool = False) -> _Layout:
    return _Layout(name, struct.Struct("<" + body), tuple(fields.split()), timed, most)


_SYSTEM = "system_type system_address"
_PART = _SYSTEM + " component_type component_address"
LAYOUTS = {
    1: _layout("system_status", "BBH", _SYSTEM + " status", 102, timed=True),
    2: _layout("component_status", "BBB4sH31s", _PART + " status text", 22, timed=True),
    3: _layout("component_analogue", "BBB4sBh", _PART + " analogue_type value", 63, timed=True),
    4: _layout("facility_operation", "BBBB", _SYSTEM + " operation operator", 102, timed=True),
    7: _layout("component_configuration", "BBB4s31s", _PART + " text", 26),
    8: _layout("facility_time", "BB", _SYSTEM, 1, timed=True),
    21: _layout("device_status", "B", "status", 1, timed=True),
    24: _layout("device_operation", "BB", "operation operator", 127, timed=True),
    25: _layout("device_version", "BB", "major minor", 1),
    28: _layout("device_time", "", "", 1, timed=True),
    61: _layout("read_system_status", "BB", _SYSTEM, 102),
    62: _layout("read_component_status", "BB4s", _SYSTEM + " component_address", 22),
    63: _layout("read_component_analogue", "BB4s", _SYSTEM + " component_address", 63),
    64: _layout("read_facility_operations", "BBB", _SYSTEM + " count", 1, timed=True),
    65: _layout("read_facility_version", "BB", _SYSTEM, 1),
    66: _layout("read_system_configuration", "BB", _SYSTEM, 3),
    67: _layout("read_component_configuration", "BB4s", _SYSTEM + " component_address", 26),
    68: _layout("read_facility_time", "BB", _SYSTEM, 1),
    81: _layout("read_device_status", "B", "reserved", 1),
    84: _layout("read_device_operations", "B", "count", 1, timed=True),
    85: _layout("read_device_version", "B", "reserved", 1),
    86: _layout("read_device_configuration", "B", "reserved", 1),
    88: _layout("read_device_time", "B", "reserved", 1),
    89: _layout("initialise_device", "B", "reserved", 1),
    90: _layout("synchronise_clock", "", "", 1, timed=True),
    91: _layout("duty_check", "B", "window_min", 1),
}
_TEXTS = {6: ("system_configuration", 2, 3), 26: ("device_configuration", 0, 1)}  # name, bytes before the length, most


class InformationObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """One information object; fields that its type does not have are None.

    ``text`` is the description or configuration (GB18030, padding stripped); ``label`` the 6 raw bytes of the time
    label; ``raw`` the object's bytes, which name it for good.
    """

    raw: bytes
    system_type: int | None = None
    system_address: int | None = None
    component_type: int | None = None
    component_address: bytes | None = None
    status: int | None = None
    analogue_type: int | None = None
    value: int | None = None
    operation: int | None = None
    operator: int | None = None
    major: int | None = None
    minor: int | None = None
    count: int | None = None
    reserved: int | None = None
    window_min: int | None = None
    text: str | None = None
    label: bytes | None = None

    @property
    def time(self) -> datetime | None:
        """The time label as a moment, None when absent or impossible."""
        return None if self.label is None else label_time(self.label)


class Unit(msgspec.Struct, frozen=True):
    """An application data unit; ``kept_raw`` for vendor and reserved types, whose objects stay unread."""

    adu_type: int
    count: int
    items: tuple[InformationObject, ...]
    kept_raw: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        if self.adu_type in LAYOUTS:
            return LAYOUTS[self.adu_type].name
        if self.adu_type in _TEXTS:
            return _TEXTS[self.adu_type][0]
        return "user_defined" if self.adu_type >= 128 else "reserved"


def label_time(label: bytes) -> datetime | None:
    """A time label (sec, min, hour, day, month, year − 2000; Beijing time) as a moment, None when impossible."""
    second, minute, hour, day, month, year = label
    return beijing_time(2000 + year, month, day, hour, minute, second)


def time_label(moment: datetime) -> bytes:
    """``moment`` as a time label."""
    t = moment.astimezone(BEIJING)
    return bytes((t.second, t.minute, t.hour, t.day, t.month, t.year - 2000))


def decode_unit(adu: bytes) -> Unit:
    """The unit that ``adu`` (≥ 2 bytes) holds; :class:`FrameField` when it holds no whole object.

    A count that disagrees with the length costs nothing: the objects that are there are taken, ``problem`` says so.
    """
    if len(adu) < 2:
        raise FrameField(protocol=PROTOCOL, field="adu", detail="one byte is no data unit")
    adu_type, count = adu[0], adu[1]
    if adu_type in _TEXTS:
        return Unit(adu_type, count, _decode_texts(adu))
    layout = LAYOUTS.get(adu_type)
    if layout is None:
        return Unit(adu_type, count, (), kept_raw=True)
    body = adu[2:]
    if adu_type == 90 and len(body) == 1:  # the digest's table: one reserved byte instead of the time
        return Unit(adu_type, count, (InformationObject(raw=body, reserved=body[0]),))
    size, timed = layout.body.size, layout.timed
    if timed and size and len(body) == count * size:
        timed = False  # some panels leave the time label out
    step = size + TIME_BYTES * timed
    came, problem = count, ""
    if not 0 < count <= layout.most or len(body) != count * step:
        came, timed = _objects_there(layout, count, len(body))
        step = size + TIME_BYTES * timed
        problem = f"type {adu_type} announces {count} objects, {came} came, {len(body) - came * step} bytes left over"
        if not came:
            raise FrameField(protocol=PROTOCOL, field="object_count", detail=problem)
    items = tuple(_item(layout, body[i : i + step], timed) for i in range(0, came * step, step))
    return Unit(adu_type, count, items, problem=problem)


def _objects_there(layout: _Layout, count: int, length: int) -> tuple[int, bool]:
    """How many whole objects ``length`` bytes hold, and whether with time labels: an exact fit speaks for itself."""
    size = layout.body.size
    shapes = [(size + TIME_BYTES, True), (size, False)] if layout.timed else [(size, False)]
    for step, timed in shapes:
        if step and length % step == 0 and 0 < length // step <= layout.most:
            return length // step, timed
    step, timed = shapes[0]
    most = min(layout.most, count or layout.most)
    return (min(length // step, most) if step else 0), timed


def _item(layout: _Layout, raw: bytes, timed: bool) -> InformationObject:
    values: dict[str, Any] = dict(zip(layout.fields, layout.body.unpack_from(raw), strict=True))
    if "text" in values:
        values["text"] = _text(values["text"])
    if timed:
        values["label"] = raw[-TIME_BYTES:]
    return InformationObject(raw=raw, **values)


def _decode_texts(adu: bytes) -> tuple[InformationObject, ...]:
    name, head, most = _TEXTS[adu[0]]
    count, position, items = adu[1], 2, []
    if not 0 < count <= most:
        raise FrameField(protocol=PROTOCOL, field="object_count", detail=f"{count}, {name} takes 1 to {most}")
    for _ in range(count):
        if position + head >= len(adu):
            raise FrameField(protocol=PROTOCOL, field="adu", detail=f"{name} ends before its length byte")
        end = position + head + 1 + adu[position + head]
        raw = adu[position:end]
        if end > len(adu):
            raise FrameField(protocol=PROTOCOL, field="adu", detail=f"{name} is shorter than its length byte says")
        where: dict[str, Any] = {"system_type": raw[0], "system_address": raw[1]} if head else {}
        items.append(InformationObject(raw=raw, text=_text(raw[head + 1 :]), **where))
        position = end
    if position != len(adu):
        raise FrameField(protocol=PROTOCOL, field="adu", detail=f"{len(adu) - position} bytes after {name}")
    return tuple(items)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\x00 ").decode("gb18030", errors="replace").strip("\x00 ")


def encode_unit(adu_type: int, *items: dict[str, Any]) -> bytes:
    """A unit of ``adu_type``; ``items`` hold the layout's fields, ``text`` as str and ``time`` as a moment.

    Fields left out are 0.  :class:`FrameField` when a value does not fit.
    """
    if adu_type in _TEXTS:
        body = b"".join(_encode_text(adu_type, item) for item in items)
    else:
        body = b"".join(_encode_item(LAYOUTS[adu_type], item) for item in items)
    return bytes((adu_type, len(items))) + body


def _encode_text(adu_type: int, item: dict[str, Any]) -> bytes:
    text = str(item["text"]).encode("gb18030")
    head = bytes((item["system_type"], item["system_address"])) if _TEXTS[adu_type][1] else b""
    return head + bytes((len(text),)) + text


def _encode_item(layout: _Layout, item: dict[str, Any]) -> bytes:
    values = []
    for name in layout.fields:
        value = item.get(name, 0)
        if name == "text":
            value = str(value or "").encode("gb18030")
            if len(value) > DESCRIPTION_BYTES:
                raise FrameField(protocol=PROTOCOL, field=name, detail=f"{len(value)} bytes, {DESCRIPTION_BYTES} fit")
        elif name == "component_address":
            value = value or bytes(4)
        values.append(value)
    try:
        body = layout.body.pack(*values)
    except struct.error as error:
        raise FrameField(protocol=PROTOCOL, field=layout.name, detail=str(error)) from error
    return body + (time_label(item["time"]) if layout.timed and item.get("time") else b"")


def item_json(unit: Unit, item: InformationObject, address_style: str = "zone_position") -> dict[str, Any]:
    """One object with names, spelt-out flags and values in units."""
    out: dict[str, Any] = {}
    if item.system_type is not None:
        out["system_type"] = item.system_type
        out["system_type_name"] = tables.code_name(tables.SYSTEM_TYPES, item.system_type)
        out["system_address"] = item.system_address
    if item.component_type is not None:
        out["component_type"] = item.component_type
        out["component_type_name"] = tables.code_name(tables.COMPONENT_TYPES, item.component_type)
    if item.component_address is not None:
        out |= split_address(item.component_address, address_style)
    if item.status is not None:
        out["status_raw"] = item.status
        out |= _flags_json("status", status_flags(unit, item))
    if item.analogue_type is not None and item.value is not None:
        out["analogue_type"] = item.analogue_type
        name, value, unit_text = tables.analogue(item.analogue_type, item.value)
        out |= {"quantity": name, "value": value, "unit": unit_text, name: value}
    if item.operation is not None:
        out |= {"operation_raw": item.operation, "operator": item.operator}
        out |= _flags_json("operation", operation_flags(unit, item))
    if item.major is not None:
        out["version"] = f"{item.major}.{item.minor}"
    for name in ("count", "reserved", "window_min"):
        if getattr(item, name) is not None:
            out[name] = getattr(item, name)
    if item.text is not None:
        out["description" if unit.adu_type in (2, 7) else "configuration"] = item.text
    if item.label is not None:
        out["time"] = iso(item.time)
        if item.time is None:
            out["clock_bad"] = True
    return out


def _flags_json(name: str, flags: dict[str, bool]) -> dict[str, Any]:
    on = [flag for flag, is_set in flags.items() if is_set]
    return {name: flags, "flags": on, **dict.fromkeys(on, True)}


def status_flags(unit: Unit, item: InformationObject) -> dict[str, bool]:
    """The status bits of types 1, 2 and 21 by name."""
    table = {1: tables.SYSTEM_STATUS, 2: tables.COMPONENT_STATUS}.get(unit.adu_type, tables.DEVICE_STATUS)
    return tables.flags(table, item.status or 0)


def operation_flags(unit: Unit, item: InformationObject) -> dict[str, bool]:
    """The operation bits of types 4 and 24 by name."""
    table = tables.FACILITY_OPERATION if unit.adu_type == 4 else tables.DEVICE_OPERATION
    return tables.flags(table, item.operation or 0)


def split_address(address: bytes, style: str = "zone_position") -> dict[str, int]:
    """The 4 address bytes as zone and position (the standard), or host, loop and point (many panels)."""
    if style == "host_loop_point":
        return {"host": address[0], "loop": address[1], "point": int.from_bytes(address[2:], "little")}
    zone, position = struct.unpack("<HH", address)
    return {"zone": zone, "position": position}
