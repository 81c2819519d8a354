"""The contract between a byte protocol (``ingest/sources/x.py``) and the transports that carry it.

A stream source module defines ``Params``, ``build(params) -> Source`` and a pure ``decode(data) -> Decoded``.  For
every connection the transport makes ``session = source.session()``, keeps a buffer, and calls::

    frames, buffer = session.decode(buffer, received_at=now)

``decode`` is pure but for the session's own bounded memory (parts of long messages, the peer's address), and total:
it takes whole frames from the front of the bytes, never raises on any bytes, and returns what is left (an unfinished
frame, never longer than ``source.max_frame_bytes``).  Refused bytes are entries too, so that one bad frame loses
nothing good beside it; the same entries come out however the stream was cut.  The transport publishes a frame's
``readings`` and ``observations``, waits for the PubAck of all of them, and only then sends its ``reply``.

Commands: ``request = session.request(command, now)`` gives the bytes; the device's answer comes as
``Frame.answers`` with ``request.key``.  ``session.expire(now)`` is called now and then and drops stale parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol

from core.clock import BEIJING
from core.records import DeviceCommand, Observation, Quality, Reading
from ingest.errors import FrameError, FrameNoise

EARLIEST_CLOCK = datetime(2010, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(days=1)
IDLE_BYTES = 256  # the longest that a modem says at once between two frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A device answered a :class:`Request`; ``key`` is the request's (or its ``window_key``)."""

    key: str
    ok: bool
    detail: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame that the protocol accepts.

    ``kind``: data, heartbeat, confirm, deny, response, register, command, part … (the protocol's own word).
    ``reply`` is sent after everything in ``readings`` and ``observations`` is durable; ``None``: no answer.
    ``answers`` are outstanding requests that this frame answers.  ``fields`` is what ``python -m app decode`` prints,
    made by ``show`` when asked for.
    ``device_time`` is the device's clock when it sent the frame (aware), ``None`` when absent or no such date: compare
    with the receiving time to find a clock that is off.  ``raw`` is the frame as it came; ``attachment`` a
    picture (JPEG) that it completed.  ``problem`` says what of the frame could not be taken, where the rest was.
    """

    device_id: str
    kind: str
    serial: int = 0
    readings: tuple[Reading, ...] = ()
    observations: tuple[Observation, ...] = ()
    reply: bytes | None = None
    answers: tuple[Answer, ...] = ()
    show: Callable[[], dict[str, Any]] = dict
    device_time: datetime | None = None
    raw: bytes = b""
    attachment: bytes = b""
    problem: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The frame with names, units and spelt-out flags."""
        return self.show()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Bytes that are no frame: ``code`` is stable (frame_checksum, frame_end, frame_noise, …) and is counted.

    ``reply`` is the protocol's refusal (GB/T 26875.3 answers deny), ``None`` where it stays silent.
    ``device_id`` is known when the head of the frame could be read.  ``idle``: a few bytes between frames, as a
    modem's registration text or heart-beat; skipped, and no fault of the device.
    """

    code: str
    detail: str
    raw: bytes
    reply: bytes | None = None
    device_id: str | None = None
    idle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Bytes that carry a command to a device.

    Send ``data``; wait ``timeout_s`` for an :class:`Answer` with ``key``; send again, ``tries`` times in all.
    ``window_s`` > 0 (duty check): after the device's confirm a person has so long to answer; an answer with
    ``window_key`` is expected inside the window, else the control room counts as unattended.
    """

    key: str
    data: bytes
    timeout_s: float = 10.0
    tries: int = 3
    window_s: float = 0.0
    window_key: str = ""


class Session(Protocol):
    """The dialogue of one connection.  ``address`` is the peer's, once it is known."""

    @property
    def address(self) -> str | None: ...

    def decode(self, data: bytes, *, received_at: datetime) -> tuple[list[Frame | Refused], bytes]: ...

    def request(self, command: DeviceCommand, now: datetime) -> Request: ...

    def expire(self, now: datetime) -> list[Refused]: ...


class Source(Protocol):
    """What ``build(params)`` of a stream source returns."""

    kind: ClassVar[str]
    max_frame_bytes: ClassVar[int]

    def session(self) -> Session: ...


class Packet(Protocol):
    """A typed frame of one protocol, as its module's ``decode`` returns it."""

    @property
    def raw(self) -> bytes: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a module's ``decode`` found: packets and refusals in stream order, and the bytes to keep."""

    frames: Sequence[Packet | FrameError]
    rest: bytes


def refused(error: FrameError, reply: bytes | None = None, device_id: str | None = None) -> Refused:
    """A typed refusal as the transports count it."""
    idle = isinstance(error, FrameNoise) and len(error.raw) <= IDLE_BYTES
    return Refused(code=error.code, detail=str(error), raw=error.raw, reply=reply, device_id=device_id, idle=idle)


def observed(device_time: datetime | None, received_at: datetime) -> tuple[datetime, Quality]:
    """When it happened, in UTC: the device's time if possible (2010 … a day ahead), else ``received_at``, CLOCK_BAD."""
    if device_time is not None and EARLIEST_CLOCK <= device_time <= received_at + FUTURE_TOLERANCE:
        return device_time.astimezone(UTC), Quality.GOOD
    return received_at, Quality.CLOCK_BAD


def beijing_time(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> datetime | None:
    """Device-local (Beijing) time as an aware moment; None when there is no such date or hour."""
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=BEIJING)
    except ValueError:
        return None


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with offset, or None."""
    return None if moment is None else moment.isoformat()
