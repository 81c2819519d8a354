"""What records need of others, as Protocols that the wiring fills: the audit chain, cases, notices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session


class Audit(Protocol):
    """Writes a link of the hash-chained audit log in the caller's transaction."""

    def append(self, session: Session, at: datetime, actor_id: str, action: str, body: Mapping[str, Any]) -> None: ...


class PayerCases(Protocol):
    """Cases of a benefit for the department that pays it, opened and ended in the caller's transaction."""

    def open(self, session: Session, title: str, department_id: str, body: Mapping[str, Any]) -> str:
        """Open a case with the fields ``body``; answers its id."""
        ...

    def end(self, session: Session, case_id: str, command: str, reason: str) -> None:
        """Give the open case ``command`` (``decline``, ``lapse``); nothing happens to one that has ended."""
        ...


class NoAudit:
    """For tools and benchmarks without a chain; pages and API never use it."""

    def append(self, session: Session, at: datetime, actor_id: str, action: str, body: Mapping[str, Any]) -> None:
        """Nothing is kept."""
