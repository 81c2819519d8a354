"""The library of route files that controllers read and write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class Wayline(Base):
    """A route file (KMZ); its name is there once, as controllers ask."""

    __tablename__ = "drone_wayline"
    wayline_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    drone_model_key: Mapped[str] = mapped_column(String(24), default="")
    payload_model_keys: Mapped[list[Any]] = mapped_column(default=list)
    template_types: Mapped[list[Any]] = mapped_column(default=list)
    favorited: Mapped[bool] = mapped_column(default=False)
    user_name: Mapped[str] = mapped_column(String(80), default="")
    updated_at: Mapped[datetime] = mapped_column(index=True)
