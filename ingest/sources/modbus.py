"""Modbus TCP: registers of controllers and gauges, asked at an interval.

Neighbouring registers are read together.  Modbus knows neither time nor sequence: the moment of the answer stands for
both.  A block that the device refuses marks its values ``signal_bad``; a device that does not answer is lost.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

import msgspec
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from core.clock import Clock
from core.ids import derived_id
from core.plugins import About
from core.records import Quality, Reading
from ingest.polling import NotConfirmed, Polled, Publish, SourceUnreachable

ABOUT = About(zh="控制器（Modbus TCP）", en="Controller (Modbus TCP)", transport="poll")

_FORMATS = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
    "uint64": ">Q",
    "float64": ">d",
}
_MOST_WORDS, _MOST_BITS, _GAP = 120, 1900, 4


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value: ``number × scale + offset``; ``address`` from 0; ``missing``: raw numbers that mean "no value".

    ``word_order`` is that of values longer than a register; ``bit`` takes one bit of an integer as 0 or 1.
    """

    address: int
    quantity: str
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    type: Literal["uint16", "int16", "uint32", "int32", "float32", "uint64", "float64"] = "uint16"
    word_order: Literal["big", "little"] = "big"
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    channel: str = ""
    bit: int | None = None
    missing: list[float] = []

    @property
    def words(self) -> int:
        """Registers (or bits) that the value takes."""
        return 1 if self.table in ("coil", "discrete") else struct.calcsize(_FORMATS[self.type]) // 2


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` names it in the registry (``modbus:<device>``); ``unit_id`` is the Modbus unit."""

    host: str
    device: str
    registers: list[Register]
    port: int = 502
    unit_id: int = 1
    interval_s: float = 10.0
    timeout_s: float = 3.0

    def __post_init__(self) -> None:
        if not self.registers:
            raise ValueError("registers: at least one")
        for r in self.registers:
            if not 0 <= r.address <= 65536 - r.words:
                raise ValueError(f"registers: address {r.address} of {r.quantity} is outside 0 to 65535")
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

    async def poll(self, publish: Publish, clock: Clock) -> Polled:
        """Read every block once."""
        client = await self._connected()
        found: list[Reading] = []
        answered = False
        for block in self._blocks:
            raw = await self._read(client, block)
            answered = answered or raw is not None
            found += [self._reading(r, value_of(r, block, raw), raw is not None, clock.now()) for r in block]
        if not answered:
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
                p.host, port=p.port, timeout=p.timeout_s, retries=1, reconnect_delay=0, reconnect_delay_max=0
            )
            if not await self._client.connect():
                await self.close()
                raise SourceUnreachable(source=self.name, url=self._url, detail="no connection")
        return self._client

    async def _read(self, client: AsyncModbusTcpClient, block: list[Register]) -> list[int] | None:
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
            return None
        raw = answer.bits if first.table in ("coil", "discrete") else answer.registers
        return None if len(raw) < count else [int(v) for v in raw]

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
    number = struct.unpack(_FORMATS[register.type], b"".join(w.to_bytes(2, "big") for w in words))[0]
    if number in register.missing or not math.isfinite(number):
        return None
    if register.bit is not None:
        return float(int(number) >> register.bit & 1)
    value = number * register.scale + register.offset
    return float(f"{value:.7g}") if register.type == "float32" else round(value, 9)
