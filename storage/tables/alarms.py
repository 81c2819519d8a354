"""Alarms of the command centre: who acknowledged that a case was new, or had risen, to a severity that rings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import cases  # noqa: F401 - foreign keys point there


class AlarmAcknowledgement(Base):
    """One acknowledgement by name.  ``raised_seq`` is the transition with which the case came to ``severity``: a case
    that rises again rings again."""

    __tablename__ = "alarm_acknowledgement"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), primary_key=True)
    raised_seq: Mapped[int] = mapped_column(primary_key=True)
    severity: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    waited_s: Mapped[float] = mapped_column(Float(53))  # from the rise to the acknowledgement
