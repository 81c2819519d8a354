"""SL 651-2014: bodies of messages, HEX/BCD and ASCII, to groups of elements and back.

A body that is understood only in part is kept in part: the frame was whole (its CRC holds), the station would
only send the same again.  What was not understood stands in ``problems``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from core.clock import BEIJING
from ingest.contract import beijing_time
from ingest.errors import FrameField
from ingest.sources import _sl651_tables as tables

PROTOCOL = "sl651"
_STEP = timedelta(minutes=5)


class Element(msgspec.Struct, frozen=True):
    """One value of one element at one time; ``value`` None: the station says "missing" or sent no number.

    ``raw`` are the value's bytes (ASCII: its text), ``index`` its place in a series, ``status`` the word of 45.
    """

    code: int
    raw: bytes
    value: float | None = None
    at: datetime | None = None
    index: int | None = None
    status: int | None = None

    @property
    def key(self) -> str:
        known = tables.ELEMENTS.get(self.code)
        return known.key if known else "ZT" if self.code == 0x45 else f"{self.code:02X}"

    @property
    def name(self) -> str:
        known = tables.ELEMENTS.get(self.code)
        return known.name if known else "status" if self.code == 0x45 else f"element_{self.code:02x}"

    @property
    def unit(self) -> str:
        known = tables.ELEMENTS.get(self.code)
        return known.unit if known else ""


class Group(msgspec.Struct, frozen=True):
    """What one station says; ``observed_at`` None when there is no (possible) time, ``observed_raw`` its digits."""

    station: str
    station_class: str
    observed_at: datetime | None
    elements: tuple[Element, ...]
    observed_raw: str = ""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a configuration reply; ``value`` None where it is no number (``raw`` has its bytes)."""

    code: int
    raw: bytes
    value: float | None = None
    text: str | None = None

    @property
    def name(self) -> str:
        return tables.PARAMETER_NAMES.get(self.code, f"parameter_{self.code:02x}")


class Body(msgspec.Struct, frozen=True):
    """A message's body; ``sent_at`` is the sender's clock (None when impossible), ``sent_raw`` its digits."""

    serial: int
    sent_at: datetime | None
    sent_raw: str
    groups: tuple[Group, ...] = ()
    text: str | None = None
    picture: bytes | None = None
    version: str | None = None
    events: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()
    rest: bytes = b""
    parameters: tuple[Parameter, ...] = ()


def bcd_time(raw: bytes) -> datetime | None:
    """YYMMDDhhmm[ss] in BCD (Beijing); None when impossible.  Years from 50 on are a clock that was never set."""
    text = raw.hex()
    if not text.isdecimal():
        return None
    parts = [int(text[i : i + 2]) for i in range(0, len(text), 2)]
    if len(parts) < 5 or parts[0] >= 50:
        return None
    return beijing_time(2000 + parts[0], *parts[1:6])


def bcd_of(moment: datetime, seconds: bool = True) -> bytes:
    """``moment`` as YYMMDDhhmm[ss] in BCD, Beijing time."""
    return bytes.fromhex(moment.astimezone(BEIJING).strftime("%y%m%d%H%M%S" if seconds else "%y%m%d%H%M"))


def number(raw: bytes, decimals: int) -> float | None:
    """Packed BCD with ``decimals``; a leading FF is a minus sign, all FF is "missing", other nibbles are no number."""
    if not raw or raw.count(0xFF) == len(raw):
        return None
    negative = raw[0] == 0xFF
    text = (raw[1:] if negative else raw).hex()
    if not text.isdecimal():
        return None
    value = int(text) / float(10**decimals)
    return -value if negative else value


def element(code: int, value: float | None, size: int, decimals: int) -> bytes:
    """An element with its identifier: the inverse of :func:`number`.  :class:`FrameField` when it does not fit."""
    head = (b"\xff" if code > 0xFF else b"") + bytes((code & 0xFF, size << 3 | decimals))
    if value is None:
        return head + b"\xff" * size
    digits = round(abs(value) * 10**decimals)
    room = size - (value < 0)
    if digits >= 100**room:
        raise FrameField(protocol=PROTOCOL, field=f"element {code:02X}", detail=f"{value} does not fit {size} bytes")
    return head + (b"\xff" if value < 0 else b"") + bytes.fromhex(f"{digits:0{2 * room}d}")


class Reader:
    """Walks a HEX body once; collects groups and problems."""

    def __init__(self, data: bytes, function: int) -> None:
        self.data, self.function, self.position = data, function, 8
        self.groups: list[Group] = []
        self.problems: list[str] = []
        self.station, self.station_class = "", ""
        self.observed: datetime | None = None
        self.observed_raw = ""
        self.elements: list[Element] = []
        self.text: str | None = None
        self.picture: bytes | None = None

    def take(self, count: int) -> bytes | None:
        end = self.position + count
        if end > len(self.data):
            return None
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def close_group(self) -> None:
        if self.station or self.elements:
            head = (self.station, self.station_class, self.observed)
            self.groups.append(Group(*head, tuple(self.elements), self.observed_raw))
        self.elements = []

    def walk(self) -> None:
        while self.position < len(self.data):
            begin = self.position
            if not self.step():
                self.position = begin
                self.problems.append(f"{len(self.data) - begin} bytes at {begin} were not understood")
                break
        self.close_group()

    def step(self) -> bool:
        head = self.take(2)
        if head is None:
            return False
        code, shape = head
        if code == shape and code in (0xF0, 0xF1, 0xF2, 0xF3):
            return self.special(code)
        if code == 0xFF:
            more = self.take(1)
            if more is None:
                return False
            code, shape = 0xFF00 | shape, more[0]
        size, decimals = shape >> 3, shape & 7
        if code == 0x04:
            return self.series(size)
        raw = self.take(size)
        if raw is None or (size == 0 and decimals == 0):
            return False
        self.value(code, raw, decimals)
        return True

    def special(self, code: int) -> bool:
        if code == 0xF0:
            raw = self.take(5)
            if raw is None:
                return False
            if self.elements:  # a later F0F0 changes the time for what follows
                self.close_group()
            self.observed, self.observed_raw = bcd_time(raw), raw.hex()
        elif code == 0xF1:
            raw = self.take(5)
            if raw is None:
                return False
            self.close_group()
            self.station, self.station_class, self.observed, self.observed_raw = raw.hex().upper(), "", None, ""
            following = self.data[self.position : self.position + 1]
            if self.function in tables.CLASSED and following:
                self.station_class = following.decode("ascii", errors="replace")
                self.position += 1
        else:
            rest = self.data[self.position :]
            self.position = len(self.data)
            if code == 0xF2:
                self.text = rest.decode("gb18030", errors="replace")
            else:
                self.picture = rest
        return True

    def value(self, code: int, raw: bytes, decimals: int) -> None:
        if code == 0x45 and len(raw) == 4:
            self.elements.append(Element(code, raw, at=self.observed, status=int.from_bytes(raw, "big")))
        elif code == 0xF4:
            self.steps(code, [raw[i : i + 1] for i in range(len(raw))], 10)
        elif 0xF5 <= code <= 0xFC:
            self.steps(code, [raw[i : i + 2] for i in range(0, len(raw) - 1, 2)], 100)
        else:
            self.elements.append(Element(code, raw, number(raw, decimals), self.observed))

    def steps(self, code: int, values: list[bytes], divisor: int) -> None:
        """Binary values in steps of five minutes; all FF is "missing"."""
        for index, raw in enumerate(values):
            value = None if raw.count(0xFF) == len(raw) else int.from_bytes(raw, "big") / divisor
            self.elements.append(Element(code, raw, value, later(self.observed, _STEP * index), index))

    def series(self, size: int) -> bool:
        """``04 18`` step, one identifier, values to the end."""
        raw, head = self.take(size), self.take(2)
        if raw is None or head is None or len(raw) != 3 or not raw.hex().isdecimal():
            return False
        days, hours, minutes = (int(raw.hex()[i : i + 2]) for i in (0, 2, 4))
        step = timedelta(days=days, hours=hours, minutes=minutes)
        code, shape = head
        if code == 0xFF:
            more = self.take(1)
            if more is None:
                return False
            code, shape = 0xFF00 | shape, more[0]
        width, decimals = shape >> 3, shape & 7
        if width == 0:
            return False
        index = 0
        while (value := self.take(width)) is not None:
            at = later(self.observed, step * index)
            self.elements.append(Element(code, value, number(value, decimals), at, index))
            index += 1
        return self.position == len(self.data)


def later(moment: datetime | None, by: timedelta) -> datetime | None:
    try:
        return None if moment is None else moment + by
    except OverflowError:
        return None
