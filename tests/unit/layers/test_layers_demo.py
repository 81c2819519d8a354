"""The demo city: what the issue counts, official names, determinism."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
import shapely

from core.settings import Settings
from layers.catalogue.record import layers
from layers.demo import blocks, ground_source
from layers.demo.generate import SOURCES, DemoCity, generate
from layers.territory import of_outline


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("city"), lambda text: None)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def features(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(path.read_text())["features"]
    return found


def test_counts(folder: Path) -> None:
    cameras = table(folder / "cameras.csv")
    by_category = {c["category"]: 0 for c in cameras}
    for camera in cameras:
        by_category[camera["category"]] += 1
    assert by_category == {
        "fire_control_room": 65, "fuel_station": 19, "waterlogging": 30, "key_place": 24, "warehouse": 10,
    }  # fmt: skip
    kinds = [s["kind"] for s in table(folder / "sites.csv")]
    assert {k: kinds.count(k) for k in set(kinds)} == {
        "key_fire_site": 18, "fuel_station": 19, "waterlogging": 30, "key_place": 24, "warehouse": 10,
    }  # fmt: skip
    patrol = table(folder / "cameras-patrol.csv")
    assert len(patrol) == 6948
    assert all(c["enabled"] == "False" and not c.get("url") for c in patrol)
    assert {c["category"] for c in patrol} == {"traffic", "public_security"}
    assert len(table(folder / "users.csv")) == 1270
    assert not {"password", "password_hash"} & set(table(folder / "users.csv")[0])
    assert 1 <= sum(c["enabled"] == "True" for c in cameras) <= 4  # two cores
    assert len(table(folder / "divisions.csv")) == 103


def test_official_names_and_codes() -> None:
    names = {d["code"]: d["name"] for d in table(SOURCES / "divisions.csv")}
    assert names["220105"] == "二道区"
    assert names["220105001"] == "东盛街道" and names["220105270207"] == "新光村委会"
    assert sum(len(c) == 9 for c in names) == 12 and sum(len(c) == 12 for c in names) == 90


def test_grid_cells_are_coded_and_lie_in_their_community(folder: Path) -> None:
    areas = {
        f["properties"]["code"]: shapely.from_geojson(json.dumps(f["geometry"]))  # type: ignore[index]
        for f in features(folder / "divisions.geojson")
    }
    cells = features(folder / "grid.geojson")
    assert 4000 <= len(cells) <= 8000
    codes = [c["properties"]["code"] for c in cells]  # type: ignore[index]
    assert len(set(codes)) == len(codes) and all(len(c) == 15 and c.isdigit() for c in codes)
    for cell in cells[::97]:
        shape = shapely.from_geojson(json.dumps(cell["geometry"]))
        community = areas[cell["properties"]["code"][:12]]  # type: ignore[index]
        assert shape.intersection(community).area >= 0.99 * shape.area


def test_communities_cover_the_district_without_overlap() -> None:
    city = DemoCity()
    total = sum(c.shape.area for c in city.communities)
    assert abs(total - city.outline.area) < 1e-6 * city.outline.area
    assert 440e6 < city.outline.area < 530e6  # square metres


def test_everything_generated_says_so(folder: Path) -> None:
    for name in ("roads", "buildings"):
        assert all(f["properties"]["generated"] == 1 for f in features(folder / f"{name}.geojson")[::50])  # type: ignore[index]
    assert all(f["properties"]["source"] == "generated" for f in features(folder / "grid.geojson")[::50])  # type: ignore[index]
    assert {s["source"] for s in table(folder / "sites.csv")} == {"generated"}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", lambda text: None)
    for path in sorted(folder.iterdir()):
        first, second = path.read_bytes(), (again / path.name).read_bytes()
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest(), path.name


def test_every_reference_and_device(folder: Path) -> None:
    departments = {d["department_id"] for d in table(folder / "departments.csv")}
    assert {"dept-command", "dept-fire", "dept-drainage", "dept-it", "street-220105001"} <= departments
    for name in ("sites", "cameras", "devices", "users"):
        assert {r["department_id"] for r in table(folder / f"{name}.csv") if r["department_id"]} <= departments
    devices = {d["device_id"]: d for d in table(folder / "devices.csv")}
    assert devices["gb26875:889"]["site_id"] == "site-fire-01"
    assert {f"mqtt:erdao-underpass-{n:02d}" for n in range(1, 7)} <= set(devices)
    assert {d["status"] for d in devices.values()} == {"accepted"}
    assert {"sl651", "hj212", "jt808"} <= {d["source"] for d in devices.values()}


def test_buildings_stand_along_streets_over_the_whole_district(folder: Path) -> None:
    city = DemoCity()
    built = city.buildings()
    assert len({b.building_id for b in built}) == len(built) and 8_000 < len(built) < 20_000
    places = shapely.points([(b.plan.centroid.x, b.plan.centroid.y) for b in built])
    assert shapely.contains(city.outline.buffer(30), places).mean() > 0.999
    streets = shapely.union_all([s.line for s in city.real if s.road_class in blocks.DRIVEN])
    west = shapely.contains(city.mapped, places)
    assert (shapely.distance(places[west], streets) < blocks.REACH_M + 30).all()
    assert not shapely.intersects(streets, [b.plan for b, w in zip(built, west, strict=True) if w]).any()
    east, _ = city.plane.metres(125.45, 43.88)
    assert (shapely.get_x(places) > east).sum() > 2_000
    for left in range(int(shapely.get_x(places).min()), int(shapely.get_x(places).max()) - 3_000, 3_000):
        assert ((shapely.get_x(places) >= left) & (shapely.get_x(places) < left + 3_000)).sum() > 50


def test_the_real_ground_ships_with_its_licence_and_is_a_layer_of_its_own(settings: Settings, folder: Path) -> None:
    city = DemoCity()
    territory = of_outline(city.plane.to_degrees(city.outline), "二道区")
    ground_source.install(settings, territory, lambda text: None)
    found = {record.name: record for record in layers(settings)}
    assert set(found) == {"osm-roads", "osm-rail", "outline"}
    assert found["osm-roads"].features == len(ground_source.features("roads")) > 400
    assert all("OpenStreetMap contributors" in found[n].attribution and found[n].licence == "ODbL-1.0"
               for n in ("osm-roads", "osm-rail"))  # fmt: skip
    names = {f["properties"].get("name") for f in ground_source.features("roads")}
    assert {"吉林大路", "远达大街", "荣光路"} <= names
    assert "Open Database License" in (ground_source.HERE / "README.md").read_text(encoding="utf-8")
    assert sum(f.stat().st_size for f in ground_source.HERE.iterdir()) < 60_000
    generated = {str(f["properties"]["name"]) for f in features(folder / "roads.geojson")}  # type: ignore[index]
    assert not generated & {n for n in names if n}  # nothing of OpenStreetMap is mixed into what is generated
    ground_source.install(settings, territory, lambda text: pytest.fail("installed twice"))
