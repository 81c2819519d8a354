"""Which grid cell and division a place lies in, from the registry's geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.late import Late
from core.records import GeoPoint
from storage.tables.registry import Division, GridCell

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")


def locate(session: Session, point: GeoPoint) -> tuple[str | None, str | None]:
    """``(division code, grid cell code)`` of a WGS-84 point; None where the registry has nothing there."""
    place = shapely.Point(point.lon, point.lat)
    cells = session.execute(
        select(GridCell.code, GridCell.community_code, GridCell.geometry).where(
            GridCell.min_lon <= point.lon,
            GridCell.max_lon >= point.lon,
            GridCell.min_lat <= point.lat,
            GridCell.max_lat >= point.lat,
        )
    )
    for cell in cells:
        if shapely.from_wkb(cell.geometry).intersects(place):
            return cell.community_code, cell.code
    rows = session.execute(
        select(Division.code, Division.geometry)
        .where(Division.geometry.is_not(None))
        .order_by(func.length(Division.code).desc())
    )
    for row in rows:
        if shapely.from_wkb(row.geometry).intersects(place):
            return row.code, None
    return None, None
