"""Device health with its history, and the log of commands to devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class DeviceHealth(Base):
    """What a device's health was from ``since`` on; the newest row of a device is its health now.

    ``state``: online, silent, flapping, clock_off, stuck, out_of_range, signal_bad.
    """

    __tablename__ = "device_health"
    device_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(String(200), default="")


class DeviceCommandLog(Base):
    """A command sent to a device, who wanted it and what came of it; ``ok`` None while it is under way."""

    __tablename__ = "device_command"
    command_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(24))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    requested_by: Mapped[str] = mapped_column(String(40))
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    ok: Mapped[bool | None]
    detail: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    __table_args__ = (Index("ix_device_command_device", "device_id", "requested_at"),)
