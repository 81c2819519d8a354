"""What the city has: divisions, grid cells, departments, sites, cameras, devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class Division(Base):
    """An administrative division: district (6 digits), street or town (9), community or village (12)."""

    __tablename__ = "division"
    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str | None] = mapped_column(String(120))
    level: Mapped[str] = mapped_column(String(16))  # district, street, community
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"), index=True)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    geometry: Mapped[bytes | None] = mapped_column(LargeBinary)  # WKB, WGS-84
    source: Mapped[str] = mapped_column(String(200), default="")


class GridCell(Base):
    """A 单元网格: 12-digit community code + 3-digit cell number (GB/T 30428.1)."""

    __tablename__ = "grid_cell"
    code: Mapped[str] = mapped_column(String(15), primary_key=True)
    community_code: Mapped[str] = mapped_column(ForeignKey("division.code"), index=True)
    lon: Mapped[float]
    lat: Mapped[float]
    min_lon: Mapped[float]
    min_lat: Mapped[float]
    max_lon: Mapped[float]
    max_lat: Mapped[float]
    geometry: Mapped[bytes] = mapped_column(LargeBinary)  # WKB, WGS-84
    source: Mapped[str] = mapped_column(String(40), default="generated")
    __table_args__ = (Index("ix_grid_cell_box", "min_lon", "max_lon", "min_lat", "max_lat"),)


class Department(Base):
    """A department or unit that handles cases."""

    __tablename__ = "department"
    department_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120), default="")
    kind: Mapped[str] = mapped_column(String(24), default="bureau")  # bureau, street, centre, company
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("department.department_id"))
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    phone: Mapped[str] = mapped_column(String(40), default="")


class Site(Base):
    """A place that is watched: key fire site, fuel station, waterlogging point, warehouse."""

    __tablename__ = "site"
    site_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(160), default="")
    kind: Mapped[str] = mapped_column(String(24), index=True)
    lon: Mapped[float]
    lat: Mapped[float]
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"), index=True)
    grid_code: Mapped[str | None] = mapped_column(String(15))
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.department_id"))
    address: Mapped[str] = mapped_column(String(200), default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(String(40), default="")


class Camera(Base):
    """A camera; ``algorithms`` and ``zones`` hold lists of AlgorithmConfig and Zone as JSON."""

    __tablename__ = "camera"
    camera_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str | None] = mapped_column(String(160))
    category: Mapped[str] = mapped_column(String(24), index=True)
    site_id: Mapped[str | None] = mapped_column(ForeignKey("site.site_id"), index=True)
    url: Mapped[str] = mapped_column(String(800), default="")  # sealed where it holds a secret
    sub_url: Mapped[str] = mapped_column(String(800), default="")
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"), index=True)
    grid_code: Mapped[str | None] = mapped_column(String(15))
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.department_id"))
    analysis_fps: Mapped[float] = mapped_column(default=2.0)
    priority: Mapped[int] = mapped_column(default=5)
    algorithms: Mapped[list[Any]] = mapped_column(default=list)
    zones: Mapped[list[Any]] = mapped_column(default=list)
    calibration: Mapped[dict[str, Any]] = mapped_column(default=dict)
    enabled: Mapped[bool] = mapped_column(default=True)  # analysed continuously; patrol cameras are False
    risk: Mapped[float] = mapped_column(default=0.5)  # order of the patrol, 1 first
    revision: Mapped[int] = mapped_column(default=1, index=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(String(40), default="")


class CameraTemplate(Base):
    """Algorithms under a name, given to many cameras at once; ``algorithms`` as a camera has them."""

    __tablename__ = "camera_template"
    template_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120), default="")
    algorithms: Mapped[list[Any]] = mapped_column(default=list)
    made_by: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)


class Device(Base):
    """A sensor, panel, gauge, vehicle terminal or gateway."""

    __tablename__ = "device"
    device_id: Mapped[str] = mapped_column(String(120), primary_key=True)  # "<source>:<address>"
    source: Mapped[str] = mapped_column(String(24), index=True)
    address: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(120), default="")
    name_en: Mapped[str | None] = mapped_column(String(160))
    device_type: Mapped[str] = mapped_column(String(40), default="")
    status: Mapped[str] = mapped_column(String(12), default="quarantine", index=True)
    site_id: Mapped[str | None] = mapped_column(ForeignKey("site.site_id"), index=True)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    coord_sys: Mapped[str] = mapped_column(String(8), default="wgs84")
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.department_id"))
    expected_interval_s: Mapped[float | None]
    calibration: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ranges: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    first_seen_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None] = mapped_column(String(40))
    accepted_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1, index=True)


class DeviceHealth(Base):
    """What a device's health was from ``since`` on; the newest row of a device is its health now.

    ``state``: online, silent, flapping, clock_off, stuck, out_of_range, signal_bad.
    """

    __tablename__ = "device_health"
    device_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(String(200), default="")


class DeviceCommandLog(Base):
    """A command sent to a device, who wanted it and what came of it; ``ok`` None while it is under way."""

    __tablename__ = "device_command"
    command_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(24))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    requested_by: Mapped[str] = mapped_column(String(40))
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    ok: Mapped[bool | None]
    detail: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    __table_args__ = (Index("ix_device_command_device", "device_id", "requested_at"),)
