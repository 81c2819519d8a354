"""Exams by version, attempts at them, tours that a person has seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import people  # noqa: F401 - foreign keys point there


class ExamVersion(Base):
    """An exam as it was from this version on; the highest is in force.  ``source``: shipped, file:NAME, browser."""

    __tablename__ = "exam_version"
    exam_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(String(80))
    closed: Mapped[bool] = mapped_column(default=False)
    taken_at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(40))


class ExamAttempt(Base):
    """One person's attempt.  ``questions``: what was drawn, in order; ``ended_at`` empty while it runs.

    What was saved until ``until`` counts (empty: no limit).
    """

    __tablename__ = "exam_attempt"
    attempt_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    exam_id: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    questions: Mapped[list[Any]]
    answers: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    points: Mapped[float] = mapped_column(Float, default=0.0)
    out_of: Mapped[float] = mapped_column(Float, default=0.0)
    percent: Mapped[float] = mapped_column(Float, default=0.0)
    passed: Mapped[bool] = mapped_column(default=False)
    lines: Mapped[list[Any]]
    __table_args__ = (Index("ix_exam_attempt_exam_user", "exam_id", "user_id"),)


class TourSeen(Base):
    """A person has seen (or skipped) a guided tour as it was then; a changed tour is offered again."""

    __tablename__ = "tour_seen"
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    tour_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    digest: Mapped[str] = mapped_column(String(16))
    skipped: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
