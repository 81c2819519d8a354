"""Video walls of people, tours of cameras, and who looked at which camera when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class VideoLayout(Base):
    """What a person had on the tiles under a name: ``{"tiles": 4|9|16, "cameras": [id or ""]}``."""

    __tablename__ = "video_layout"
    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    body: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]


class VideoTour(Base):
    """A tour (巡游): cameras by list, or all of a category, one after the other.

    ``body``: ``{"cameras": [id], "road": "", "within_m": 40, "category": "", "dwell_s": 10, "stop_at_findings": true,
    "schedule": {"days": [1…7], "times": ["HH:MM"]}}``.
    """

    __tablename__ = "video_tour"
    tour_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    body: Mapped[dict[str, Any]]
    made_by: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[datetime]


class VideoTourRun(Base):
    """A tour that somebody ran: ``seen`` camera ids, ``found`` ``[{"camera_id", "case_id", "outcome", "at"}]``."""

    __tablename__ = "video_tour_run"
    run_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    tour_id: Mapped[str] = mapped_column(String(26))
    tour_name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[str] = mapped_column(String(40))
    planned_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    stops: Mapped[int] = mapped_column(default=0)
    seen: Mapped[list[Any]] = mapped_column(default=list)
    found: Mapped[list[Any]] = mapped_column(default=list)
    __table_args__ = (
        Index("ix_video_tour_run_started_at", "started_at"),
        Index("ix_video_tour_run_tour_id", "tour_id", "started_at"),
    )


class VideoView(Base):
    """A person looked at a camera: live video with its length, or stills (one row for ten minutes of them)."""

    __tablename__ = "video_view"
    view_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40))
    camera_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(8))  # live, still
    tour_id: Mapped[str] = mapped_column(String(26), default="")
    at: Mapped[datetime]
    seconds: Mapped[float | None] = mapped_column(Float(53))
    __table_args__ = (
        Index("ix_video_view_camera_at", "camera_id", "at"),
        Index("ix_video_view_user_at", "user_id", "at"),
    )
