"""Emergency plans (预案) and the duty roster."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import cases, people, registry  # noqa: F401 - foreign keys point there


class Plan(Base):
    """A plan: when it applies, and the tasks, people, warehouses and cameras it calls up.

    ``body``: ``{"applies_to": {...}, "tasks": [...], "people": [...], "warehouses": [...], "cameras": [...]}``,
    validated by :mod:`events.dispatching.emergency_plans`.
    """

    __tablename__ = "plan"
    plan_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(120))
    level: Mapped[int] = mapped_column(default=1)  # response level, I strongest … IV
    enabled: Mapped[bool] = mapped_column(default=True)
    body: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(40), default="")


class PlanRun(Base):
    """A plan put into force for a case; ``tasks`` are a copy, so that editing the plan changes no history."""

    __tablename__ = "plan_run"
    run_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    plan_id: Mapped[str] = mapped_column(String(40), index=True)
    plan_version: Mapped[int]
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(40))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(40))


class PlanTask(Base):
    """A task that a running plan gave to a department or person."""

    __tablename__ = "plan_task"
    task_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("plan_run.run_id"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    department_id: Mapped[str | None] = mapped_column(String(40), index=True)
    user_id: Mapped[str | None] = mapped_column(String(40), index=True)
    site_id: Mapped[str | None] = mapped_column(String(40))
    cameras: Mapped[list[Any]] = mapped_column(default=list)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12), default="open")  # open, accepted, done, cancelled
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")


class DutyShift(Base):
    """Who is on duty for a post from ``starts_at`` to ``ends_at``; a substitute stands beside, never instead."""

    __tablename__ = "duty_shift"
    shift_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    department_id: Mapped[str] = mapped_column(ForeignKey("department.department_id"), index=True)
    post: Mapped[str] = mapped_column(String(24), default="duty")  # duty, leader, dispatcher …
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    substitute_for: Mapped[str | None] = mapped_column(String(40))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    handed_over_at: Mapped[datetime | None]
    handed_over_to: Mapped[str | None] = mapped_column(String(40))
    handover_note: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("ix_duty_shift_when", "department_id", "starts_at", "ends_at"),)
