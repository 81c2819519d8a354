"""HJ 212-2017 (and HJ/T 212-2005): environmental monitoring stations and pollution sources, text over TCP.

Data with Flag bit 0 are answered 9014 after they are durable, notices 9013.  Numbered packets: one that brings its
own DataTime is taken at once, others wait until all have come.  Only values flagged N feed rules.

Ids: MN, command, DataTime, factor and its fields.  A frame without DataTime falls back on QN; without both on the
ten seconds in which it came: there the promise is "at least once".
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from core.clock import BEIJING
from core.ids import derived_id
from core.plugins import About, Words
from core.records import DeviceCommand, Quality, Reading
from ingest.contract import Answer, Frame, Refused, Request, observed, refused
from ingest.errors import CommandUnsupported, FrameError, FrameField, FrameParts
from ingest.sources import _hj212_tables as tables
from ingest.sources._hj212_frame import (
    MAX_FRAME_BYTES,
    NO_VALUES,
    PROTOCOL,
    Hj212Item,
    Hj212Packet,
    Hj212Record,
    compose,
    decode,
    encode,
    encode_packet,
    main_value,
    parse_cp,
    parse_number,
)

ABOUT = About(
    zh="环境监测站（HJ 212）",
    en="Environmental monitoring station (HJ 212)",
    transport="tcp",
    port=8612,
    interval_s=600.0,
    text_mark="##",
    params={
        "lenient": Words("接受校验码错误的帧", "Take frames with a wrong checksum"),
        "units": Words("设备使用的单位", "Units that the gear uses"),
        "password": Words("访问密码", "Password"),
    },
)

__all__ = ["PROTOCOL", "Hj212Packet", "Params", "build", "compose", "decode", "encode", "encode_packet"]

_MOST_MESSAGES = 8
_MOST_PARTS = 64
_PARTS_WAIT = timedelta(seconds=60)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``lenient``: take frames whose CRC is wrong, marked ``crc_bad`` (old gear that computes another one).

    ``units``: the unit in which the gear sends a factor where it is not the table's, e.g. ``{"a34004": "mg/m³"}``.
    ``password`` is used in commands until the station has shown its own.
    """

    lenient: bool = False
    units: dict[str, str] = {}
    password: str = "123456"  # noqa: S105 (the protocol's field, learned from the station)

    def __post_init__(self) -> None:
        for code, unit in self.units.items():
            known = tables.factor_of(code)[1]
            if known is None or (unit != known.unit and (unit, known.unit) not in tables.CONVERSIONS):
                raise ValueError(f"units: {code} cannot come in {unit!r}")


def build(params: Params) -> Hj212:
    """The source."""
    return Hj212(params)


class Hj212:
    """The source; see the module."""

    kind: ClassVar[str] = PROTOCOL
    max_frame_bytes: ClassVar[int] = MAX_FRAME_BYTES

    def __init__(self, params: Params) -> None:
        self.params = params

    def session(self) -> Hj212Session:
        """A dialogue for one connection."""
        return Hj212Session(self.params)


class Hj212Session:
    """One connection's dialogue."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._last: Hj212Packet | None = None
        self._parts: OrderedDict[tuple[str, str, str], dict[int, Hj212Packet]] = OrderedDict()
        self._seen: dict[tuple[str, str, str], datetime] = {}
        self._times: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    @property
    def address(self) -> str | None:
        """The MN that spoke last."""
        return None if self._last is None else self._last.mn

    def decode(self, data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]:
        """See :mod:`ingest.contract`."""
        decoded = decode(data, self._params.lenient)
        frames: list[Frame | Refused] = []
        for entry in decoded.frames:
            if isinstance(entry, FrameError):
                frames.append(refused(entry))
            elif isinstance(entry, Hj212Packet):
                self._last = entry
                frames.append(self._frame(entry, received_at))
        return frames, decoded.rest

    def _frame(self, packet: Hj212Packet, now: datetime) -> Frame | Refused:
        if packet.part is None:
            return self._whole(packet, packet.records, now)
        key = (packet.mn, packet.qn, packet.cn)
        if packet.records and packet.records[0].data_time_raw:
            return self._with_time(packet, key, now)
        if key in self._times:  # the packet that brought the time is through: so are all the others
            return self._joined(packet, f"DataTime={self._times[key]};{packet.cp}", now)
        total, number = packet.part
        if total > _MOST_PARTS or not 1 <= number <= total:
            error = FrameParts(protocol=PROTOCOL, key=packet.qn, detail=f"packet {number} of {total}", raw=packet.raw)
            return refused(error, device_id=f"{PROTOCOL}:{packet.mn}")
        known = self._parts.setdefault(key, {})
        known[number] = packet
        self._seen[key] = now
        if len(known) < total:
            while len(self._parts) > _MOST_MESSAGES:
                self._seen.pop(self._parts.popitem(last=False)[0], None)
            return Frame(device_id=f"{PROTOCOL}:{packet.mn}", kind="part", show=packet.as_json, raw=packet.raw)
        del self._parts[key], self._seen[key]
        return self._joined(packet, ";".join(known[n].cp for n in sorted(known)), now)

    def _with_time(self, packet: Hj212Packet, key: tuple[str, str, str], now: datetime) -> Frame | Refused:
        """A numbered packet with a DataTime is taken at once; those that wait for that time come with it."""
        self._times[key] = packet.records[-1].data_time_raw
        if len(self._times) > 4 * _MOST_MESSAGES:
            self._times.popitem(last=False)
        waiting = self._parts.pop(key, {})
        self._seen.pop(key, None)
        if not waiting:
            return self._whole(packet, packet.records, now)
        return self._joined(packet, ";".join([packet.cp, *(waiting[n].cp for n in sorted(waiting))]), now)

    def _joined(self, packet: Hj212Packet, cp: str, now: datetime) -> Frame | Refused:
        try:
            records, _ = parse_cp(cp)
        except FrameField as error:
            return refused(error, device_id=f"{PROTOCOL}:{packet.mn}")
        return self._whole(packet, records, now)

    def _whole(self, packet: Hj212Packet, records: tuple[Hj212Record, ...], now: datetime) -> Frame:
        data = packet.cn in tables.DATA
        return Frame(
            device_id=f"{PROTOCOL}:{packet.mn}",
            kind="data" if data else "notice" if packet.cn in tables.NOTICES else _KINDS.get(packet.cn, "command"),
            serial=int(packet.qn) % (1 << 31) if packet.qn.isascii() and packet.qn.isdecimal() else 0,
            readings=readings(packet, records, now, self._params) if data else (),
            reply=answer(packet),
            answers=_answers(packet),
            show=packet.as_json,
            device_time=packet.sent_at if data or packet.cn in tables.NOTICES else None,
            raw=packet.raw,
        )

    def request(self, command: DeviceCommand, now: datetime) -> Request:
        """Real-time data (2011, or ``params.cn``) and the clock (1012)."""
        if command.name == "query_now":
            cn, cp = str(command.params.get("cn", "2011")), ""
        elif command.name == "clock_sync":
            cn, cp = "1012", f"SystemTime={now.astimezone(BEIJING):%Y%m%d%H%M%S}"
        else:
            raise CommandUnsupported(protocol=PROTOCOL, command=command.name, known="query_now, clock_sync")
        if cn not in tables.COMMANDS or cn in ("1072", *_KINDS):
            raise CommandUnsupported(protocol=PROTOCOL, command=f"query {cn}", known="2011, 2051, 2061, 1011, 3020")
        last = self._last
        moment = now.astimezone(BEIJING)
        qn = f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}"
        header = {
            "QN": qn,
            "ST": last.header.get("ST", "22") if last else "22",
            "CN": cn,
            "PW": last.header.get("PW", "") if last else self._params.password,
            "MN": command.device_id.partition(":")[2],
            "Flag": (last.flag & 0xFC | 1) if last else 5,
        }
        return Request(key=qn, data=compose(header, cp), timeout_s=5.0, tries=3)

    def expire(self, now: datetime) -> list[Refused]:
        """Messages whose packets stopped coming."""
        out = []
        for key, seen in list(self._seen.items()):
            if now - seen > _PARTS_WAIT:
                count = len(self._parts.pop(key, {}))
                del self._seen[key]
                error = FrameParts(protocol=PROTOCOL, key=key[1], detail=f"{count} packets came, the rest did not")
                out.append(refused(error, device_id=f"{PROTOCOL}:{key[0]}"))
        return out


_KINDS = {"9011": "response", "9012": "response", "9013": "confirm", "9014": "confirm"}


def answer(packet: Hj212Packet) -> bytes | None:
    """9014 to data, 9013 to notices, when the device wants an answer; it repeats the QN."""
    if not packet.answer_wanted or not packet.qn:
        return None
    if packet.cn in tables.DATA:
        cn = "9014"
    elif packet.cn in tables.NOTICES:
        cn = "9013"
    else:
        return None
    header = {
        "QN": packet.qn,
        "ST": "91",
        "CN": cn,
        "PW": packet.header.get("PW", ""),
        "MN": packet.mn,
        "Flag": packet.flag & 0xFC,
    }
    return compose(header)


def _answers(packet: Hj212Packet) -> tuple[Answer, ...]:
    names = {"9011": ("QnRtn", tables.REQUEST_RESULTS), "9012": ("ExeRtn", tables.EXECUTION_RESULTS)}
    if packet.cn not in names:
        return ()
    name, texts = names[packet.cn]
    result = parse_number(packet.parameters.get(name, "")) or 0
    detail = texts.get(int(result), f"{name}={packet.parameters.get(name, '')}")
    return (Answer(key=packet.qn, ok=result == 1, detail=detail, data=dict(packet.parameters)),)


def readings(
    packet: Hj212Packet, records: tuple[Hj212Record, ...], received_at: datetime, params: Params
) -> tuple[Reading, ...]:
    """One reading a factor: real-time values in channel "", means in ``minute``, ``hour``, ``day``.

    A factor that brings no value at all (only ``Info``, ``EFlag``, ``SampleTime``) is no measurement.
    """
    return tuple(
        _reading(packet, record, item, received_at, params)
        for record in records
        for item in record.items
        if any(suffix not in NO_VALUES for suffix in item.fields)
    )


def _reading(
    packet: Hj212Packet, record: Hj212Record, item: Hj212Item, received_at: datetime, params: Params
) -> Reading:
    code, known = tables.factor_of(item.code)
    state = "RS" in item.fields or "RT" in item.fields
    value = main_value(item)
    attributes: dict[str, Any] = {"factor": item.code, "system": tables.SYSTEMS.get(packet.header.get("ST", ""), "")}
    for suffix in ("Min", "Max", "Cou", "ZsRtd", "ZsAvg"):
        if suffix in item.fields:
            attributes[suffix.lower()] = parse_number(item.fields[suffix])
    given = params.units.get(item.code) or params.units.get(code)
    if given and known and value is not None and given != known.unit:
        value = value * tables.CONVERSIONS[given, known.unit]
        attributes["reported_unit"] = given
    at, quality = observed(record.data_time or (None if record.data_time_raw else packet.sent_at), received_at)
    flag = item.fields.get("Flag", "N").upper()
    attributes["flag"] = flag
    if packet.crc_bad:
        attributes["crc_bad"] = True
    if flag != "N":  # an unknown flag is not "normal" either
        quality = tables.FLAGS.get(flag, ("", Quality.MAINTENANCE))[1]
    elif value is None:
        quality = Quality.MISSING
    name = known.name if known else f"equipment_{'state' if 'RS' in item.fields else 'time'}" if state else code
    when = record.data_time_raw or packet.qn or received_at.strftime("%Y%m%d%H%M%S")[:-1]
    said = ",".join(f"{k}={v}" for k, v in sorted(item.fields.items()))
    return Reading(
        reading_id=derived_id(PROTOCOL, packet.mn, packet.cn, when, item.code, said),
        source=PROTOCOL,
        device_id=f"{PROTOCOL}:{packet.mn}",
        quantity=name,
        value=value,
        observed_at=at,
        received_at=received_at,
        channel=item.code if state else tables.PERIODS.get(packet.cn, ""),
        unit=known.unit if known else "",
        quality=quality,
        attributes=attributes,
    )
