"""What keeps the installation itself running."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class HealthProbe(Base):
    """A row that a process writes every few seconds, to learn whether the database takes writes."""

    __tablename__ = "health_probe"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
