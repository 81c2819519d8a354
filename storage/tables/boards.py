"""Boards as they were edited in the browser."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class BoardVersion(Base):
    """A board's YAML text as somebody saved it; the highest version is in force, an empty text takes it back."""

    __tablename__ = "board_version"
    board_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]
    saved_by: Mapped[str] = mapped_column(String(40))


class CheckFinding(Base):
    """What a check found and did: one row for each row or group found, so that it is told once."""

    __tablename__ = "check_finding"
    check_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    found_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    case_id: Mapped[str | None] = mapped_column(String(26))
    detail: Mapped[str] = mapped_column(String(400), default="")
