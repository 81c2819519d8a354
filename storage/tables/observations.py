"""Observations, rules and their state, nightly reports of those who see, and what could not be processed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class ObservationRow(Base):
    """An observation as it came; ``body`` is the whole record."""

    __tablename__ = "observation"
    observation_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8))
    source_type: Mapped[str] = mapped_column(String(12))
    source_id: Mapped[str] = mapped_column(String(120))
    site_id: Mapped[str | None] = mapped_column(String(40))
    observed_at: Mapped[datetime] = mapped_column(index=True)
    received_at: Mapped[datetime]
    stored_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    __table_args__ = (
        Index("ix_observation_source", "source_id", "observed_at"),
        Index("ix_observation_kind", "kind", "observed_at"),
    )


class Rule(Base):
    """A configured rule: plug-in kind, the observation kinds it wants, parameters."""

    __tablename__ = "rule"
    rule_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    applies_to: Mapped[list[Any]]  # observation kinds
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    draft: Mapped[dict[str, Any]] = mapped_column(default=dict)  # class code, title, severity of what it opens
    enabled: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(40), default="")


class RuleState(Base):
    """A rule's memory for one key (source, site …): hysteresis, windows."""

    __tablename__ = "rule_state"
    rule_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    state_key: Mapped[str] = mapped_column(String(160), primary_key=True)
    body: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class DeadLetter(Base):
    """A message that was delivered ``max_deliver`` times in vain, or could not be read at all."""

    __tablename__ = "dead_letter"
    dead_letter_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    stream: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(250))
    payload: Mapped[str] = mapped_column(Text)
    error: Mapped[str] = mapped_column(Text)
    deliveries: Mapped[int]
    happened_at: Mapped[datetime] = mapped_column(index=True)
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(40))


class FieldReport(Base):
    """One camera's algorithm as it stood on the morning of ``night`` (Beijing): a line of
    :func:`events.learning.report.lines`."""

    __tablename__ = "field_report"
    night: Mapped[date] = mapped_column(primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[dict[str, Any]]
