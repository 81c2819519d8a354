"""Connections to other platforms: what is connected, in which versions, and the orders that came over them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class Connection(Base):
    """One connection.  ``sealed``: its secrets, encrypted; ``revision`` grows with whatever changes."""

    __tablename__ = "connection"
    connection_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    direction: Mapped[str] = mapped_column(String(4), default="in")
    enabled: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_names: Mapped[list[Any]] = mapped_column(default=list)
    key_sha256: Mapped[str] = mapped_column(String(64), default="")
    account: Mapped[str] = mapped_column(String(40), default="")
    department_id: Mapped[str] = mapped_column(String(40), default="")
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(40), default="system")


class ConnectionVersion(Base):
    """What a connection was from this version on: ``{"params", "mapping", "interval_s"}``; never changed."""

    __tablename__ = "connection_version"
    connection_id: Mapped[str] = mapped_column(ForeignKey("connection.connection_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(String(200), default="")
    saved_at: Mapped[datetime]
    saved_by: Mapped[str] = mapped_column(String(40))


class ExchangeOrder(Base):
    """Another platform's order and the case it became; ``error`` says why it became none.

    ``state``: taken, refused.
    """

    __tablename__ = "exchange_order"
    connection_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    state: Mapped[str] = mapped_column(String(12))
    error: Mapped[str] = mapped_column(String(500), default="")
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    __table_args__ = (Index("ix_exchange_order_state", "state", "received_at"),)


class LicenceCheck(Base):
    """One verification of an e-licence: what was asked, what the platform told, the verdict (``problems``).

    The holder's number is asked with and never kept.
    """

    __tablename__ = "licence_check"
    check_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(120), index=True)
    connection_id: Mapped[str] = mapped_column(String(40), default="")
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    valid: Mapped[bool]
    problems: Mapped[list[Any]]
    name: Mapped[str] = mapped_column(String(200), default="")
    holder: Mapped[str] = mapped_column(String(200), default="")
    issuer: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12), default="")
    issued: Mapped[date | None]
    valid_until: Mapped[date | None]
    link: Mapped[str] = mapped_column(String(500), default="")
    checked_by: Mapped[str] = mapped_column(String(40))
    checked_at: Mapped[datetime] = mapped_column(index=True)


class SensorThingsRow(Base):
    """An entity that a SensorThings client created (OGC 18-088, clause 8.2); Things are devices and stand there.

    ``data``: the properties as sent, and by ``_`` names what links to one entity.  ``device_id``: whose it is, where it
    is one device's (Datastreams, HistoricalLocations, further properties of Observations).
    """

    __tablename__ = "sensorthings_entity"
    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    device_id: Mapped[str | None] = mapped_column(String(120), index=True)
    data: Mapped[dict[str, Any]]
    department_id: Mapped[str | None] = mapped_column(String(40))
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]


class SensorThingsLink(Base):
    """Two entities that hang together where each may have many: Location and Thing, Observation and feature."""

    __tablename__ = "sensorthings_link"
    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    to_kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    to_key: Mapped[str] = mapped_column(String(160), primary_key=True)
    __table_args__ = (Index("ix_sensorthings_link_to", "to_kind", "to_key"),)
