"""The district's divisions as the registers' checks and generators need them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables.registry import Division


def division_names(session: Session) -> dict[str, str]:
    """Code → name of every division."""
    return dict(session.execute(select(Division.code, Division.name)).tuples().all())


def communities(session: Session) -> list[tuple[str, float, float]]:
    """``(code, lon, lat)`` of every community that has a place."""
    rows = session.execute(
        select(Division.code, Division.lon, Division.lat).where(Division.level == "community").order_by(Division.code)
    ).tuples()
    return [(code, lon, lat) for code, lon, lat in rows if lon is not None and lat is not None]


def parents(session: Session) -> Mapping[str, str]:
    """Code → the division above."""
    rows = session.execute(select(Division.code, Division.parent_code)).tuples()
    return {code: parent for code, parent in rows if parent}
