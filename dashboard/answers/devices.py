"""Answers about devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class DeviceRow(TypedDict):
    """A device with its newest values (units by quantity, docs/protocols.md)."""

    device_id: str
    source: str
    address: str
    name: str
    device_type: str
    status: str
    site_id: str | None
    site_name: str | None
    lon: float | None
    lat: float | None
    department_id: str | None
    department_name: str | None
    expected_interval_s: float | None
    first_seen_at: datetime | None
    state: str
    reason: str
    since: str | None
    heard_at: str | None
    values: dict[str, Any]
    standing: list[Any]
    refused_count: int
    location: dict[str, Any] | None
    revision: int


class DevicePage(TypedDict):
    """A page of devices; ``next``: the offset of the next one."""

    items: list[DeviceRow]
    total: int
    next: int | None


class DeviceDetail(DeviceRow):
    """One device with registration, what it refused, health and commands; ``rain_sums_mm`` of rain gauges."""

    name_en: str | None
    calibration: dict[str, Any]
    ranges: dict[str, Any]
    attributes: dict[str, Any]
    own_credential: bool
    refused: dict[str, Any]
    coord_sys: str
    accepted_by: str | None
    accepted_at: datetime | None
    latest: NotRequired[list[Any]]
    health_history: NotRequired[list[Any]]
    commands: NotRequired[list[Any]]
    rain_sums_mm: NotRequired[dict[str, float]]


class DeviceSeries(TypedDict):
    """A series of one quantity, and which quantities there are."""

    device_id: str
    quantity: str
    quantities: list[str]
    points: list[Any]


class DeviceCredential(TypedDict):
    """A user and password of the device's own, shown this once, and the topics it may use."""

    device: str
    user: str
    password: str
    client_ids: list[str]
    topics: list[str]


class CredentialGone(TypedDict):
    """The device has no credential of its own any more."""

    device_id: str
    own_credential: bool


class SourceRefusals(TypedDict):
    """What one source refused: counts by code and the last messages."""

    source: str
    events: dict[str, Any] | None
    refused: dict[str, Any]
    last_refused: list[dict[str, Any]]


class RefusalList(TypedDict):
    """What the sources refused."""

    items: list[SourceRefusals]
