"""The frozen records that cross package borders.

They are ``msgspec`` structs: immutable, typed, and JSON only at the edge
(:func:`encode`, :func:`decode`).  Times are aware UTC; units stand in names.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from core.errors import RecordError

JSON = Any  # a JSON value; nested types stop mypy from helping, so it is named, not spelt out


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every record: frozen, keyword-only, compact on the wire."""


class Severity(enum.IntEnum):
    """Event level, by the colours of Chinese warning signals (blue IV … red I)."""

    BLUE = 1  # 一般 minor
    YELLOW = 2  # 较重 moderate
    ORANGE = 3  # 严重 severe
    RED = 4  # 特别严重 extreme


class Quality(enum.StrEnum):
    """What is known about a reading's trustworthiness."""

    GOOD = "good"
    CLOCK_BAD = "clock_bad"  # the device clock was impossible; observed_at is the receiving time
    MISSING = "missing"  # the device said "no value"
    OUT_OF_RANGE = "out_of_range"
    MAINTENANCE = "maintenance"  # calibration, manual or fault flags: never feeds rules
    SIGNAL_BAD = "signal_bad"


class GeoPoint(Record, frozen=True):
    """WGS-84 longitude and latitude in degrees."""

    lon: float
    lat: float


class ModelRef(Record, frozen=True):
    """The model behind a detection; ``sha256`` is of the weights file."""

    name: str
    sha256: str
    version: str = ""


class EvidenceRef(Record, frozen=True):
    """A sealed evidence file: ``uri`` within the media store, ``sha256`` of its bytes."""

    kind: Literal["snapshot", "annotated", "clip", "photo", "document"]
    uri: str
    sha256: str
    media_type: str
    taken_at: datetime
    size_bytes: int = 0
    location: GeoPoint | None = None  # where it was taken, as the phone said
    accuracy_m: float | None = None


class Reading(Record, frozen=True):
    """One value that a device reported, as decoded; not yet an observation.

    ``reading_id`` is made at the edge from device, device time or sequence, quantity
    and payload hash (:mod:`core.ids`), so that a re-sent frame has the same id.
    """

    reading_id: str
    source: str  # plug-in kind: gb26875, sl651, hj212, jt808, mqtt, http …
    device_id: str  # "<source>:<protocol address>"
    quantity: str  # field term with its unit: water_level_m, fire_alarm, pressure_mpa …
    value: bool | int | float | str | None
    observed_at: datetime
    received_at: datetime
    channel: str = ""  # component or sensor inside the device, e.g. "1/1/40/10-2"
    unit: str = ""
    quality: Quality = Quality.GOOD
    location: GeoPoint | None = None  # vehicles and drones report their own place
    site_id: str | None = None  # filled in by ingest from the registry
    attributes: dict[str, JSON] = {}


class Observation(Record, frozen=True):
    """Something seen or measured that a rule may judge.

    ``state``: ``open`` a condition began or still stands, ``clear`` it ended,
    ``measure`` a plain value (threshold rules decide).
    ``box`` is (x1, y1, x2, y2) normalised to the picture.
    """

    observation_id: str
    kind: str  # absence, flame_smoke, fire_alarm, water_level, camera_health, device_health …
    state: Literal["open", "clear", "measure"]
    source_type: Literal["camera", "device", "drone", "citizen", "platform"]
    source_id: str  # camera_id, device_id …
    observed_at: datetime
    received_at: datetime
    site_id: str | None = None
    location: GeoPoint | None = None
    value: float | None = None
    unit: str = ""
    confidence: float | None = None
    zone: str | None = None
    box: tuple[float, float, float, float] | None = None
    model: ModelRef | None = None
    evidence: tuple[EvidenceRef, ...] = ()
    epoch: int | None = None  # lease epoch of the vision worker that saw it
    attributes: dict[str, JSON] = {}


class Zone(Record, frozen=True):
    """A named polygon on a camera's picture, vertices normalised to 0…1."""

    zone_id: str
    name: str
    polygon: tuple[tuple[float, float], ...]
    purpose: str = ""  # duty, fire_lane, work_area, water, road …
    schedule: dict[str, JSON] = {}  # arm schedule, see vision/judging/arm_schedule.py


class AlgorithmConfig(Record, frozen=True):
    """One algorithm on one camera: plug-in kind, zone ids (empty: whole picture), parameters."""

    kind: str
    zones: tuple[str, ...] = ()
    params: dict[str, JSON] = {}


class CameraConfig(Record, frozen=True):
    """What a vision worker needs to know of a camera (KV ``registry``, key ``camera.<id>``)."""

    camera_id: str
    name: str
    url: str  # main stream, file path, rtsp:// or http(s)://
    sub_url: str = ""  # sub-stream, preferred for analysis
    site_id: str | None = None
    category: str = "general"  # fire_control_room, fuel_station, waterlogging, warehouse, traffic …
    location: GeoPoint | None = None
    analysis_fps: float = 2.0
    priority: int = 5  # 1 highest … 9 lowest
    algorithms: tuple[AlgorithmConfig, ...] = ()
    zones: tuple[Zone, ...] = ()
    enabled: bool = True
    revision: int = 0
    calibration: dict[str, JSON] = {}


class DeviceConfig(Record, frozen=True):
    """What ingest needs to know of a device (KV ``registry``, key ``device.<id>``).

    ``status``: ``accepted`` feeds rules; ``quarantine`` is stored and shown only.
    ``calibration``: ``{"<quantity>": {"scale": 1.0, "offset": 0.0}}``.
    """

    device_id: str
    source: str
    address: str
    name: str = ""
    device_type: str = ""
    status: Literal["accepted", "quarantine", "disabled"] = "quarantine"
    site_id: str | None = None
    location: GeoPoint | None = None
    department_id: str | None = None
    expected_interval_s: float | None = None
    calibration: dict[str, JSON] = {}
    ranges: dict[str, tuple[float, float]] = {}
    coord_sys: Literal["wgs84", "gcj02", "bd09", "cgcs2000"] = "wgs84"
    attributes: dict[str, JSON] = {}
    revision: int = 0


class Command(Record, frozen=True):
    """A wish to move a case: the only edge that runs back.

    ``expected_version`` guards against two people moving one case at once.
    ``idempotency_key`` makes a re-sent command harmless.  ``files`` are what the server itself has just stored for it;
    no client fills them.
    """

    name: str  # report, register, dispatch, accept, finish, check_pass, close …
    case_id: str
    actor_id: str
    expected_version: int | None = None
    idempotency_key: str | None = None
    data: dict[str, JSON] = {}
    files: tuple[EvidenceRef, ...] = ()


class Actor(Record, frozen=True):
    """Who acts: a person with roles in a department, or ``system``.

    Roles: admin, operator, dispatcher, staff, inspector, grid_worker, manager, drone, viewer, system.
    """

    user_id: str
    name: str
    roles: tuple[str, ...]
    department_id: str | None = None
    division_code: str | None = None


SYSTEM = Actor(user_id="system", name="Yiwang", roles=("system",))


class CaseChanged(Record, frozen=True):
    """Announcement on the CASE stream that a case moved; consumers re-read what they need."""

    case_id: str
    number: str
    version: int
    stage: str
    state: str
    command: str
    severity: Severity
    class_code: str
    title: str
    changed_at: datetime
    department_ids: tuple[str, ...] = ()
    location: GeoPoint | None = None
    site_id: str | None = None
    confidential: bool = False  # then title, class and place are not told


class DeviceCommand(Record, frozen=True):
    """A command to a device (request on ``cmd.<source>``)."""

    command_id: str
    device_id: str
    name: Literal["duty_check", "clock_sync", "restart", "query_now"]
    requested_by: str
    requested_at: datetime
    timeout_s: float = 30.0
    params: dict[str, JSON] = {}


class DeviceCommandResult(Record, frozen=True):
    """Answer to a :class:`DeviceCommand`."""

    command_id: str
    ok: bool
    detail: str
    finished_at: datetime
    data: dict[str, JSON] = {}


class LookRequest(Record, frozen=True):
    """ "Look again": is the condition still there? (request on ``look.<camera_id>``)."""

    camera_id: str
    kind: str  # the algorithm that opened the case
    zone: str | None = None
    requested_at: datetime | None = None


class LookAnswer(Record, frozen=True):
    """What the camera sees now; ``clear`` None when it could not judge (with ``detail`` why)."""

    camera_id: str
    kind: str
    clear: bool | None
    detail: str
    seen_at: datetime
    evidence: tuple[EvidenceRef, ...] = ()


R = TypeVar("R", bound=Record)
_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    """The record as JSON bytes."""
    return _encoder.encode(record)


def encode_many(records: Sequence[Record]) -> bytes:
    """Several records as one JSON array: a stream message may carry a single record or such an array."""
    return _encoder.encode(records)


def decode_many(kind: type[R], data: bytes) -> list[R]:
    """The record or the records that a stream message holds; :class:`RecordError` names what is wrong."""
    if not data.startswith(b"["):
        return [decode(kind, data)]
    try:
        return msgspec.json.decode(data, type=list[kind])  # type: ignore[valid-type]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(record=kind.__name__, detail=str(error)) from error


def parts_of(data: bytes) -> list[bytes]:
    """The payload of each record of a stream message, unread; the whole where it is no array."""
    if data.startswith(b"["):
        try:
            return [bytes(part) for part in msgspec.json.decode(data, type=list[msgspec.Raw])]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return [data]
    return [data]


def decode(kind: type[R], data: bytes | str) -> R:
    """The record of type ``kind`` that ``data`` holds; :class:`RecordError` names what is wrong."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(record=kind.__name__, detail=str(error)) from error
