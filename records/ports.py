"""What records need of others, as Protocols that the wiring fills: the audit chain, cases, notices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session


class Audit(Protocol):
    """Writes a link of the hash-chained audit log in the caller's transaction."""

    def append(self, session: Session, at: datetime, actor_id: str, action: str, body: Mapping[str, Any]) -> None: ...


class OpenCase(Protocol):
    """Opens a case (a late filing, an overdue visit, a benefit that falls due); answers its id."""

    def open(self, session: Session, kind: str, title: str, subject_id: str, body: Mapping[str, Any]) -> str: ...


class NoAudit:
    """For tools and benchmarks without a chain; pages and API never use it."""

    def append(self, session: Session, at: datetime, actor_id: str, action: str, body: Mapping[str, Any]) -> None:
        """Nothing is kept."""
