"""Drills started in the browser, and what people decided in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import people  # noqa: F401 - foreign keys point there


class DrillRun(Base):
    """A drill started in the browser.  ``state``: running, done, failed, stopped; ``report`` as the drill told it."""

    __tablename__ = "drill_run"
    drill_id: Mapped[str] = mapped_column(String(24), primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    since: Mapped[datetime]
    until: Mapped[datetime]
    speed: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(40))
    ended_at: Mapped[datetime | None]
    told: Mapped[str] = mapped_column(String(300), default="")
    report: Mapped[dict[str, Any]]


class DrillAnswer(Base):
    """What a person decided about a case of a drill, when it was shown and answered, and what would have been right."""

    __tablename__ = "drill_answer"
    drill_id: Mapped[str] = mapped_column(ForeignKey("drill_run.drill_id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    shown_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    department_id: Mapped[str] = mapped_column(String(40), default="")
    false_alarm: Mapped[bool] = mapped_column(default=False)
    right_department: Mapped[str] = mapped_column(String(40), default="")
    right_false_alarm: Mapped[bool] = mapped_column(default=False)
    severity: Mapped[int]
    points: Mapped[float] = mapped_column(Float, default=0.0)
