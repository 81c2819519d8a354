"""Missions of the drone team: who wants what seen, the plan, the permit, and what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import cases  # noqa: F401 - foreign keys point there


class DroneMission(Base):
    """A mission.  ``state``: requested, planned, flying, done, cancelled.

    ``area``: GeoJSON geometry in WGS 84.  ``plan``: as :mod:`dashboard.drones.planning` made it, {} before.
    ``verdict``: what the team saw of its case: clear, standing, unclear; "" before.  ``flights``: ids of flights whose
    pictures belong to it; ``pictures``: ids of files that answer.
    """

    __tablename__ = "drone_mission"
    mission_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(12), index=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    area: Mapped[dict[str, Any]] = mapped_column(default=dict)
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pilot: Mapped[str] = mapped_column(String(80), default="")
    aircraft: Mapped[str] = mapped_column(String(80), default="")
    permit: Mapped[str] = mapped_column(String(80), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    requested_by: Mapped[str] = mapped_column(String(80))
    requested_at: Mapped[datetime] = mapped_column(index=True)
    verdict: Mapped[str] = mapped_column(String(12), default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(80), default="")
    answered_at: Mapped[datetime | None]
    flights: Mapped[list[Any]] = mapped_column(default=list)
    pictures: Mapped[list[Any]] = mapped_column(default=list)
    version: Mapped[int] = mapped_column(default=1)


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
