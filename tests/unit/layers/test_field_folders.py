"""City folders as the field brings them: each fault by file, row and field; what is right beside it is taken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely
from sqlalchemy import Engine, select

from core.settings import Settings
from layers.importer import CityImportReport, import_city
from storage.session import read_scope
from storage.tables.registry import Camera, GridCell, Site

CELL = shapely.box(125.40, 43.88, 125.41, 43.89)
HEADING = "site_id,name,kind,lon,lat\n"
BESIDE = Path(os.environ.get("YIWANG_REAL_DATA") or "/nowhere").parent / "cases"  # where real data lies, cases may too
CASES = os.environ.get("YIWANG_FIELD_CASES") or (str(BESIDE) if BESIDE.is_dir() else "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "city").mkdir()
    (tmp_path / "city/city.yaml").write_text('code: "220199"\nname: 试验区\n', encoding="utf-8")
    (tmp_path / "city/divisions.csv").write_text(
        "code,name\n220199,试验区\n220199001,甲街道\n220199001001,一社区\n", encoding="utf-8"
    )
    return tmp_path / "city"


@pytest.fixture
def take(engine: Engine, settings: Settings, folder: Path) -> Any:
    return lambda: import_city(engine, settings, folder, progress=lambda text: None)


def told(report: CityImportReport) -> list[tuple[str, int, str, str]]:
    return [(p.file, p.row, p.field, p.code) for p in report.problems]


def test_what_hangs_below_a_refused_division_is_refused_too(folder: Path, take: Any) -> None:
    (folder / "divisions.csv").write_text(
        "code,name,parent_code\n220199,试验区,\n220199001,甲街道,220198\n220199001001,一社区,220199001\n",
        encoding="utf-8",
    )
    report = take()
    assert told(report) == [("divisions.csv", row, "parent_code", "reference") for row in (3, 4)]
    assert report.tables["divisions"] == 1 and report.exit_status == 1


def test_departments_in_a_circle_and_below_a_refused_one(folder: Path, take: Any) -> None:
    rows = ["a,A,,bureau", "b,B,a,bureau", "c,C,d,bureau", "d,D,c,bureau", "e,E,e,bureau", "f,F,,wrong", "g,G,f,bureau"]
    (folder / "departments.csv").write_text("department_id,name,parent_id,kind\n" + "\n".join(rows), encoding="utf-8")
    report = take()
    assert sorted((row, code) for _, row, _, code in told(report)) == [
        (4, "circle"), (5, "circle"), (6, "circle"), (7, "choice"), (8, "reference")
    ]  # fmt: skip
    assert report.tables["departments"] == 2


@pytest.mark.parametrize("declared", ["", "EPSG:4326"])
def test_metres_are_never_kept_as_degrees(folder: Path, take: Any, declared: str) -> None:
    area = geopandas.GeoSeries([CELL], crs=4326).to_crs(4551).iloc[0]
    frame = geopandas.GeoDataFrame({"code": ["220199001001001"]}, geometry=[area], crs=declared or None)
    frame.to_file(folder / "grid.shp")
    report = take()
    assert told(report) == [("grid.shp", 0, "", "crs_undecided")] and report.unread == ["grid.shp"]
    assert "EPSG:4551" in str(next(iter(report.problems)))


@pytest.mark.parametrize("evidence", ["sites.csv", "city.yaml"])
def test_places_that_are_known_tell_which_meridian_is_meant(
    engine: Engine, folder: Path, take: Any, evidence: str
) -> None:
    area = geopandas.GeoSeries([CELL], crs=4326).to_crs(4551).iloc[0]
    geopandas.GeoDataFrame({"code": ["220199001001001"]}, geometry=[area]).to_file(folder / "grid.shp")
    if evidence == "sites.csv":
        (folder / evidence).write_text(HEADING + "a1,东站,shop,125.4,43.88\n", encoding="utf-8")
    else:
        with (folder / evidence).open("a", encoding="utf-8") as file:
            file.write("centre: [125.4, 43.9]\n")
    report = take()
    assert told(report) == [("grid.shp", 0, "crs", "crs_missing")] and report.exit_status == 0
    with read_scope(engine) as session:
        assert session.scalars(select(GridCell.min_lon)).one() == pytest.approx(125.4, abs=1e-4)


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        ({"GCS_China_Geodetic_Coordinate_System_2000": "2000国家大地坐标系", "D_China_2000": "国家大地坐标系"}, []),
        ({"Greenwich": "\udc80reenwich"}, []),
        ({'UNIT["Degree",': 'UNIT["Degree",x'}, ["crs_missing"]),
        ({"6378137.0": "1737400.0", "298.257222101": "0.0"}, None),
    ],
    ids=["chinese", "no-utf8", "broken", "moon"],
)
def test_prj_files_of_the_field(
    engine: Engine, folder: Path, take: Any, names: dict[str, str], codes: list[str] | None
) -> None:
    """A name in GBK or a byte that is no text ended the import with pyogrio's UnboundLocalError."""
    frame = geopandas.GeoDataFrame({"code": ["220199001001001"]}, geometry=[CELL], crs=4490)
    frame.to_file(folder / "grid.shp")
    prj = folder / "grid.prj"
    text = (
        'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,'
        '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
    )
    for name, other in names.items():
        text = text.replace(name, other)
    prj.write_bytes(text.replace("\udc80", "").encode("gbk").replace(b"reenwich", b"\x80reenwich", "\udc80" in text))
    report = take()
    if codes is None:
        assert report.unread == ["grid.shp"] and report.exit_status == 1
        return
    assert [p.code for p in report.problems] == codes and report.tables["grid"] == 1
    with read_scope(engine) as session:
        assert session.scalars(select(GridCell.min_lon)).one() == pytest.approx(125.4, abs=1e-6)


def test_one_shape_in_metres_costs_itself(folder: Path, take: Any) -> None:
    shapes = [CELL, shapely.box(451_000, 4_860_000, 452_000, 4_861_000), shapely.affinity.translate(CELL, 0.02)]
    features = [
        {"type": "Feature", "properties": {"code": f"22019900100100{k}"}, "geometry": shapely.geometry.mapping(s)}
        for k, s in enumerate(shapes)
    ]
    (folder / "grid.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    report = take()
    assert told(report) == [("grid.geojson", 2, "geometry", "shape_outside")] and report.tables["grid"] == 2


def test_a_cell_without_a_shape_is_told(folder: Path, take: Any) -> None:
    (folder / "grid.csv").write_text("code\n220199001001001\n")
    report = take()
    assert told(report) == [("grid.csv", 2, "geometry", "geometry_missing")] and report.tables["grid"] == 0


def test_northing_before_easting_in_a_table_is_swapped(engine: Engine, folder: Path, take: Any) -> None:
    with (folder / "city.yaml").open("a", encoding="utf-8") as file:
        file.write("coordinates: EPSG:4551\n")
    rows = "a1,东站,shop,451779.36,4860664.05\na2,西站,shop,4860664.05,451779.36\n"
    (folder / "sites.csv").write_text(HEADING + rows, encoding="utf-8")
    report = take()
    assert told(report) == [("sites.csv", 3, "lon", "axes_swapped")]
    with read_scope(engine) as session:
        assert session.scalars(select(Site.lon)).one() == pytest.approx(125.4, abs=1e-6)


def test_digits_that_were_protected_from_excel_keep_their_zeros(engine: Engine, folder: Path, take: Any) -> None:
    rows = ['="0012",甲', '"=""0013""",乙', "'0014,丙", "\t0015,丁", "2.20199E+19,戊"]
    (folder / "cameras.csv").write_text("camera_id,name\n" + "\n".join(rows) + "\n", encoding="utf-8")
    report = take()
    assert told(report) == [("cameras.csv", 6, "camera_id", "digits_lost")]
    with read_scope(engine) as session:
        assert set(session.scalars(select(Camera.camera_id))) == {"0012", "0013", "0014", "0015"}


def test_lines_in_another_encoding_cost_themselves(engine: Engine, folder: Path, take: Any) -> None:
    lines = [
        HEADING.encode(),
        *(f"a{k},东盛大街站,shop,125.4,43.88\n".encode("gbk" if k == 2 else "utf-8") for k in range(4)),
    ]
    (folder / "sites.csv").write_bytes(b"".join(lines))
    report = take()
    assert [(row, code) for _, row, _, code in told(report)] == [(0, "encoding_damaged"), (4, "characters_damaged")]
    with read_scope(engine) as session:
        assert set(session.scalars(select(Site.name))) == {"东盛大街站"}


FIELD: dict[str, tuple[dict[str, int], list[str], set[tuple[str, int, str, str]]]] = {
    "b01_gbk_csv": ({"divisions": 3, "departments": 1}, [], set()),
    "b02_shapefile": ({"divisions": 3, "grid": 2}, [], set()),
    "b03_gpkg_projected": ({"divisions": 3, "grid": 2, "sites": 1}, [], set()),
    "b05_ragged_first": ({"sites": 1}, [], {("sites.csv", 2, "", "row_wide")}),
    "b05b_ragged_later": ({"sites": 1}, [], {("sites.csv", 3, "", "row_wide"), ("sites.csv", 4, "lat", "missing")}),
    "b06_dup_column": ({"sites": 0}, [], {("sites.csv", 2, "lon", "differs"),
                       *(("sites.csv", 1, name, "column_twice") for name in ("lon", "lat"))}),
    "b07_title_row": ({"sites": 1}, [], set()),
    "b09_suffix": ({"sites": 1}, ["devices.xls"], {("devices.xls", 0, "", "not_a_workbook"),
                   *(("cameras.XLSX", row, "camera_id", "digits_lost") for row in (2, 3, 4))}),
    "b11_swapped": ({"sites": 2}, [], {("sites.csv", 2, "lon", "lon_lat_swapped"),
                    ("sites.csv", 4, "lon", "place_zero"),
                    *(("sites.csv", row, "lon", "place_outside") for row in (3, 5))}),
    "b12_fullwidth": ({"sites": 1, "users": 1}, [], set()),
    "b13_roles": ({"users": 2}, [], {("users.csv", 3, "roles", "choice")}),
    "b15_public_streets_header": ({"divisions": 3}, [], {("divisions.csv", 1, name, "column_unknown")
                                  for name in ("areaCode", "provinceCode", "cityCode")}),
    "b16_xlsx_leading_zeros": ({"devices": 2}, [], {("cameras.xlsx", 2, "camera_id", "digits_lost"),
                               ("cameras.xlsx", 3, "camera_id", "digits_lost"),
                               ("devices.xlsx", 2, "address", "number_in_text"),
                               ("devices.xlsx", 3, "address", "number_in_text")}),
}  # fmt: skip


@pytest.mark.skipif(not CASES, reason="YIWANG_FIELD_CASES names no folder of field cases")
@pytest.mark.parametrize("name", list(FIELD))
def test_what_people_reported_is_read_message_by_message(engine: Engine, settings: Settings, name: str) -> None:
    report = import_city(engine, settings, Path(CASES, "import", name), progress=lambda text: None)
    tables, unread, problems = FIELD[name]
    assert {table: report.tables[table] for table in tables} == tables
    assert report.unread == unread and set(told(report)) == problems
    assert report.exit_status == (1 if unread or report.problems.errors else 0)
