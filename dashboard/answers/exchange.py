"""Answers about connections to other platforms."""

from __future__ import annotations

from datetime import datetime
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
