"""Modbus TCP, and RTU over TCP: registers of controllers and gauges, asked at an interval.

Neighbouring registers are read together.  A device may refuse a block because a register between two others does not
exist (exceptions 2, 3 and 4), or stay silent: then the block is read in runs and halves, and what worked is remembered.
Modbus knows neither time nor sequence: the moment of the answer stands for both.  What is still refused alone is
``signal_bad``; a device that does not answer is lost.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import msgspec
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from core.clock import Clock
from core.ids import derived_id
from core.plugins import About, Words
from core.records import Quality, Reading
from ingest.polling import NotConfirmed, Polled, Publish, SourceUnreachable

ABOUT = About(
    zh="控制器（Modbus TCP）",
    en="Controller (Modbus TCP)",
    transport="poll",
    params={
        "host": Words("主机", "Host"),
        "device": Words("设备名", "Device"),
        "registers": Words("寄存器", "Registers"),
        "port": Words("端口", "Port"),
        "unit_id": Words("从站地址", "Unit"),
        "framing": Words("帧格式", "Framing"),
        "interval_s": Words("读取间隔（秒）", "Read every (s)"),
        "timeout_s": Words("超时（秒）", "Time-out (s)"),
    },
)

_FORMATS = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
    "uint64": ">Q",
    "int64": ">q",
    "float64": ">d",
}
_MOST_WORDS, _MOST_BITS, _GAP = 120, 1900, 4
_ASK_MUTE = 60
_HOLES = (2, 3, 4)  # illegal address, illegal value (too many at once), device failure: as gear answers for holes


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value: ``number × scale + offset``; ``address`` from 0.

    ``missing``: raw numbers that mean "no value", or the raw bits in hex (``"0x7FC00000"``).  ``word_order`` is that of
    values longer than a register, ``byte_order`` that within a register: ABCD is big, big; CDAB little, big; BADC big,
    little; DCBA little, little.  ``bit`` takes one bit of an integer as 0 or 1.
    """

    address: int
    quantity: str
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    type: Literal["uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64"] = "uint16"
    word_order: Literal["big", "little"] = "big"
    byte_order: Literal["big", "little"] = "big"
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    channel: str = ""
    bit: int | None = None
    missing: list[float | str] = []

    @property
    def words(self) -> int:
        """Registers (or bits) that the value takes."""
        return 1 if self.table in ("coil", "discrete") else struct.calcsize(_FORMATS[self.type]) // 2


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` names it in the registry (``modbus:<device>``); ``unit_id`` is the Modbus unit.

    ``framing``: ``rtu`` for a serial server that passes RTU frames through TCP.
    """

    host: str
    device: str
    registers: list[Register]
    port: int = 502
    unit_id: int = 1
    framing: Literal["tcp", "rtu"] = "tcp"
    interval_s: float = 10.0
    timeout_s: float = 3.0

    def __post_init__(self) -> None:
        if not self.registers:
            raise ValueError("registers: at least one")
        for r in self.registers:
            if not 0 <= r.address <= 65536 - r.words:
                raise ValueError(f"registers: address {r.address} of {r.quantity} is outside 0 to 65535")
            for mark in r.missing:
                if isinstance(mark, str):
                    int(mark, 16)
        if self.interval_s < 0.2:
            raise ValueError("interval_s: at least 0.2")


def build(params: Params, *, name: str = "modbus", state_dir: Path | None = None) -> Modbus:
    """The source."""
    return Modbus(params, name)


class Modbus:
    """One device."""

    kind: ClassVar[str] = "modbus"

    def __init__(self, params: Params, name: str) -> None:
        self.params, self.name, self.interval_s = params, name, params.interval_s
        self._blocks = blocks(params.registers)
        self._client: AsyncModbusTcpClient | None = None
        self._mute: set[tuple[str, int]] = set()  # alone and silent where others answer: asked now and then only
        self._polls = 0

    async def poll(self, publish: Publish, clock: Clock) -> Polled:
        """Read every block once."""
        await self._connected()
        self._polls += 1
        found: list[Reading] = []
        read: list[_Read] = []
        for block in self._blocks:
            read += await self._read_parts(block)
        for part in read:
            values = [(r, value_of(r, part.block, part.raw)) for r in part.block]
            found += [self._reading(r, value, part.raw is not None, clock.now()) for r, value in values]
        self._blocks = [part.block for part in read]
        if not any(part.raw is not None for part in read):
            self._blocks = blocks(self.params.registers)
            await self.close()
            raise SourceUnreachable(source=self.name, url=self._url, detail="every block was refused")
        if not await publish(f"modbus:{self.params.device}", found, ()):
            raise NotConfirmed(source=self.name)
        return Polled(readings=len(found))

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def _url(self) -> str:
        return f"{self.params.host}:{self.params.port}"

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None or not self._client.connected:
            await self.close()
            p = self.params
            self._client = AsyncModbusTcpClient(
                p.host, port=p.port, timeout=p.timeout_s, retries=1, reconnect_delay=0, reconnect_delay_max=0,
                framer=FramerType.RTU if p.framing == "rtu" else FramerType.SOCKET,
            )  # fmt: skip
            if not await self._client.connect():
                await self.close()
                raise SourceUnreachable(source=self.name, url=self._url, detail="no connection")
        return self._client

    async def _read_parts(self, block: list[Register]) -> list[_Read]:
        """The block, or what it had to be split into."""
        if _key(block) in self._mute and self._polls % _ASK_MUTE:
            return [_Read(block, None)]
        try:
            part, hole = await self._read(block)
        except SourceUnreachable:
            return [_Read(block, None)] if _key(block) in self._mute else await self._after_silence(block)
        if not hole or len(block) == 1:
            return [part]
        return [found for piece in split(block) for found in await self._read_parts(piece)]

    async def _after_silence(self, block: list[Register]) -> list[_Read]:
        """Some gear says nothing at all where a register is missing: its runs are tried once, each alone."""
        pieces = split(block)
        if len(pieces) == 1:
            raise SourceUnreachable(source=self.name, url=self._url, detail="no answer")
        found = []
        for place, piece in enumerate(pieces):
            try:
                found.append((await self._read(piece))[0])
            except SourceUnreachable:
                if place == 0 or len(piece) > 1:
                    raise
                self._mute.add(_key(piece))
                found.append(_Read(piece, None))
        return found

    async def _read(self, block: list[Register]) -> tuple[_Read, bool]:
        """What was read, and whether a hole may be why it was refused; :class:`SourceUnreachable` on silence."""
        client = await self._connected()
        first, last = block[0], block[-1]
        count = last.address + last.words - first.address
        read = {
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
        }[first.table]
        try:
            answer = await read(first.address, count=count, device_id=self.params.unit_id)
        except ModbusException as error:
            await self.close()
            raise SourceUnreachable(source=self.name, url=self._url, detail=str(error)) from error
        if answer.isError():
            return _Read(block, None), getattr(answer, "exception_code", 0) in _HOLES
        raw = answer.bits if first.table in ("coil", "discrete") else answer.registers
        return (_Read(block, None), True) if len(raw) < count else (_Read(block, [int(v) for v in raw]), False)

    def _reading(self, register: Register, value: float | None, answered: bool, now: datetime) -> Reading:
        device_id = f"modbus:{self.params.device}"
        quality = Quality.GOOD if value is not None else Quality.MISSING if answered else Quality.SIGNAL_BAD
        return Reading(
            reading_id=derived_id("modbus", device_id, register.quantity, register.channel, now, repr(value)),
            source="modbus",
            device_id=device_id,
            quantity=register.quantity,
            value=value,
            observed_at=now,
            received_at=now,
            channel=register.channel,
            unit=register.unit,
            quality=quality,
        )


class _Read(NamedTuple):
    """Registers that were asked for together; ``raw`` None when the device refused them."""

    block: list[Register]
    raw: list[int] | None


def _key(block: list[Register]) -> tuple[str, int]:
    return block[0].table, block[0].address


def split(block: list[Register]) -> list[list[Register]]:
    """A block in smaller ones: at its gaps, else in halves."""
    runs = [[block[0]]]
    for register in block[1:]:
        if register.address > max(r.address + r.words for r in runs[-1]):
            runs.append([])
        runs[-1].append(register)
    if len(runs) > 1 or len(block) == 1:
        return runs
    middle = len(block) // 2
    return [block[:middle], block[middle:]]


def blocks(registers: list[Register]) -> list[list[Register]]:
    """Registers that are read together: one table, small gaps, at most what one request may ask for."""
    out: list[list[Register]] = []
    for register in sorted(registers, key=lambda r: (r.table, r.address, r.words)):
        most = _MOST_BITS if register.table in ("coil", "discrete") else _MOST_WORDS
        if out:
            first, end = out[-1][0], max(r.address + r.words for r in out[-1])
            near = register.address <= end + _GAP and register.address + register.words - first.address <= most
            if first.table == register.table and near and register.address + register.words >= end:
                out[-1].append(register)
                continue
        out.append([register])
    return out


def value_of(register: Register, block: list[Register], raw: list[int] | None) -> float | None:
    """The value in the block's raw registers; None when missing or no number."""
    if raw is None:
        return None
    at = register.address - block[0].address
    words = raw[at : at + register.words]
    if register.table in ("coil", "discrete"):
        return float(words[0])
    if register.word_order == "little":
        words = words[::-1]
    bits = b"".join(w.to_bytes(2, register.byte_order) for w in words)
    number = struct.unpack(_FORMATS[register.type], bits)[0]
    if not math.isfinite(number) or any(_means(register, mark, number, bits) for mark in register.missing):
        return None
    if register.bit is not None:
        return float(int(number) >> register.bit & 1)
    value = number * register.scale + register.offset
    return float(f"{value:.7g}") if register.type == "float32" else round(value, 9)


def _means(register: Register, mark: float | str, number: float, bits: bytes) -> bool:
    """Whether the raw value is the sender's "no value"; a float32 is compared as one (-999.9 has no exact form)."""
    if isinstance(mark, str):
        return int(mark, 16) == int.from_bytes(bits, "big")
    if register.type == "float32":
        try:
            return bool(struct.unpack(">f", struct.pack(">f", mark))[0] == number)
        except OverflowError:
            return False
    return mark == number
