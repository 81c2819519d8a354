"""Registers on the map: a building with its floors and households by right, counts a grid cell, records in a box.

People are never points: whoever may not read a register sees, at the centre, counts a cell alone, and a count below
:data:`FEW` is not told (the limit is ours; no standard was found that sets one).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from dashboard.registers.desk import RegisterDesk
from records.registers.access import DIVISION_ROLES, may_read, visible_records
from records.registers.definition import Register, shipped_registers
from records.registers.search import below
from records.registers.storing import values_of
from records.registers.visits import counts_per_cell
from storage.session import read_scope
from storage.tables.records import RegisterRecord
from storage.tables.registry import GridCell

FEW = 5
COUNTED = ("person", "household", "enterprise", "special_place")  # registers that are shown as counts a cell
CENTRE = frozenset({"admin", "manager", "operator", "dispatcher"})
NEAR_M = 40.0  # a registered building this near to the click is taken for the one that is drawn there
MOST_SHOWN = 400
MOST_CELLS = 900  # of a map filter
_SHADES = (1, 50, 200, 500, 1000)
_COLOURS = {
    "night": ("#123a52", "#1b6086", "#2a8fbd", "#5cc4e8", "#b8ecff"),
    "day": ("#dcebf5", "#a9cfe6", "#6fadd3", "#3a85b8", "#135d92"),
    "contrast": ("#202000", "#555500", "#999900", "#dddd00", "#ffffff"),
}


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two near places (lon, lat in degrees) in metres, on a sphere."""
    x = math.radians(b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(x, math.radians(b[1] - a[1])) * 6_371_008.8


@dataclass(frozen=True)
class PlaceDesk(RegisterDesk):
    """The registers as the map asks them."""

    def building(self, number: str, lon: float | None, lat: float | None) -> dict[str, Any]:
        """The registered building of this number, or the nearest one to the place; with what is known inside by right.

        A register that the person may not read is not in the answer at all.
        """
        self.register("building")
        with read_scope(self.services.engine) as session:
            row, matched = self._found(session, number, lon, lat)
            values = values_of(row, self.seal)
            own = str(values.get("number") or row.building_id)
            at = (row.lon, row.lat) if row.lon is not None and row.lat is not None else None
            away = None if at is None or lon is None or lat is None else round(metres(at, (lon, lat)), 1)
            inside = {one: self._inside(session, one, own) for one in COUNTED if self._reads(one)}
            return {
                "record_id": row.record_id, "number": own, "name": row.name, "matched": matched, "distance_m": away,
                "floors": self._floors(values, inside.get("household")),
                "values": {f.name: values[f.name] for f in shipped_registers()["building"].fields if f.name in values},
                "held": {one: len(rows) for one, rows in inside.items()},
                "enterprises": _lines(inside.get("enterprise")), "special_places": _lines(inside.get("special_place")),
                "people": _lines(inside.get("person")),
            }  # fmt: skip

    def _reads(self, register_id: str) -> bool:
        return may_read(self.actor, shipped_registers()[register_id])

    def _found(self, session: Session, number: str, lon: float | None, lat: float | None) -> tuple[RegisterRecord, str]:
        seen = visible_records(self.actor, shipped_registers())
        sql = select(RegisterRecord).where(
            RegisterRecord.register_id == "building", RegisterRecord.state == "active", seen
        )
        if number:
            building = shipped_registers()["building"]
            key = self.seal.blind(f"key {building.id}", number)
            row = session.scalar(sql.where(RegisterRecord.natural_key == key))
            if row is not None:
                return row, "number"
        if lon is None or lat is None:
            raise NotFound(what="building", key=number)
        d_lat = NEAR_M / 111_000
        d_lon = d_lat / max(0.05, math.cos(math.radians(lat)))
        near = sql.where(
            RegisterRecord.lat.between(lat - d_lat, lat + d_lat), RegisterRecord.lon.between(lon - d_lon, lon + d_lon)
        )
        rows = [(metres((r.lon or 0, r.lat or 0), (lon, lat)), r.record_id, r) for r in session.scalars(near.limit(50))]
        best = min((row for row in rows if row[0] <= NEAR_M), default=None)
        if best is None:
            raise NotFound(what="building", key=number or f"{lon:.5f},{lat:.5f}")
        return best[2], "place"

    def _inside(self, session: Session, register_id: str, number: str) -> list[dict[str, Any]]:
        seen = visible_records(self.actor, shipped_registers())
        sql = (
            select(RegisterRecord)
            .where(RegisterRecord.building_id == number, RegisterRecord.building_id != "")
            .where(RegisterRecord.register_id == register_id, RegisterRecord.state == "active", seen)
            .order_by(RegisterRecord.name, RegisterRecord.record_id)
            .limit(MOST_SHOWN)
        )
        return [
            {"record_id": row.record_id, "name": row.name, **{n: row.data.get(n) for n in ("floor", "room", "members")}}
            for row in session.scalars(sql)
        ]

    def _floors(self, values: Mapping[str, Any], households: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        """Every floor from the top with its households; ``households`` None where they may not be read."""
        by_floor: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
        for one in households or ():
            by_floor[one["floor"]].append(one)
        known = {floor for floor in by_floor if floor is not None}
        highest = max([int(values.get("floors") or 0), *known])
        lowest = min([-int(values.get("below") or 0), *known])
        levels: list[int | None] = [n for n in range(highest, lowest - 1, -1) if n != 0]
        if None in by_floor:
            levels.append(None)
        shown = None if households is None else 0
        return [
            {"floor": n, "households": by_floor.get(n, []) if shown is not None else None} for n in levels[:MOST_SHOWN]
        ]

    def layers(self) -> list[dict[str, Any]]:
        """Counts a cell as layers of the map, for the centre and for whoever works in a division."""
        if not set(self.actor.roles) & (CENTRE | DIVISION_ROLES | {"system"}):
            return []
        known = [shipped_registers()[name] for name in COUNTED]
        return [_layer(one) for one in known if CENTRE & set(self.actor.roles) or may_read(self.actor, one)]

    def cell_features(self, register_id: str) -> dict[str, Any]:
        """Grid cells with counts as GeoJSON; a count below :data:`FEW` is told as such, not as a number."""
        centre = bool(set(self.actor.roles) & (CENTRE | {"system"}))
        register = shipped_registers().get(register_id)
        if register is None or register.id not in COUNTED or not (centre or may_read(self.actor, register)):
            raise NotFound(what="register", key=register_id)
        own = "" if centre else (self.actor.division_code or "-")
        with read_scope(self.services.engine) as session:
            numbers = counts_per_cell(session, register_id, own)
            sql = select(GridCell.code, GridCell.geometry)
            cells = {code: wkb for code, wkb in session.execute(sql) if code in numbers}
        features = [
            {
                "type": "Feature", "geometry": shapely.from_wkb(cells[code]).__geo_interface__,
                "properties": {"grid_code": code, **_told(number)},
            }
            for code, number in sorted(numbers.items()) if code in cells
        ]  # fmt: skip
        return {"type": "FeatureCollection", "features": features}

    def grids_in(self, box: tuple[float, float, float, float]) -> list[str]:
        """Codes of the cells whose middle lies in the box: how registers without points are filtered by place."""
        west, south, east, north = box
        sql = select(GridCell.code).where(GridCell.lon.between(west, east), GridCell.lat.between(south, north))
        with read_scope(self.services.engine) as session:
            found = list(session.scalars(sql.order_by(GridCell.code).limit(MOST_CELLS + 1)))
        if len(found) > MOST_CELLS:
            raise InputInvalid(field="bbox", detail=f"holds more than {MOST_CELLS} grid cells", how="draw less")
        return found

    def outlines(self) -> list[tuple[str, float, float, int | None]]:
        """``(grid code, lon, lat, records)`` of every cell that holds records of the division, for the map filter."""
        own = "" if set(self.actor.roles) & (CENTRE | {"system"}) else (self.actor.division_code or "-")
        with read_scope(self.services.engine) as session:
            sql = (
                select(GridCell.code, GridCell.lon, GridCell.lat, func.count(RegisterRecord.record_id))
                .join(RegisterRecord, RegisterRecord.grid_code == GridCell.code)
                .where(RegisterRecord.state == "active", RegisterRecord.register_id == "building")
                .group_by(GridCell.code, GridCell.lon, GridCell.lat)
            )
            rows = session.execute(sql.where(below(own)) if own else sql).tuples().all()
        return [(code, lon, lat, number if number >= FEW else None) for code, lon, lat, number in rows]

    def in_box(self, register: Register, box: tuple[float, float, float, float] | None) -> dict[str, Any]:
        """What :class:`~records.registers.search.Query` takes of a box: the box for points, cells for the others."""
        if box is None:
            return {}
        return {"box": box} if any(register.of_type("lon")) else {"grids": self.grids_in(box) or ["-"]}


def _told(number: int) -> dict[str, Any]:
    return {"count": number, "label": str(number)} if number >= FEW else {"count": 0, "few": 1, "label": f"<{FEW}"}


def _lines(rows: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    return None if rows is None else [{"record_id": row["record_id"], "name": row["name"]} for row in rows]


def _layer(register: Register) -> dict[str, Any]:
    """As ``/api/layers`` lists a layer; ``shown`` False: its data is asked for when somebody chooses it."""
    name = f"register-{register.id.replace('_', '-')}"
    source = {"source": f"layer:{name}"}
    steps: list[Any] = ["step", ["get", "count"], "@c0"]
    for number, least in enumerate(_SHADES[1:], 1):
        steps += [least, f"@c{number}"]
    title = {"zh": f"{register.zh}（每网格数量）", "en": f"{register.en}: counts a cell"}
    legend = [
        {"colour": f"@c{n}", "zh": f"{least} 起", "en": f"from {least}", "shape": "fill"}
        for n, least in enumerate(_SHADES)
    ]
    return {
        "name": name, "kind": "cell_counts", "kind_title": {"zh": "网格计数", "en": "Counts a cell"}, "title": title,
        "form": "geojson", "tiles": f"/api/registers/{register.id}/cells.geojson", "zooms": [0, 22],
        "bbox": [-180, -90, 180, 90], "shown": False,
        "style": [
            {"type": "fill", **source, "paint": {"fill-color": steps, "fill-opacity": 0.55}},
            {"type": "line", **source, "paint": {"line-color": "@edge", "line-width": 0.6}},
            {"type": "symbol", **source, "minzoom": 14, "layout": {"text-field": ["get", "label"], "text-size": 12},
             "paint": {"text-color": "@text", "text-halo-color": "@halo", "text-halo-width": 1.4}},
        ],
        "palette": {
            theme: {**{f"c{n}": c for n, c in enumerate(colours)}, "edge": colours[3],
                    "text": "#ffffff" if theme != "day" else "#10233a",
                    "halo": "#07101d" if theme != "day" else "#ffffff"}
            for theme, colours in _COLOURS.items()
        },
        "legend": legend, "order": 36, "features": 0, "generated": False, "source": register.zh, "date": "",
        "licence": "", "attribution": "", "imported_at": "",
    }  # fmt: skip
