"""Writes the demo city: small sources into ``layers/demo/erdao`` (committed), the rest at import time.

``generate(target)`` makes a complete city folder in the format of :mod:`layers.cityfiles`; the same seed gives
the same bytes.  ``python -m layers.demo.generate`` rewrites the committed CSV files.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import shapely
import yaml
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from layers.demo import blocks, ground_source, people, places, streets
from layers.demo.areas import STREET_SEEDS, DemoArea, community_areas, street_areas
from layers.demo.plane import Plane

SOURCES = Path(__file__).parent / "erdao"
PATROL_CAMERAS = 6948
CELL_M = 100.0
RURAL_CELL_M = 1000.0

Row = dict[str, Any]


class DemoCity:
    """The generated geometry, built once, in metres."""

    def __init__(self) -> None:
        config = yaml.safe_load((SOURCES / "city.yaml").read_text())
        self.seed: int = config["seed"]
        self.plane = Plane(*config["centre"])
        outline = json.loads((SOURCES / "outline.geojson").read_text())["features"][0]["geometry"]
        self.outline = self.plane.to_metres(shapely.from_geojson(json.dumps(outline)))
        with (SOURCES / "divisions.csv").open(newline="") as file:
            self.divisions = list(csv.DictReader(file))
        names = {d["code"]: d["name"] for d in self.divisions}
        seeds = {code: self.plane.metres(*seed) for code, seed in STREET_SEEDS.items()}
        self.streets = street_areas({c: n for c, n in names.items() if len(c) == 9}, seeds, self.outline)
        rng = self.rng("communities")
        self.communities: list[DemoArea] = []
        for street in self.streets:
            inside = {c: n for c, n in names.items() if len(c) == 12 and c.startswith(street.code)}
            self.communities += community_areas(rng, street, inside)
        self.urban_streets = [s for s in self.streets if s.urban]
        self.urban = shapely.union_all([s.shape for s in self.urban_streets])
        self.nodes = streets.lattice(self.urban.buffer(-15))
        self.real = ground_source.streets(self.plane)
        # Where OpenStreetMap's extract lies: nothing is invented between its streets.
        self.mapped = self.plane.to_metres(shapely.box(125.28, 43.82, 125.3985, 43.95))

    def rng(self, part: str) -> random.Random:
        """A generator of its own for each part, so that changing one part leaves the others alone."""
        return random.Random(f"{self.seed}:{part}")

    def roads(self) -> list[streets.Road]:
        """Urban lattice and country roads."""
        urban = _outside(streets.urban_roads(self.rng("roads"), self.nodes), self.mapped)
        villages = [(c.shape.representative_point().x, c.shape.representative_point().y)
                    for c in self.communities if not c.urban]  # fmt: skip
        gates = [streets.lattice_point(*n) for n in sorted(self.nodes) if n[0] == max(a for a, _ in self.nodes)]
        country = streets.country_roads(self.rng("country"), villages + gates[:3], len(urban) + 1, self.outline)
        return urban + country

    def buildings(self) -> list[streets.Building]:
        """Buildings along the real streets, on the invented blocks east of them, and in the villages."""
        fringe = {n for n in self.nodes if abs(n[0]) > 14 or abs(n[1]) > 13}
        east = [(n, b) for n, b in streets.blocks(self.nodes) if not b.intersects(self.mapped)]
        built = streets.buildings(self.rng("buildings"), east, fringe)
        town = shapely.intersection(self.mapped, self.outline)
        built += blocks.town(self.rng("town"), town, self.real, len(built) + 1)
        country = shapely.difference(self.outline, shapely.union(self.mapped, self.urban))
        centres = [(c.shape.representative_point().x, c.shape.representative_point().y)
                   for c in self.communities if not c.urban]  # fmt: skip
        return built + blocks.villages(self.rng("villages"), centres, self.roads(), country, len(built) + 1)

    def grid(self) -> Iterable[tuple[str, BaseGeometry]]:
        """15-digit cells: 100 m where the city is dense, 1 km in the country; numbered within their community."""
        counts: dict[str, int] = {}
        for area, size in [(c, CELL_M) for c in self.communities if c.urban] + [
            (c, RURAL_CELL_M) for c in self.communities if not c.urban
        ]:
            for cell in _cells(area.shape, _fitting(area.shape, size)):
                counts[area.code] = counts.get(area.code, 0) + 1
                yield f"{area.code}{counts[area.code]:03d}", cell


def _outside(roads: list[streets.Road], mapped: BaseGeometry) -> list[streets.Road]:
    """The roads' parts outside ``mapped``."""
    found: list[streets.Road] = []
    for road in roads:
        for part in shapely.get_parts(road.line.difference(mapped)):
            if part.length > 30:
                found.append(streets.Road(f"r{len(found) + 1:05d}", road.name, road.road_class, part))
    return found


def _fitting(shape: BaseGeometry, size: float) -> float:
    """A cell size that keeps a community below 999 cells and the city's fringe coarse."""
    return max(size, float((shape.area / (160 if size == CELL_M else 900)) ** 0.5))


def _cells(shape: BaseGeometry, size: float) -> list[BaseGeometry]:
    min_x, min_y, max_x, max_y = shape.bounds
    boxes = [
        shapely.box(i * size, j * size, (i + 1) * size, (j + 1) * size)
        for j in range(int(min_y // size), int(max_y // size) + 1)
        for i in range(int(min_x // size), int(max_x // size) + 1)
    ]
    shapely.prepare(shape)
    cut = [b if shape.contains(b) else b.intersection(shape) for b in boxes if shape.intersects(b)]
    return _without_slivers([c for c in cut if c.area > 0 and c.geom_type in {"Polygon", "MultiPolygon"}], size)


def _without_slivers(cells: list[BaseGeometry], size: float) -> list[BaseGeometry]:
    """Scraps at a community's edge join the neighbour with the longest common border."""
    large = [c for c in cells if c.area >= 0.2 * size * size] or cells[:1]
    tree = shapely.STRtree(large)
    for scrap in cells:
        if scrap.area >= 0.2 * size * size or scrap is large[0]:
            continue
        near = [int(k) for k in tree.query(scrap)]
        best = max(near, key=lambda k: large[k].intersection(scrap).length, default=0)  # noqa: B023 - used at once
        large[best] = large[best].union(scrap)
    return large


def patrol_cameras(city: DemoCity, roads: list[streets.Road]) -> list[Row]:
    """6,948 public-security and traffic cameras on road nodes: no stream, visited by the patrol only."""
    rng = city.rng("patrol")
    spots = blocks.spots(city.real, city.outline)
    spots += [p for p in (streets.lattice_point(*n) for n in sorted(city.nodes)) if not city.mapped.contains(Point(p))]
    spots += [p for r in roads if r.road_class == "county" for p in r.line.coords]
    rows: list[Row] = []
    for k in range(PATROL_CAMERAS):
        x, y = spots[k % len(spots)]
        lon, lat = city.plane.degrees(x + rng.uniform(-9, 9), y + rng.uniform(-9, 9))
        category = "traffic" if k % 3 == 0 else "public_security"
        word = "交通" if category == "traffic" else "治安"
        rows.append(
            {
                "camera_id": f"cam-patrol-{k + 1:04d}", "name": f"{word}监控{k + 1:04d}",
                "name_en": f"{'Traffic' if category == 'traffic' else 'Public security'} camera {k + 1:04d}",
                "category": category,
                "lon": lon, "lat": lat, "department_id": "dept-traffic" if category == "traffic" else "dept-command",
                "priority": 9, "enabled": False, "risk": round(rng.betavariate(2, 5), 3), "source": "generated",
                "attributes": json.dumps({"heading_deg": rng.randrange(0, 360, 15), "demo": True}),
            }
        )  # fmt: skip
    return rows


def generate(target: Path, progress: Callable[[str], None] = print) -> Path:
    """A complete city folder at ``target``; returns it."""
    target.mkdir(parents=True, exist_ok=True)
    for source in SOURCES.iterdir():
        if source.name != "outline.geojson":  # its areas are in divisions.geojson
            shutil.copyfile(source, target / source.name)
    progress("demo city: areas and grid")
    city = DemoCity()
    degrees = city.plane.to_degrees
    areas = [DemoArea("220105", "二道区", city.outline), *city.streets, *city.communities]
    _geojson(
        target / "divisions.geojson", (({"code": a.code, "source_note": "generated"}, degrees(a.shape)) for a in areas)
    )
    _geojson(target / "grid.geojson", (({"code": c, "source": "generated"}, degrees(s)) for c, s in city.grid()))
    progress("demo city: roads and buildings")
    roads = city.roads()
    _geojson(
        target / "roads.geojson",
        (
            ({"id": r.road_id, "name": r.name, "class": r.road_class, "width_m": r.width_m, "generated": 1},
             degrees(r.line)) for r in roads
        ),
    )  # fmt: skip
    _geojson(
        target / "buildings.geojson",
        (
            ({"id": b.building_id, "kind": b.kind, "height_m": b.height_m, "generated": 1}, degrees(b.plan))
            for b in city.buildings()
        ),
    )
    progress("demo city: cameras and staff")
    _table(target / "cameras-patrol.csv", patrol_cameras(city, roads))
    _table(target / "users.csv", people.staff(city.rng("people"), city.streets, city.communities))
    return target


def write_sources() -> None:
    """Rewrite the committed CSV files from the seed."""
    city = DemoCity()
    found = places.sites(city.rng("sites"), city.plane, city.urban_streets, city.nodes)
    _table(SOURCES / "departments.csv", places.departments(city.streets))
    _table(SOURCES / "sites.csv", found)
    _table(SOURCES / "cameras.csv", places.site_cameras(found))
    _table(SOURCES / "devices.csv", places.devices(found))


def _table(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _geojson(path: Path, features: Iterable[tuple[Row, BaseGeometry | Polygon]]) -> None:
    lines = []
    for properties, shape in features:
        rounded = shapely.transform(shape, lambda p: p.round(7))
        head = json.dumps(properties, ensure_ascii=False)
        lines.append(f'{{"type":"Feature","properties":{head},"geometry":{shapely.to_geojson(rounded)}}}')
    path.write_text('{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    write_sources()
