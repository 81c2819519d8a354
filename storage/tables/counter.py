"""Bundles (一件事) and the counter (一平台办理): linked items, sealed answers, queue and appointments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class ItemBundle(Base):
    """A life event: ``body`` lists its items and what each waits for.  ``state``: draft, published, withdrawn."""

    __tablename__ = "item_bundle"
    bundle_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    zh: Mapped[str] = mapped_column(String(120))
    en: Mapped[str] = mapped_column(String(160), default="")
    state: Mapped[str] = mapped_column(String(12), default="draft")
    body: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(String(80), default="")
    updated_by: Mapped[str] = mapped_column(String(40), default="system")
    updated_at: Mapped[datetime]


class ApplicationAnswers(Base):
    """What an applicant answered, encrypted; the case shows it masked.  ``bundle_id`` "" for a single item."""

    __tablename__ = "application_answers"
    case_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    bundle_id: Mapped[str] = mapped_column(String(40), default="")
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    taken_by: Mapped[str] = mapped_column(String(40))
    taken_at: Mapped[datetime]


class CounterTicket(Base):
    """A place in the queue of a day, or an appointment.  ``state``: booked, waiting, called, served, missed, cancelled.

    ``number``: letter and running number of the day; ``holder``: the masked name; ``slot``: the appointed time.
    """

    __tablename__ = "counter_ticket"
    ticket_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    day: Mapped[date]
    number: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(12), default="walk_in")
    slot: Mapped[str] = mapped_column(String(5), default="")
    item_id: Mapped[str] = mapped_column(String(26), default="")
    holder: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    window: Mapped[str] = mapped_column(String(12), default="")
    case_id: Mapped[str | None] = mapped_column(String(26))
    made_by: Mapped[str] = mapped_column(String(40), default="")
    made_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("day", "number"), Index("ix_counter_ticket_day", "day", "state"))
