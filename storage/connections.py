"""Connections: rows → records for the processes that carry them."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.exchange import ConnectionConfig
from storage.tables.exchange import Connection, ConnectionVersion


def connection_config(row: Connection, body: dict[str, Any]) -> ConnectionConfig:
    """The record of a connection's row and of its version in force."""
    return ConnectionConfig(
        connection_id=row.connection_id,
        kind=row.kind,
        name=row.name,
        direction=row.direction,  # type: ignore[arg-type]  # the column holds only the four words
        enabled=row.enabled,
        version=row.version,
        revision=row.revision,
        params=body.get("params") or {},
        mapping=body.get("mapping") or {},
        interval_s=float(body.get("interval_s") or 60.0),
        sealed=base64.b64encode(row.sealed).decode() if row.sealed else "",
        key_sha256=row.key_sha256,
        account=row.account,
    )


def read_connections(session: Session, direction: str | None = None) -> list[ConnectionConfig]:
    """Every connection that has a version, of one direction or of both."""
    query = (
        select(Connection, ConnectionVersion.body)
        .join(
            ConnectionVersion,
            (ConnectionVersion.connection_id == Connection.connection_id)
            & (ConnectionVersion.version == Connection.version),
        )
        .order_by(Connection.connection_id)
    )
    if direction:
        query = query.where(Connection.direction == direction)
    return [connection_config(row, body) for row, body in session.execute(query)]
