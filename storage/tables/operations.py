"""What keeps the installation itself running."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class HealthProbe(Base):
    """A row that a process writes every few seconds, to learn whether the database takes writes."""

    __tablename__ = "health_probe"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]


class AuditAnchor(Base):
    """A signed line of anchored chain heads, as it stands in the anchor file too (events/evidence/anchor.py)."""

    __tablename__ = "audit_anchor"
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[str] = mapped_column(Text)
