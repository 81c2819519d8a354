"""The contract between a byte protocol (``ingest/sources/x.py``) and the transports that carry it.

A TCP source module defines, besides ``Params`` and ``build(params)`` (returning an object with these methods)::

    max_frame_bytes: int                                   # a longer unfinished frame is refused
    decode(data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]
    encode_command(command: DeviceCommand, address: str, serial: int, now: datetime) -> bytes   # optional

``decode`` is pure and total: it takes whole frames from the front of ``data``, never raises on any bytes, and
returns what is left (an unfinished frame).  Garbage before a frame becomes one ``Refused``.  The transport
publishes ``Frame.readings``, waits for the PubAck of all of them, and only then sends ``Frame.reply``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from core.records import DeviceCommand, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame that the protocol accepts.

    ``kind``: data, heartbeat, confirm, deny, response, register, command … (the protocol's own word).
    ``reply`` is sent after everything in ``readings`` is durable; ``None`` means the protocol sends no answer.
    ``serial`` matches a device's answer to a command.  ``fields`` is what ``python -m app decode`` prints.
    """

    device_id: str
    kind: str
    serial: int = 0
    readings: tuple[Reading, ...] = ()
    reply: bytes | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Bytes that are no frame: ``code`` is stable (checksum, tail, too_long, garbage, …) and is counted.

    ``reply`` is the protocol's refusal (GB/T 26875.3 answers deny), ``None`` where it stays silent.
    """

    code: str
    detail: str
    raw: bytes
    reply: bytes | None = None


class Source(Protocol):
    """What ``build(params)`` of a TCP source returns."""

    max_frame_bytes: int

    def decode(self, data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]: ...


class Commanding(Source, Protocol):
    """A source that can also talk to its devices."""

    def encode_command(self, command: DeviceCommand, address: str, serial: int, now: datetime) -> bytes: ...
