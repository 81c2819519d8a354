"""Flights of drones, the files that they brought, what was found in pictures, what people said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class DroneFlight(Base):
    """One aircraft's files of one day from one folder; ``flight_id`` follows from the three."""

    __tablename__ = "drone_flight"
    flight_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    aircraft: Mapped[str] = mapped_column(String(80), default="")
    owner: Mapped[str] = mapped_column(String(80), index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)


class DroneFile(Base):
    """A picture, film or telemetry track.  ``sha256`` is there once: the same file is never kept twice.

    ``place``: ``{corners, centre, height_m, gsd_cm, uncertainty_m, ellipse, method}``, empty without one;
    ``centre_lon`` and ``centre_lat`` repeat it for searching.
    ``placed_by``: "" (by its own tags) or who placed it by hand.
    """

    __tablename__ = "drone_file"
    file_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    flight_id: Mapped[str] = mapped_column(ForeignKey("drone_flight.flight_id"), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(12), default="")
    media_type: Mapped[str] = mapped_column(String(80), default="")
    uri: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    camera: Mapped[str] = mapped_column(String(80), default="")
    taken_at: Mapped[datetime | None] = mapped_column(index=True)
    position: Mapped[list[Any]] = mapped_column(default=list)
    place: Mapped[dict[str, Any]] = mapped_column(default=dict)
    centre_lon: Mapped[float | None] = mapped_column(index=True)
    centre_lat: Mapped[float | None]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    placed_by: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(index=True)


class AerialLook(Base):
    """A picture that was looked at; ``problem``: why it could not be.  ``reviewed_by``: who said that its boxes are
    complete, so that it may measure a model."""

    __tablename__ = "aerial_look"
    file_id: Mapped[str] = mapped_column(ForeignKey("drone_file.file_id"), primary_key=True)
    looked_at: Mapped[datetime]
    seconds: Mapped[float] = mapped_column(default=0.0)
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(300), default="")
    reviewed_by: Mapped[str] = mapped_column(String(80), default="")
    reviewed_at: Mapped[datetime | None]


class AerialFinding(Base):
    """One box in one picture.  ``box``: x1, y1, x2, y2 as shares of the picture; ``thing_id``: the first finding of the
    same thing in overlapping pictures; ``state``: found, confirmed, rejected, added (by a person)."""

    __tablename__ = "aerial_finding"
    finding_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    flight_id: Mapped[str] = mapped_column(ForeignKey("drone_flight.flight_id"), index=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("drone_file.file_id"), index=True)
    thing_id: Mapped[str] = mapped_column(String(26), index=True)
    name: Mapped[str] = mapped_column(String(24))
    box: Mapped[list[Any]] = mapped_column(default=list)
    confidence: Mapped[float] = mapped_column(default=1.0)
    model: Mapped[str] = mapped_column(String(60), default="")
    model_sha256: Mapped[str] = mapped_column(String(64), default="")
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    uncertainty_m: Mapped[float | None]
    state: Mapped[str] = mapped_column(String(12), default="found", index=True)
    judged_by: Mapped[str] = mapped_column(String(80), default="")
    judged_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
