"""Readings: raw values stored once, and their roll-ups."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class ReadingRow(Base):
    """One value of a device; ``reading_id`` comes from the edge, so a re-sent value is the same row.

    Numbers and booleans stand in ``value`` (true 1.0), everything else in ``text``.
    """

    __tablename__ = "reading"
    reading_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    source: Mapped[str] = mapped_column(String(24))
    device_id: Mapped[str] = mapped_column(String(120))
    quantity: Mapped[str] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(60), default="")
    observed_at: Mapped[datetime]
    received_at: Mapped[datetime]
    value: Mapped[float | None] = mapped_column(Float(53))
    text: Mapped[str | None] = mapped_column(String(400))
    unit: Mapped[str] = mapped_column(String(16), default="")
    quality: Mapped[str] = mapped_column(String(16), default="good")
    site_id: Mapped[str | None] = mapped_column(String(40))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    __table_args__ = (Index("ix_reading_series", "device_id", "quantity", "channel", "observed_at"),)


class ReadingRollup(Base):
    """Good numeric readings of one bucket; ``step_s`` is 300, 3600 or 86400, ``bucket`` its start (unix s).

    Days begin at midnight in China (UTC+8).  ``dirty`` marks a 5-minute bucket whose hour and day
    still have to be computed again; a late reading sets it again.
    """

    __tablename__ = "reading_rollup"
    device_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    quantity: Mapped[str] = mapped_column(String(60), primary_key=True)
    channel: Mapped[str] = mapped_column(String(60), primary_key=True)
    step_s: Mapped[int] = mapped_column(Integer, primary_key=True)
    bucket: Mapped[int] = mapped_column(Integer, primary_key=True)
    count: Mapped[int]
    total: Mapped[float] = mapped_column(Float(53))
    minimum: Mapped[float] = mapped_column(Float(53))
    maximum: Mapped[float] = mapped_column(Float(53))
    first_at: Mapped[float] = mapped_column(Float(53))  # unix s
    first_value: Mapped[float] = mapped_column(Float(53))
    last_at: Mapped[float] = mapped_column(Float(53))
    last_value: Mapped[float] = mapped_column(Float(53))
    dirty: Mapped[bool] = mapped_column(default=False)


Index(
    "ix_reading_rollup_dirty",
    ReadingRollup.device_id,
    ReadingRollup.quantity,
    sqlite_where=text("dirty"),
    postgresql_where=text("dirty"),
)
