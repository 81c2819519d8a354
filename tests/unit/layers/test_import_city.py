"""The importer: idempotent, all good rows, every bad row named, operators' settings left alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import geopandas
import openpyxl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.errors import InputInvalid
from core.geo.crs import to_projected, to_wgs84, wgs84_to_gcj02
from core.settings import Settings
from layers.columns import TABLES, Column
from layers.importer import CityImportReport, add_own_camera, import_city
from storage.session import read_scope, session_scope
from storage.tables.people import User, UserRole
from storage.tables.registry import Camera, Device, Division, GridCell, Site

SQUARE = [[[125.3, 43.8], [125.4, 43.8], [125.4, 43.9], [125.3, 43.9], [125.3, 43.8]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "city.yaml").write_text("code: '220105'\nname: 二道区\ncoordinates: wgs84\n", encoding="utf-8")
    (folder / "divisions.csv").write_text(
        "code,name\n220105,二道区\n220105001,东盛街道\n220105001002,公平社区\n", encoding="utf-8"
    )
    areas = [{"type": "Feature", "properties": {"code": c}, "geometry": {"type": "Polygon", "coordinates": SQUARE}}
             for c in ("220105001002",)]  # fmt: skip
    (folder / "divisions.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": areas}))
    cell = {"type": "Feature", "properties": {"code": "220105001002001"},
            "geometry": {"type": "Polygon", "coordinates": SQUARE}}  # fmt: skip
    (folder / "grid.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [cell]}))
    (folder / "departments.csv").write_text("department_id,name\ndept-fire,消防\n", encoding="utf-8")
    (folder / "sites.csv").write_text(
        "site_id,name,kind,lon,lat,department_id\ns1,广场,key_fire_site,125.35,43.85,dept-fire\n", encoding="utf-8"
    )
    (folder / "cameras.csv").write_text(
        "camera_id,name,site_id,url,lon,lat,algorithms,enabled\n"
        'c1,一号机,s1,clips/a.mp4?loop=1,125.35,43.85,"[{""kind"": ""absence""}]",yes\n',
        encoding="utf-8",
    )
    (folder / "devices.csv").write_text("source,address,status,site_id\ngb26875,889,accepted,s1\n", encoding="utf-8")
    (folder / "users.csv").write_text("user_id,login,name,roles,department_id\nu1,wang,王,staff;inspector,dept-fire\n")
    return folder


def run(engine: Engine, settings: Settings, folder: Path, **how: bool) -> CityImportReport:
    return import_city(engine, settings, folder, progress=lambda text: None, **how)


def test_everything_arrives_and_a_second_run_changes_nothing(engine: Engine, settings: Settings, folder: Path) -> None:
    report = run(engine, settings, folder)
    assert list(report.problems) == []
    assert sum(report.inserted.values()) == 3 + 1 + 1 + 1 + 1 + 1 + 1
    with read_scope(engine) as session:
        camera = session.scalars(select(Camera)).one()
        assert camera.url == f"{folder.resolve()}/clips/a.mp4?loop=1"
        assert (camera.division_code, camera.grid_code) == ("220105001002", "220105001002001")
        assert camera.algorithms == [{"kind": "absence"}] or camera.algorithms[0]["kind"] == "absence"
        assert session.get(Device, "gb26875:889") is not None
        assert sorted(session.scalars(select(UserRole.role))) == ["inspector", "staff"]
        user = session.get(User, "u1")
        assert user is not None and user.password_hash == ""
        assert session.get(Site, "s1").grid_code == "220105001002001"  # type: ignore[union-attr]
        assert session.scalars(select(GridCell.community_code)).one() == "220105001002"
    again = run(engine, settings, folder)
    assert not any(again.inserted.values()) and not any(again.updated.values())


def test_a_dry_run_writes_nothing_and_names_every_bad_row(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "cameras.csv").write_text(
        "camera_id,name,site_id,lon,lat,priority,algorithms,colour\n"
        "c1,ok,s1,125.35,43.85,5,,\n"
        "c2,no such site,s9,125.35,43.85,5,,\n"
        "c3,bad place,s1,1250,north,5,,\n"
        "c4,bad rest,s1,125.35,43.85,high,{not json,\n"
        ",no id,s1,125.35,43.85,5,,\n"
        "c1,twice,s1,125.35,43.85,5,,\n",
        encoding="utf-8",
    )
    report = run(engine, settings, folder, dry_run=True)
    found = {(p.row, p.field, p.code) for p in report.problems if p.file == "cameras.csv"}
    assert found == {
        (1, "colour", "column_unknown"), (3, "site_id", "reference"), (4, "lon", "metres"), (4, "lat", "not_a_number"),
        (5, "priority", "not_a_number"), (5, "algorithms", "not_json"), (6, "camera_id", "missing"),
        (7, "camera_id", "key_twice"),
    }  # fmt: skip
    assert report.exit_status == 1
    assert report.inserted["cameras"] == 1
    with read_scope(engine) as session:
        assert session.scalars(select(Division)).all() == []


def test_good_rows_beside_bad_ones_are_taken(engine: Engine, settings: Settings, folder: Path) -> None:
    with (folder / "sites.csv").open("a", encoding="utf-8") as file:
        file.write("s2,坏,key_fire_site,abc,43.85,dept-fire\ns3,好,key_fire_site,125.36,43.86,dept-fire\n")
    assert len(run(engine, settings, folder).problems) == 1
    with read_scope(engine) as session:
        assert sorted(session.scalars(select(Site.site_id))) == ["s1", "s3"]


def test_what_operators_set_survives_unless_overwritten(engine: Engine, settings: Settings, folder: Path) -> None:
    run(engine, settings, folder)
    with session_scope(engine) as session:
        camera = session.get(Camera, "c1")
        assert camera is not None
        camera.enabled, camera.zones, camera.name = False, [{"zone_id": "z"}], "renamed"
        device = session.get(Device, "gb26875:889")
        assert device is not None
        device.status = "disabled"
    report = run(engine, settings, folder)
    assert report.updated["cameras"] == 1 and report.updated["devices"] == 0
    with read_scope(engine) as session:
        camera = session.get(Camera, "c1")
        assert camera is not None
        assert (camera.enabled, camera.zones, camera.name) == (False, [{"zone_id": "z"}], "一号机")
        assert camera.revision == 2  # vision hears of the change
    run(engine, settings, folder, overwrite=True)
    with read_scope(engine) as session:
        assert session.get(Camera, "c1").enabled is True  # type: ignore[union-attr]
        assert session.get(Device, "gb26875:889").status == "accepted"  # type: ignore[union-attr]


def test_xlsx_and_declared_coordinates(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "sites.csv").unlink()
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["site_id", "name", "kind", "lon", "lat", "department_id"])
    lon, lat = wgs84_to_gcj02(125.35, 43.85)
    sheet.append(["s1", "广场", "key_fire_site", lon, lat, "dept-fire"])
    book.save(folder / "sites.xlsx")
    (folder / "city.yaml").write_text("code: '220105'\nname: 二道区\ncoordinates: gcj02\n", encoding="utf-8")
    assert list(run(engine, settings, folder).problems) == []
    with read_scope(engine) as session:
        site = session.scalars(select(Site)).one()
        assert abs(site.lon - 125.35) < 1e-7 and abs(site.lat - 43.85) < 1e-7


def test_garbage_files_are_problems_not_crashes(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "sites-more.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    (folder / "sites-half.csv").write_bytes("site_id,name\n1,广\n".encode("utf-16"))
    (folder / "cameras-x.geojson").write_text("{")
    (folder / "devices.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(500))
    (folder / "grid.DOCX").write_bytes(b"PK")
    (folder / "~$sites.xlsx").write_bytes(b"x")
    (folder / "Thumbs.db").write_bytes(b"x")
    report = run(engine, settings, folder)
    unread = {"sites-more.xlsx", "sites-half.csv", "cameras-x.geojson", "devices.xls", "grid.DOCX", "~$sites.xlsx"}
    assert {p.file for p in report.problems} == unread == set(report.unread)
    assert {p.code for p in report.problems if p.file == "sites-half.csv"} == {"column_missing"}
    assert report.exit_status == 1
    assert report.inserted["sites"] == 1


def test_no_city_folder(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match=r"city\.yaml"):
        run(engine, settings, tmp_path)
    (tmp_path / "city.yaml").write_text("code: x\nnam: y\n")
    with pytest.raises(InputInvalid, match="nam"):
        run(engine, settings, tmp_path)


def test_ones_own_camera(engine: Engine, settings: Settings) -> None:
    assert add_own_camera(engine, settings) is None
    for url in ("rtsp://192.0.2.5/a", "rtsp://192.0.2.5/a", "rtsp://192.0.2.5/b"):
        add_own_camera(engine, settings.with_(camera=url))
    with read_scope(engine) as session:
        camera = session.scalars(select(Camera)).one()
        assert (camera.camera_id, camera.url, camera.revision) == ("cam-own", "rtsp://192.0.2.5/b", 2)
        assert [a["kind"] for a in camera.algorithms] == ["absence", "flame_smoke"]


@given(st.text(max_size=40))
def test_no_text_breaks_a_column(text: str) -> None:
    for columns in TABLES.values():
        for column in columns:
            try:
                column.parse(text)
            except ValueError as error:
                assert str(error)


def test_numbers_have_bounds() -> None:
    for value in ("nan", "inf", "-181", "1e9", "x", None):
        with pytest.raises(ValueError, match="."):
            Column("lon", "lon").parse(value)


@given(st.floats(73, 135), st.floats(18, 53))
def test_conversions_come_back(lon: float, lat: float) -> None:
    there = wgs84_to_gcj02(lon, lat)
    back = to_wgs84(*there, "gcj02")
    assert abs(back[0] - lon) < 1e-8 and abs(back[1] - lat) < 1e-8
    assert abs(there[0] - lon) < 0.02 and abs(there[1] - lat) < 0.02


def test_parents_may_stand_behind_their_children(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "departments.csv").write_text(
        "department_id,name,parent_id\nteam,队,dept-fire\ndept-fire,消防,gov\ngov,区政府,\n", encoding="utf-8"
    )
    areas = [
        {"type": "Feature", "properties": {"code": c}, "geometry": {"type": "Polygon", "coordinates": SQUARE}}
        for c in ("220105001002", "220105")  # the street between them has no outline
    ]
    (folder / "divisions.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": areas}))
    report = run(engine, settings, folder)
    assert list(report.problems) == [] and report.inserted["departments"] == 3 and report.inserted["divisions"] == 3


def test_files_below_the_folder_are_named_unless_a_camera_plays_them(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    for name in ("clips/a.mp4", "clips/b.mp4", ".git/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    report = run(engine, settings, folder)
    assert report.unread == ["clips/b.mp4"]


def test_gbk_and_upper_case_suffixes_and_chinese_headings(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "sites.csv").unlink()
    text = "点位编号,点位名称,类型,经度,纬度,地址\ns1,广场,key_fire_site,１２５．３５,43.85,东盛大街1号\n"
    (folder / "SITES.CSV").write_bytes(text.encode("gbk"))
    report = run(engine, settings, folder)
    assert list(report.problems) == [] and report.tables["sites"] == 1
    with read_scope(engine) as session:
        assert session.scalars(select(Site.address)).one() == "东盛大街1号"


def test_headings_and_files_that_the_user_maps(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "sites.csv").rename(folder / "台账.csv")
    text = (folder / "台账.csv").read_text(encoding="utf-8").replace("site_id,name", "PID,PNAME")
    (folder / "台账.csv").write_text(text, encoding="utf-8")
    (folder / "city.yaml").write_text(
        "code: 220105\nname: 二道区\nfiles: {台账.csv: sites}\ncolumns: {sites: {PID: site_id, pname: name}}\n",
        encoding="utf-8",
    )
    report = run(engine, settings, folder)
    assert list(report.problems) == [] and report.tables["sites"] == 1


@pytest.mark.parametrize(
    ("place", "code", "taken"),
    [
        ("43.85,125.35", "lon_lat_swapped", 1),
        ("0,0", "place_zero", 1),
        ("116.39,39.90", "place_outside", 2),
        ("452000,4861000", "metres", 1),
        ("125.35,95", "outside", 1),
    ],
)
def test_places_that_cannot_be(
    engine: Engine, settings: Settings, folder: Path, place: str, code: str, taken: int
) -> None:
    with (folder / "sites.csv").open("a", encoding="utf-8") as file:
        file.write(f"s2,坏,key_fire_site,{place},dept-fire\n")
    report = run(engine, settings, folder)
    assert {(p.row, p.code) for p in report.problems} == {(3, code)} and report.tables["sites"] == taken


def test_a_camera_with_half_a_place_is_refused(engine: Engine, settings: Settings, folder: Path) -> None:
    (folder / "cameras-2.csv").write_text("camera_id,name,lon,lat\nc2,a,125.35,\nc3,b,,\n", encoding="utf-8")
    report = run(engine, settings, folder)
    assert [(p.file, p.row, p.field, p.code) for p in report.problems] == [("cameras-2.csv", 2, "lat", "place_half")]


def test_projected_tables_and_geodata(engine: Engine, settings: Settings, folder: Path) -> None:
    east, north = to_projected(125.35, 43.85, 4530)
    (folder / "city.yaml").write_text("code: '220105'\nname: 二道区\ncoordinates: EPSG:4530\n", encoding="utf-8")
    (folder / "sites.csv").write_text(
        f"site_id,name,kind,x,y\ns1,广场,key_fire_site,{east},{north}\n", encoding="utf-8"
    )
    (folder / "cameras.csv").unlink()
    geopandas.GeoDataFrame(
        {"camera_id": ["c9"], "name": ["机"]}, geometry=[shapely.Point(east, north)], crs=4530
    ).to_file(folder / "cameras.shp")
    report = run(engine, settings, folder)
    assert list(report.problems) == []
    with read_scope(engine) as session:
        for found in (session.scalars(select(Site)).one(), session.scalars(select(Camera)).one()):
            assert found.lon == pytest.approx(125.35, abs=1e-7) and found.lat == pytest.approx(43.85, abs=1e-7)


def test_many_rows_name_every_problem_once(engine: Engine, settings: Settings, folder: Path) -> None:
    lines = ["site_id,name,kind,lon,lat"]
    for k in range(20_000):
        lon = "north" if k % 100 == 7 else f"{125.3 + k % 997 / 9970:.6f}"
        lines.append(f"n{k},点{k},well,{lon},43.85")
    (folder / "sites-n.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = time.process_time()
    report = run(engine, settings, folder)
    assert time.process_time() - before < 20  # a fifth of the rows; the figure itself is in docs/benchmarks.md
    rows = [p.row for p in report.problems]
    assert rows == list(range(9, 20_002, 100)) and report.tables["sites"] == 1 + 20_000 - 200


def test_nothing_imported_is_status_two(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "city.yaml").write_text("code: '220105'\nname: x\n", encoding="utf-8")
    (tmp_path / "sites.csv").write_text("site_id,name,kind,lon,lat\ns1,a,well,x,y\n", encoding="utf-8")
    assert run(engine, settings, tmp_path).exit_status == 2


def test_lists_and_units_and_names_of_systems_are_understood(engine: Engine, settings: Settings, folder: Path) -> None:
    point = {"type": "Point", "coordinates": [125.35, 43.85]}
    made = [{"type": "Feature", "geometry": point,
             "properties": {"site_id": "g1", "name": "甲", "kind": "shop", "address": ["东路", "西路"]}}]  # fmt: skip
    (folder / "sites-gcj02.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": made}))
    (folder / "sites.csv").write_text(
        "编号,名称,类型,经度（°）,纬度[deg]\ns1,广场,shop,125.35,43.85\n", encoding="utf-8"
    )
    report = run(engine, settings, folder)
    assert [(p.code, p.field) for p in report.problems] == [("crs_by_name", "crs")]
    with read_scope(engine) as session:
        sites = {site.site_id: (site.address, site.lon) for site in session.scalars(select(Site))}
    assert sites["s1"] == ("", 125.35) or sites["s1"] == (None, 125.35)
    assert sites["g1"][0] == "东路, 西路" and abs(float(sites["g1"][1] or 0) - 125.35) > 0.004


def test_shapes_in_a_table_of_points_are_taken_and_told(engine: Engine, settings: Settings, folder: Path) -> None:
    ring = [[125.40, 43.86], [125.41, 43.86], [125.41, 43.87], [125.40, 43.86]]
    shapes = [
        {"type": "Polygon", "coordinates": [ring]},
        {"type": "MultiPoint", "coordinates": [[125.40, 43.86]]},
        {"type": "MultiPoint", "coordinates": [[125.40, 43.86], [125.41, 43.86]]},
        {"type": "Point", "coordinates": [125.40, 43.86]},
    ]
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"点位编号": f"g{k}", "名称": "x", "点位类别": "shop"}}
        for k, shape in enumerate(shapes)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "sites-more.geojson").write_text(text, encoding="utf-8")
    report = run(engine, settings, folder)
    told = [(p.row, p.code) for p in report.problems if p.file == "sites-more.geojson"]
    assert told == [(1, "point_taken"), (3, "point_taken")]
    with read_scope(engine) as session:
        assert session.get_one(Site, "g1").lon == 125.40
        assert 125.40 < session.get_one(Site, "g0").lon < 125.41
