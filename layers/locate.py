"""Which community and which grid cell a point lies in: one tree for thousands of points."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from sqlalchemy import Engine, select

from storage.session import read_scope
from storage.tables.registry import Division, GridCell

Row = dict[str, Any]


class Locator:
    """Codes of the areas that hold a point."""

    def __init__(self, communities: list[tuple[str, bytes]], cells: list[tuple[str, bytes]]) -> None:
        self._communities = _Areas(communities)
        self._cells = _Areas(cells)

    @classmethod
    def of_rows(cls, divisions: list[Row], grid: list[Row], engine: Engine) -> Locator:
        """Areas of the folder, else those that stand in the database already."""
        communities = [(r["code"], r["geometry"]) for r in divisions if len(r["code"]) == 12 and r.get("geometry")]
        cells = [(r["code"], r["geometry"]) for r in grid]
        with read_scope(engine) as session:
            if not communities:
                found = session.execute(select(Division.code, Division.geometry).where(Division.level == "community"))
                communities = [(code, wkb) for code, wkb in found if wkb]
            if not cells:
                cells = [(code, wkb) for code, wkb in session.execute(select(GridCell.code, GridCell.geometry))]
        return cls(communities, cells)

    def fill(self, rows: list[Row]) -> None:
        """Set ``division_code`` and ``grid_code`` of rows with a place, where the file gave none."""
        placed = [r for r in rows if r.get("lon") is not None and r.get("lat") is not None]
        if not placed:
            return
        points = shapely.points([(r["lon"], r["lat"]) for r in placed])
        for row, community, cell in zip(
            placed, self._communities.codes(points), self._cells.codes(points), strict=True
        ):
            if not row.get("division_code"):
                row["division_code"] = community or ""
            row["grid_code"] = cell


class _Areas:
    def __init__(self, areas: list[tuple[str, bytes]]) -> None:
        self._codes = [code for code, _ in areas]
        self._tree = shapely.STRtree(shapely.from_wkb([wkb for _, wkb in areas]))

    def codes(self, points: Any) -> list[str | None]:
        """The area's code of each point, None where there is none."""
        found: list[str | None] = [None] * len(points)
        which, areas = self._tree.query(np.asarray(points), predicate="intersects")
        for point, area in zip(which, areas, strict=True):
            found[int(point)] = found[int(point)] or self._codes[int(area)]
        return found
