"""Registers from geodata: GeoJSON, zipped Shapefile, GeoPackage; one reader, the checks of any import."""

from __future__ import annotations

import io
import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from sqlalchemy import select

from core.clock import ManualClock
from layers.territory import of_code
from layers.vector.table import feature_rows, geodata_headings, is_geodata
from records.registers.importing import Importer, ImportReport, suggest_mapping
from storage.session import read_scope
from storage.tables.records import RegisterRecord
from tests.unit.records.registry import AROUND, COMMUNITIES, NOW, REGISTERS, SEAL, fresh

BUILDING = REGISTERS["building"]
HERE = COMMUNITIES[0][0]
ROWS: list[dict[str, Any]] = [
    {"房屋编号": f"B{n}", "楼栋名称": f"{n}号楼", "所属社区": HERE, "地上层数": n + 1, "说明": "x"} for n in range(3)
]


def _shapes() -> list[Any]:
    return [shapely.box(125.35 + n / 1000, 43.85, 125.3505 + n / 1000, 43.8505) for n in range(3)]


def _geojson(rows: list[dict[str, Any]], shapes: list[Any], codec: str = "utf-8") -> bytes:
    features = [
        {"type": "Feature", "properties": row, "geometry": shape and json.loads(shapely.to_geojson(shape))}
        for row, shape in zip(rows, shapes, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode(codec)


def _written(folder: Path, driver: str, name: str, crs: str = "EPSG:4326", shapes: list[Any] | None = None) -> Path:
    target = folder / name
    found = shapely.to_wkb(_shapes() if shapes is None else shapes)
    names = list(ROWS[0])
    import numpy as np

    data = [np.array([row[n] for row in ROWS], dtype=None if n == "地上层数" else object) for n in names]
    pyogrio.raw.write(
        target,
        found,
        data,
        names,
        driver=driver,
        geometry_type="Polygon",
        crs=crs,
        encoding="GBK" if "Shape" in driver else "UTF-8",
    )
    return target


def _zip(folder: Path, stem: str, below: str = "资料/") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path in sorted(folder.glob(f"{stem}.*")):
            packed.write(path, f"{below}{path.name}")
    return out.getvalue()


def take(folder: Path, body: bytes, name: str, **how: Any) -> tuple[ImportReport, list[RegisterRecord]]:
    engine = fresh(folder)
    read = partial(feature_rows, territory=of_code("220105"))
    importer = Importer(BUILDING, SEAL, AROUND, ManualClock(NOW), "importer", read)
    report = importer.run(engine, io.BytesIO(body), name, **how)
    with read_scope(engine) as session:
        rows = list(session.scalars(select(RegisterRecord).order_by(RegisterRecord.name)))
        session.expunge_all()
    engine.dispose()
    return report, rows


@pytest.mark.parametrize("form", ["geojson", "gbk", "gpkg", "shp.zip", "projected"])
def test_the_same_buildings_come_from_every_form(tmp_path: Path, form: str) -> None:
    if form in ("geojson", "gbk"):
        body, name = _geojson(ROWS, _shapes(), "utf-8" if form == "geojson" else "gb18030"), "楼.geojson"
    elif form == "gpkg":
        body, name = _written(tmp_path, "GPKG", "b.gpkg").read_bytes(), "楼.gpkg"
    elif form == "shp.zip":
        _written(tmp_path, "ESRI Shapefile", "b.shp")
        body, name = _zip(tmp_path, "b"), "楼.zip"
    else:
        from pyproj import Transformer

        to = Transformer.from_crs(4326, 4549, always_xy=True)
        moved = [shapely.transform(s, lambda xy: _moved(to, xy)) for s in _shapes()]
        body, name = _written(tmp_path, "GPKG", "p.gpkg", "EPSG:4549", moved).read_bytes(), "p.gpkg"
    report, rows = take(tmp_path, body, name)
    assert report.counts == {"rows": 3, "created": 3, "changed": 0, "unchanged": 0, "refused": 0}
    assert [row.name for row in rows] == ["0号楼", "1号楼", "2号楼"] and rows[2].data["floors"] == 3
    assert rows[0].lon == pytest.approx(125.35025, abs=1e-5) and rows[0].lat == pytest.approx(43.85025, abs=1e-5)
    assert [p.field for p in report.problems if p.code == "column_unknown"] == ["说明"]


def _moved(to: Any, xy: Any) -> Any:
    import numpy as np

    return np.column_stack(to.transform(xy[:, 0], xy[:, 1]))


def test_a_dry_run_writes_nothing_and_a_wrong_feature_is_named(tmp_path: Path) -> None:
    rows = [ROWS[0], {**ROWS[1], "地上层数": "很多"}, {**ROWS[2], "所属社区": "火星"}]
    report, kept = take(tmp_path, _geojson(rows, _shapes()), "b.geojson", dry_run=True)
    assert kept == [] and report.refused == 2 and report.created == 1
    assert {(p.row, p.field) for p in report.problems if p.severity == "error"} == {
        (2, "floors"), (3, "division")
    }  # fmt: skip


def test_a_feature_without_a_place_is_a_record_without_one(tmp_path: Path) -> None:
    report, rows = take(tmp_path, _geojson(ROWS, [None, *_shapes()[1:]]), "b.geojson")
    assert report.created == 3 and rows[0].lon is None and rows[1].lon is not None


@pytest.mark.parametrize(
    ("body", "name"),
    [(b"{", "x.geojson"), (b"", "x.gpkg"), (b"SQLite format 3\0garbage", "x.gpkg"), (b"PK\x03\x04rubbish", "x.zip"),
     (b'{"type": "FeatureCollection", "features": []}', "x.geojson")],
)  # fmt: skip
def test_rubbish_is_one_problem_and_no_crash(tmp_path: Path, body: bytes, name: str) -> None:
    report, rows = take(tmp_path, body, name)
    assert rows == [] and report.problems.errors == 1


def test_a_zip_of_two_shapefiles_or_none_is_refused(tmp_path: Path) -> None:
    for name in ("a.shp", "c.shp"):
        _written(tmp_path, "ESRI Shapefile", name)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path in sorted(tmp_path.glob("*.*")):
            packed.write(path, path.name)
    report, _ = take(tmp_path, out.getvalue(), "two.zip")
    assert [p.code for p in report.problems if p.severity == "error"] == ["not_geodata"]
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    report, _ = take(tmp_path, empty.getvalue(), "none.zip")
    assert report.problems.errors == 1


def test_headings_of_geodata_are_mapped_by_the_user(tmp_path: Path) -> None:
    body = _geojson([{"bh": r["房屋编号"], "mc": r["楼栋名称"], "sq": r["所属社区"]} for r in ROWS], _shapes())
    found, rows = geodata_headings(io.BytesIO(body), "b.geojson")
    assert found == ["bh", "mc", "sq"] and rows[0]["bh"] == "B0"
    assert suggest_mapping(["楼栋名称", "层数", "x"], BUILDING) == {"楼栋名称": "name", "层数": "floors"}
    report, kept = take(tmp_path, body, "b.geojson", mapped={"bh": "number", "mc": "name", "sq": "division"})
    assert report.created == 3 and kept[0].name == "0号楼"
    assert is_geodata("a.gpkg", b"SQLite format 3\0") and not is_geodata("a.xlsx", b"PK\x03\x04")
