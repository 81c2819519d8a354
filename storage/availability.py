"""Is the database there and does it take writes?  What its errors mean, and a probe that writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import StorageBusy, StorageFull, YiwangError
from storage.session import session_scope
from storage.tables.operations import HealthProbe

RETRY_AFTER_S = 3
_LOCKED = ("locked", "busy")
_NO_ROOM = ("disk is full", "no space left", "could not extend file", "disk full", "quota exceeded")
_READ_ONLY = ("readonly", "read-only")
_AWAY = ("unable to open", "disk i/o")


def trouble(error: BaseException) -> str:
    """Why the database cannot be used now: ``locked``, ``full``, ``readonly``, ``away``; "" when the input is to blame.

    SQLite and PostgreSQL (its class 53 "insufficient resources", 57P "operator intervention", read-only standby).
    """
    if isinstance(error, PoolTimeout):
        return "away"
    if not isinstance(error, DBAPIError):
        return ""
    said = str(error.orig).lower()
    for word, signs in (("full", _NO_ROOM), ("readonly", _READ_ONLY)):
        if any(sign in said for sign in signs):
            return word
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return "away"
    if not isinstance(error, OperationalError):
        return ""
    if any(sign in said for sign in _LOCKED):
        return "locked"
    if type(error.orig).__module__.startswith("sqlite3"):
        return "away" if any(sign in said for sign in _AWAY) else ""
    return "away"


def is_away(error: BaseException) -> bool:
    """Whether ``error`` says that the database cannot be reached or written now, rather than that the input is bad."""
    return bool(trouble(error))


def as_typed(error: BaseException) -> YiwangError | None:
    """The typed error that a client is told, None when ``error`` is no such trouble."""
    word = trouble(error)
    if not word:
        return None
    if word == "full":
        return StorageFull(detail="the database's disk is full")
    said = {"locked": "the database is locked by another writer", "readonly": "the database takes no writes"}
    return StorageBusy(detail=said.get(word, "the database does not answer"), retry_after_s=RETRY_AFTER_S)


def try_write(engine: Engine, name: str, now: datetime) -> str:
    """Write the row ``name`` of ``health_probe``; ``ok``, else what :func:`trouble` says."""
    try:
        with session_scope(engine) as session:
            row = session.get(HealthProbe, name)
            if row is None:
                session.add(HealthProbe(name=name, at=now))
            else:
                row.at = now
    except Exception as error:  # noqa: BLE001 - a probe: whatever it is, the database is not well
        return trouble(error) or "failed"
    return "ok"
