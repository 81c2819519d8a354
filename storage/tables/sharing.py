"""Sharing data sets: who asked for which, what was decided, and who fetched what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class ShareRequest(Base):
    """A wish for a data set.  State: open, granted, refused, ended; ``filters``: field → values of the rows."""

    __tablename__ = "share_request"
    request_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(String(40), index=True)
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    purpose: Mapped[str] = mapped_column(String(500))
    fields: Mapped[list[Any]]
    filters: Mapped[dict[str, Any]]
    until: Mapped[date | None]
    asked_by: Mapped[str] = mapped_column(String(40))
    department_id: Mapped[str] = mapped_column(String(40), default="")
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(500), default="")
    key_sha256: Mapped[str] = mapped_column(String(64), default="", index=True)


class ShareAccess(Base):
    """One fetch of shared rows: when, over which request, how many rows, from where."""

    __tablename__ = "share_access"
    access_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(26), index=True)
    dataset_id: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
    rows: Mapped[int]
    address: Mapped[str] = mapped_column(String(60), default="")
    outcome: Mapped[str] = mapped_column(String(24), default="ok")


class LineageRun(Base):
    """One run that moved data, kept as an OpenLineage job run: from ``given`` by ``job`` into ``target``."""

    __tablename__ = "lineage_run"
    run_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    job: Mapped[str] = mapped_column(String(80), index=True)
    namespace: Mapped[str] = mapped_column(String(24))
    given: Mapped[str] = mapped_column(String(200))
    target: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime] = mapped_column(index=True)
    rows: Mapped[int]
    error: Mapped[str] = mapped_column(String(500), default="")
