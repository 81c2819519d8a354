"""Answers about connections to other platforms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NotRequired, TypedDict


class ConnectionRow(TypedDict):
    """A connection; ``secrets`` are the names of those that are set, never their values."""

    connection_id: str
    name: str
    kind: str
    direction: str
    enabled: bool
    version: int
    secrets: list[str]
    has_key: bool
    account: str
    department_id: str
    updated_at: datetime
    updated_by: str
    orders_refused: NotRequired[int]
    orders_taken: NotRequired[int]
    live: NotRequired[dict[str, Any]]


class ConnectionList(TypedDict):
    """All connections with what they last did, and the kinds there are."""

    items: list[ConnectionRow]
    kinds: list[dict[str, Any]]
    next: None


class ConnectionDetail(ConnectionRow):
    """One connection: its version in force, all versions, orders with errors, runs and last refusals."""

    params: NotRequired[dict[str, Any]]
    mapping: NotRequired[dict[str, Any]]
    interval_s: NotRequired[float]
    versions: NotRequired[list[dict[str, Any]]]
    orders_with_errors: NotRequired[list[dict[str, Any]]]
    deliveries: NotRequired[list[dict[str, Any]]]


class ConnectionTest(TypedDict):
    """What the sender answered, or why it did not."""

    ok: bool
    detail: str
    sample: Any
    items: int
    seconds: float


class ConnectionTrial(TypedDict):
    """What a mapping makes of a sample."""

    items: int
    readings: list[dict[str, Any]]
    events: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    refused: list[dict[str, Any]]


class ConnectionKey(TypedDict):
    """A key, shown this once, and where its sender posts to."""

    connection_id: str
    key: str
    path: str


class LicenceChecked(TypedDict):
    """A verified licence: ``valid``, or why not (``problems``); what the platform told; who asked when."""

    check_id: str
    identifier: str
    connection_id: str
    case_id: str | None
    valid: bool
    problems: list[str]
    name: str
    holder: str
    issuer: str
    state: str
    issued: date | None
    valid_until: date | None
    link: str
    checked_by: str
    checked_at: datetime


class LicenceCheckList(TypedDict):
    """The last verifications."""

    items: list[LicenceChecked]
    next: None


class EntryRow(TypedDict):
    """An entry to another platform; ``sign_on``: none, oidc or ticket."""

    entry_id: str
    title: str
    group: str
    sign_on: str
    path: str


class EntryList(TypedDict):
    """The entries that the person finds."""

    items: list[EntryRow]
    next: None
