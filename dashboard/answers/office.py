"""Answers about the office: departments, divisions, dead letters, keys, channels, sources, health, classes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from dashboard.desk.city_files import CityFile


class DepartmentRow(TypedDict):
    """A department."""

    department_id: str
    name: str
    name_en: str
    kind: str
    parent_id: str | None
    division_code: str | None
    phone: str


class DepartmentList(TypedDict):
    """All departments."""

    items: list[DepartmentRow]
    next: None


class DivisionRow(TypedDict):
    """A division without its outline (GB/T 2260 and below)."""

    code: str
    name: str
    name_en: str | None
    level: str
    parent_code: str | None
    lon: float | None
    lat: float | None


class DivisionList(TypedDict):
    """Divisions by code."""

    items: list[DivisionRow]
    next: None


class DeadLetterRow(TypedDict):
    """A message that could not be processed."""

    dead_letter_id: str
    stream: str
    subject: str
    error: str
    deliveries: int
    happened_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    payload: str


class DeadLetterPage(TypedDict):
    """Dead letters, newest first."""

    items: list[DeadLetterRow]
    next: None


class KeyRow(TypedDict):
    """Another platform's key, never the key itself."""

    name: str
    login: str
    scope: str
    created_at: datetime
    revoked_at: datetime | None


class KeyList(TypedDict):
    """The keys of other platforms."""

    items: list[KeyRow]
    next: None


class NewKeyShown(TypedDict):
    """A key that is shown this once."""

    name: str
    scope: str
    key: str


class ChannelState(TypedDict):
    """How one receiver of notices gets on."""

    receiver: str
    topic: str
    name: str
    waiting: int
    held: int
    attempts: int
    given_up: int
    oldest: datetime | None
    last_at: datetime | None
    error: str


class ChannelStates(TypedDict):
    """The receivers of notices, the quiet hours, and what was left out of their files (as errors are answered)."""

    items: list[ChannelState]
    quiet_hours: dict[str, Any]
    problems: list[dict[str, Any]]
    next: None


class SourceRow(TypedDict):
    """What a source took in and refused."""

    source: str
    messages: int
    refused: int
    errors: dict[str, Any]
    connections: int
    last_at: str | None
    events: dict[str, Any]


class SourceList(TypedDict):
    """The sources of devices."""

    items: list[SourceRow]
    next: None


class ClassLine(TypedDict):
    """A line of the class table with its limit; of the 2007 codes only code, name and the equal of 2013."""

    standard_id: NotRequired[str]
    class_code: NotRequired[str]
    own: NotRequired[bool]
    class_version: NotRequired[str]
    kind: NotRequired[str]
    big_code: NotRequired[str]
    big_name: NotRequired[str]
    small_code: NotRequired[str]
    small_name: NotRequired[str]
    condition: NotRequired[str]
    limit_value: NotRequired[float | None]
    limit_unit: NotRequired[str | None]
    close_condition: NotRequired[str]
    local_extension: NotRequired[bool]
    source: NotRequired[str]
    enabled: NotRequired[bool]
    code: NotRequired[str]
    name: NotRequired[str]
    code_2013: NotRequired[str | None]


class ClassTable(TypedDict):
    """The classes in force."""

    items: list[ClassLine]
    next: None


class AuditLink(TypedDict):
    """A link of a hash chain: what was done, by whom, and the hash of the link before."""

    chain_id: str
    seq: int
    at: str
    actor_id: str
    actor_name: str
    action: str
    body: dict[str, Any]
    prev_hash: str
    hash: str


class AuditPage(TypedDict):
    """Links, newest first; ``next``: the number to ask before."""

    items: list[AuditLink]
    next: int | None


class CityFileList(TypedDict):
    """Files of the city by folder and name."""

    items: list[CityFile]
    next: None
