"""Layers of one's own: taken in from files, with a report by feature; listed, drawn and given out by right."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely
from rasterio.transform import from_bounds, from_origin

from app.cli import main
from core import plugins
from core.errors import NotFound, PluginUnknown
from core.geo.crs import to_projected
from core.settings import Settings
from layers.catalogue.archive import Archives, Mapped
from layers.catalogue.kinds import LayerWish, surest
from layers.catalogue.record import layer, layers, remove, tiles_of
from layers.catalogue.report import LayerReport
from layers.catalogue.take import take_in
from layers.catalogue.take_raster import terrarium
from layers.contract import Likeness
from layers.territory import of_outline
from layers.tiles import TileSet
from layers.vector.writing import Writer

DISTRICT = of_outline(shapely.box(125.35, 43.76, 125.82, 43.96), "二道区")
ROAD = shapely.LineString([(125.4, 43.88), (125.41, 43.885)])


def saved(path: Path, shapes: list[Any], crs: int | None = 4326, **columns: list[Any]) -> Path:
    made = geopandas.GeoDataFrame(columns or {"name": [f"n{k}" for k in range(len(shapes))]}, geometry=shapes, crs=4326)
    (made.to_crs(crs) if crs else made).to_file(path)
    return path


def took(settings: Settings, path: Path, **wish: Any) -> LayerReport:
    return take_in(settings, path, DISTRICT, LayerWish(**wish))


def codes(report: LayerReport) -> list[tuple[int, str]]:
    return [(p.row, p.code) for p in report.problems]


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.geojson", "a.fgb", "A.GEOJSON"])
def test_a_layer_is_tiled_and_recorded(settings: Settings, tmp_path: Path, name: str) -> None:
    file = saved(
        tmp_path / name, [ROAD], 4551 if "json" not in name.lower() else 4326, 名称=["吉林大路"], fclass=["primary"]
    )
    report = took(settings, file, source="测绘院", date="2026-11-01", licence="ODbL-1.0")
    assert (report.layer, report.kind, report.features, report.refused) == ("a", "roads", 1, 0)
    assert report.bbox == pytest.approx([125.4, 43.88, 125.41, 43.885], abs=1e-6) and report.exit_status == 0
    record = layer(settings, "a")
    assert (record.source, record.date, record.fields) == ("测绘院", "2026-11-01", {"name": "名称", "class": "fclass"})
    tiles = TileSet(tiles_of(settings, "a"))
    assert (tiles.min_zoom, tiles.max_zoom) == (8, 15) and len(tiles) >= 8
    assert tiles.metadata["vector_layers"][0]["id"] == "a"


def test_every_flaw_is_named_by_feature_and_nothing_wrong_is_drawn(settings: Settings, tmp_path: Path) -> None:
    bow = shapely.Polygon([(125.40, 43.88), (125.41, 43.89), (125.41, 43.88), (125.40, 43.89)])
    shapes = [shapely.box(125.4, 43.8, 125.41, 43.81), None, bow, shapely.Point(125.4, 43.88), shapely.box(0, 0, 0, 0),
              shapely.box(43.8, 125.4, 43.81, 125.41), shapely.box(116.3, 39.9, 116.4, 40)]  # fmt: skip
    report = took(settings, saved(tmp_path / "mixed.gpkg", shapes))
    assert codes(report) == [(2, "geometry_missing"), (3, "geometry_repaired"), (4, "geometry_type"), (5, "shape_zero"),
                             (6, "axes_swapped"), (7, "shape_outside")]  # fmt: skip
    assert (report.kind, report.features, report.refused, report.exit_status) == ("areas", 2, 5, 1)
    assert report.bbox == pytest.approx([125.4, 43.8, 125.41, 43.89])


def shapefile(folder: Path) -> Path:
    return saved(folder / "a.shp", [ROAD], 名称=["吉林大路"])


def test_a_broken_prj_is_none(settings: Settings, tmp_path: Path) -> None:
    file = shapefile(tmp_path)
    file.with_suffix(".prj").write_text('GEOGCS["rubbish",,,')
    report = took(settings, file)
    assert (report.features, report.crs, codes(report)) == (1, "EPSG:4326", [(0, "crs_missing")])


def test_a_shapefile_without_its_table_is_told(settings: Settings, tmp_path: Path) -> None:
    file = shapefile(tmp_path)
    file.with_suffix(".dbf").unlink()
    report = took(settings, file)
    assert (report.features, codes(report)) == (1, [(0, "no_attributes")])


def test_an_archive_is_a_layer(settings: Settings, tmp_path: Path) -> None:
    file = shapefile(tmp_path)
    with zipfile.ZipFile(tmp_path / "路网.zip", "w") as packed:
        for part in tmp_path.glob("a.*"):
            packed.write(part, part.name)
    report = took(settings, tmp_path / "路网.zip")
    assert (report.layer, report.features, report.exit_status) == ("路网", 1, 0), file


def geojson(path: Path, *geometries: Any) -> Path:
    features = [{"type": "Feature", "properties": {"name": "x"}, "geometry": g} for g in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_one_vertex_far_off_is_no_line_of_the_district(settings: Settings, tmp_path: Path) -> None:
    def line(*more: list[float]) -> dict[str, Any]:
        return {"type": "LineString", "coordinates": [[125.4, 43.88], [125.41, 43.885], *more]}

    report = took(settings, geojson(tmp_path / "a.geojson", line([0, 0]), line([43.9, 125.4]), line(), line([126, 44])))
    assert codes(report) == [(1, "shape_zero"), (2, "shape_outside")] and report.features == 2


def test_collections_and_heights(settings: Settings, tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[125.4, 43.88, 200.0], [125.41, 43.885, 201.0]]}
    both = {"type": "GeometryCollection", "geometries": [line]}
    report = took(settings, geojson(tmp_path / "a.geojson", both))
    assert (report.kind, report.features, report.crs) == ("lines", 1, "EPSG:4326")
    assert codes(report) == [(1, "geometry_repaired")]
    nothing = took(settings, geojson(tmp_path / "b.geojson", None, None))
    assert (nothing.refused, codes(nothing)) == (2, [(1, "geometry_missing"), (2, "geometry_missing")])


def test_rows_left_out_are_counted(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name,lon,lat\na,125.4,43.88,more\nb,125.4\nc,125.41,43.88\n")
    report = took(settings, file)
    assert (report.features, report.refused) == (1, 2)


def test_nothing_taken_leaves_the_older_layer(settings: Settings, tmp_path: Path) -> None:
    took(settings, saved(tmp_path / "a.geojson", [ROAD]))
    before = tiles_of(settings, "a").read_bytes()
    report = took(settings, saved(tmp_path / "a.geojson", [shapely.Point(116, 39)]))
    assert report.exit_status == 2 and tiles_of(settings, "a").read_bytes() == before


@pytest.mark.parametrize("crs", ["", "auto", "EPSG:4530"])
def test_a_shapefile_without_prj(settings: Settings, tmp_path: Path, crs: str) -> None:
    file = saved(tmp_path / "roads.shp", [ROAD], 4530)
    file.with_suffix(".prj").unlink()
    report = took(settings, file, crs=crs or "auto")
    assert report.crs == "EPSG:4530" and report.bbox == pytest.approx([125.4, 43.88, 125.41, 43.885], abs=1e-6)
    assert codes(report) == ([] if crs == "EPSG:4530" else [(0, "crs_missing")])


def test_swapped_axes_are_taken_when_that_is_said(settings: Settings, tmp_path: Path) -> None:
    x, y = to_projected(125.4, 43.88, 4551)
    file = tmp_path / "points.csv"
    file.write_text(f"x,y,name\n{y},{x},井\n", encoding="gbk")
    refused = took(settings, file, crs="EPSG:4551")
    assert codes(refused) == [(2, "axes_swapped")] and refused.exit_status == 2 and refused.encoding == "GB18030"
    assert took(settings, file, crs="EPSG:4551", swap_axes=True).bbox == pytest.approx([125.4, 43.88] * 2, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("名称,经度,纬度\n甲,125.4,43.88\n乙,１２５．４１,43.89\n", "points"),
        ("wkt;name\nLINESTRING (125.4 43.88, 125.41 43.89);a\n", "lines"),
        ('name,wkt,height\na,"POLYGON ((125.4 43.88, 125.41 43.88, 125.41 43.89, 125.4 43.88))",12\n', "buildings"),
    ],
)
def test_tables_are_layers_too(settings: Settings, tmp_path: Path, text: str, kind: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8-sig")
    report = took(settings, tmp_path / "t.csv")
    assert report.kind == kind and report.features and report.refused == 0
    assert codes(report) == ([] if kind == "points" else [(0, "crs_missing")])


def test_a_workbook_and_a_table_without_place(settings: Settings, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (["台账"], ["name", "lon", "lat"], ["a", 125.4, 43.88], ["b", None, None], ["c", "x", 43.8]):
        book.active.append(line)
    book.save(tmp_path / "t.xlsx")
    assert codes(took(settings, tmp_path / "t.xlsx")) == [(4, "geometry_missing"), (5, "geometry_broken")]
    (tmp_path / "n.csv").write_text("a,b\n1,2\n")
    assert codes(took(settings, tmp_path / "n.csv")) == [(0, "no_place")]


def test_openstreetmap_and_files_of_several_layers(settings: Settings, tmp_path: Path) -> None:
    file = saved(tmp_path / "two.gpkg", [ROAD])
    geopandas.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(125.4, 43.88)], crs=4326).to_file(file, layer="more")
    assert codes(took(settings, file)) == [(0, "layer_unread")]
    assert took(settings, file, layer="more").kind == "points"
    assert codes(took(settings, file, layer="none")) == [(0, "not_geodata")]


@pytest.mark.parametrize(
    ("name", "data"), [("a.gpkg", b""), ("a.geojson", b"{"), ("a.tif", b"II*\0"), ("a.csv", b"\0\1"), ("a.docx", b"PK")]
)
def test_garbage_is_reported(settings: Settings, tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    report = took(settings, tmp_path / name)
    assert report.exit_status == 2 and len(report.problems) == 1 and layers(settings) == []


def test_the_command_prints_the_report(settings: Settings, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("YIWANG_DATA_DIR", str(tmp_path / "data"))
    file = saved(tmp_path / "道路 1.geojson", [ROAD, shapely.Point(0, 0)])
    assert main(["layers", "import", str(file), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["layer", "kind", "features", "refused", "crs", "encoding", "bbox", "problems"]
    assert found["layer"] == "道路-1" and found["kind"] == "roads" and found["encoding"] == "UTF-8"
    assert list(found["problems"][0]) == ["feature", "what", "remedy"] and found["problems"][0]["feature"] == 2
    assert main(["layers", "list"]) == 0 and "道路-1" in capsys.readouterr().out
    assert main(["layers", "remove", "道路-1"]) == 0 and main(["layers", "remove", "道路-1"]) == 2
    assert main(["layers", "import", str(tmp_path / "none.shp"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["features"] == 0
    assert main(["layers", "import", str(file), "--as", "castle"]) == 2


def test_an_unknown_kind_is_told_in_the_same_shape(
    settings: Settings, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setenv("YIWANG_DATA_DIR", str(settings.data_dir))
    file = saved(tmp_path / "a.geojson", [ROAD])
    assert main(["layers", "import", str(file), "--as", "nope", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["features"], told["bbox"]) == (0, None) and told["problems"][0]["feature"] is None
    assert "roads" in told["problems"][0]["remedy"]


def test_kinds_are_guessed_and_have_parameters(settings: Settings, tmp_path: Path) -> None:
    for name, fields, family, kind in [
        ("changchun_rail", {"fclass"}, "line", "rail"), ("水系", set(), "polygon", "water"),
        ("楼", set(), "polygon", "buildings"), ("x", set(), "point", "points"), ("x", set(), "raster", "orthophoto"),
        ("dem", set(), "heights", "terrain"),
    ]:  # fmt: skip
        assert surest(Likeness(name, frozenset(fields), family)) == kind
    with pytest.raises(PluginUnknown):
        took(settings, saved(tmp_path / "a.geojson", [ROAD]), kind="castle")
    took(settings, tmp_path / "a.geojson", params={"min_zoom": 10, "max_zoom": 12, "roles": ["manager"]})
    record = layer(settings, "a")
    assert record.zooms == (10, 12) and record.may_see({"manager"}) and not record.may_see({"viewer"})
    assert record.may_see({"admin"})


@pytest.mark.parametrize("kind", plugins.kinds("layer"))
def test_every_kind_is_complete(kind: str) -> None:
    found = plugins.build("layer", kind, {})
    assert found.kind == kind and found.style and found.zooms[0] < found.zooms[1]
    text = json.dumps([found.style, [e.colour for e in found.legend]])
    names = set(found.palette.get("night", {}))
    assert all(set(theme) == names for theme in found.palette.values())
    assert {part.split('"')[0] for part in text.split('"@')[1:]} <= names
    assert bool(found.families) == (found.form == "vector")


def picture(path: Path, epsg: int = 4551, bands: int = 3, dtype: str = "uint8", **how: Any) -> Path:
    x, y = to_projected(125.4, 43.88, epsg)
    data = np.linspace(1, 200, 4 * 400 * 400).reshape(4, 400, 400).astype(dtype)[:bands]
    how = {"transform": from_origin(x, y, 2, 2), "crs": f"EPSG:{epsg}", **how}
    with rasterio.open(path, "w", driver="GTiff", width=400, height=400, count=bands, dtype=dtype, **how) as file:
        file.write(data)
    return path


@pytest.mark.parametrize("how", [{}, {"bands": 4}, {"bands": 1}, {"dtype": "uint16"}, {"crs": None}])
def test_a_picture_becomes_tiles(settings: Settings, tmp_path: Path, how: dict[str, Any]) -> None:
    report = took(settings, picture(tmp_path / "正射.tif", **how))
    assert report.kind == "orthophoto" and report.features > 5
    assert report.bbox == pytest.approx([125.4, 43.8728, 125.41, 43.88], abs=2e-3)
    assert codes(report) == ([(0, "crs_missing")] if "crs" in how else [])
    tiles = TileSet(tiles_of(settings, report.layer))
    assert tiles.max_zoom == 16 and next(iter(tiles._tiles.values()))[:4] == b"RIFF"


def test_a_picture_elsewhere_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = picture(tmp_path / "a.tif", transform=from_bounds(100_000, 4_000_000, 101_000, 4_001_000, 400, 400))
    assert codes(took(settings, file)) == [(0, "shape_outside")] and layers(settings) == []


def test_heights_become_terrain(settings: Settings, tmp_path: Path) -> None:
    report = took(settings, picture(tmp_path / "dem.tif", bands=1, dtype="float32", nodata=-9999.0))
    assert report.kind == "terrain" and report.exit_status == 0
    red, green, blue = terrarium(np.array([[215.25]]))[0, 0].astype(int)
    assert red * 256 + green + blue / 256 - 32768 == 215.25


def test_large_archives_are_read_from_the_file(settings: Settings, tmp_path: Path) -> None:
    took(settings, saved(tmp_path / "a.geojson", [ROAD]))
    path = tiles_of(settings, "a")
    whole = TileSet(path)
    mapped = Mapped(path)
    assert all(mapped.get(*zxy) == data for zxy, data in whole._tiles.items()) and mapped.get(3, 0, 0) is None
    archives = Archives()
    assert archives.of(path) is archives.of(path)
    with pytest.raises(OSError, match="nowhere"):
        archives.of(tmp_path / "nowhere")


def test_a_broken_record_is_left_out(settings: Settings, tmp_path: Path) -> None:
    took(settings, saved(tmp_path / "a.geojson", [ROAD]))
    (tiles_of(settings, "a").parent / "layer.json").write_text("{")
    assert layers(settings) == []
    with pytest.raises(NotFound):
        remove(settings, "a")


def test_types_that_change_and_gaps_are_written(tmp_path: Path) -> None:
    with Writer({"a": int, "b": bool, "c": str, "d": float}) as writer:
        point = shapely.Point(125.4, 43.88)
        writer.add([({"a": 1, "b": True, "c": "x", "d": 1.5}, point), ({}, point)])
        writer.add([({"a": None, "c": "y"}, point)])
        writer.finish(tmp_path / "a.fgb", "FlatGeobuf", "a")
    found = geopandas.read_file(tmp_path / "a.fgb")
    assert sorted(found["c"].dropna()) == ["x", "y"] and found["a"].isna().sum() == 2
