"""People in the field: who is on duty, and where, as long as they agree."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import people  # noqa: F401 - foreign keys point there


class DutyStatus(Base):
    """Whether a person is on duty now; ``consent``: agrees that the place is shared meanwhile."""

    __tablename__ = "duty_status"
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    on_duty: Mapped[bool] = mapped_column(default=False)
    consent: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]


class UserPosition(Base):
    """Where a person on duty was; rows older than the retention are deleted."""

    __tablename__ = "user_position"
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    lon: Mapped[float]
    lat: Mapped[float]
    accuracy_m: Mapped[float | None]
