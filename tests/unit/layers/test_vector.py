"""Geodata as it comes: encodings, coordinate systems, geometry; what cannot be taken is named, never drawn wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from core.geo.crs import to_projected, wgs84_to_gcj02
from core.tables.problem import FileUnreadable
from layers.territory import CHINA, Territory, of_code, of_outline
from layers.vector.placing import Placing, is_old_datum, of_values
from layers.vector.reading import Feature, open_vector
from layers.vector.screening import Screen

DISTRICT = of_outline(shapely.box(125.35, 43.76, 125.82, 43.96), "二道区")
HERE = (125.4, 43.88)


def placing(declared: str | None, wanted: str, *points: tuple[float, float], **how: Any) -> Placing:
    return of_values(declared, wanted, np.array(points), how.pop("territory", DISTRICT), **how)


def frame(epsg: int | None, **columns: list[Any]) -> geopandas.GeoDataFrame:
    count = len(next(iter(columns.values())))
    points = [shapely.Point(HERE[0] + k / 100, HERE[1]) for k in range(count)]
    made = geopandas.GeoDataFrame(columns, geometry=points, crs=4326)
    return made.to_crs(epsg) if epsg else made.set_crs(None, allow_override=True)


@pytest.mark.parametrize(
    "epsg", [4490, 4549, 4550, 4551, 4552, 4553, 4554, 4526, 4527, 4528, 4529, 4530, 4531, 32651, 3857]
)
def test_every_declared_system_is_used(tmp_path: Path, epsg: int) -> None:
    file = tmp_path / "a.gpkg"
    frame(epsg, name=["一", "二"]).to_file(file)
    with open_vector(file) as opened:
        batch = next(opened.batches())
        sample = np.array([f.shape.coords[0] for f in batch])
        found = of_values(opened.crs, "auto", sample, DISTRICT)
        assert found.label == f"EPSG:{epsg}" and found.notes == ()
        assert found.shapes(np.array([batch[0].shape]))[0].coords[0] == pytest.approx(HERE, abs=1e-7)


@pytest.mark.parametrize("epsg", [4551, 4530, 4510, 4499, 3857])
def test_a_missing_system_is_seen_by_its_values(epsg: int) -> None:
    found = placing(None, "auto", to_projected(*HERE, epsg))
    assert found.notes[0][0] == "crs_missing"
    assert found.point(*to_projected(*HERE, epsg)) == pytest.approx(HERE, abs=1e-4)


@pytest.mark.parametrize(("epsg", "other"), [(4550, 32651), (32651, 4550), (4510, 32651)])
def test_two_systems_that_both_fit_are_named(epsg: int, other: int) -> None:
    """UTM and Gauss-Krueger on one meridian: 1.9 km apart at Changchun, both in the district."""
    middle = (125.6, 43.86)
    found = placing(None, "auto", to_projected(*middle, epsg))
    assert [code for code, _ in found.notes] == ["crs_missing", "crs_ambiguous"]
    assert found.label == "EPSG:4550"  # the system that the law asks for, where nothing tells them apart
    told = dict(found.notes)["crs_ambiguous"]
    assert (told["other"], told["metres"]) == ("EPSG:32651", pytest.approx(1945, abs=20)), other


@pytest.mark.parametrize(("lat", "epsg"), [(43.757, 32651), (43.962, 4550)])
def test_the_system_that_puts_all_in_the_district_is_taken(lat: float, epsg: int) -> None:
    """Near an edge the other system would lie outside: nothing is ambiguous there."""
    found = placing(None, "auto", to_projected(125.5, lat, epsg), to_projected(125.6, lat, epsg))
    assert (found.label, [code for code, _ in found.notes]) == (f"EPSG:{epsg}", ["crs_missing"])
    assert found.point(*to_projected(125.5, lat, epsg)) == pytest.approx((125.5, lat), abs=1e-6)


def test_a_wrong_declaration_with_two_systems_that_fit_names_both() -> None:
    found = placing("EPSG:4326", "auto", to_projected(125.6, 43.86, 32651))
    assert [code for code, _ in found.notes] == ["crs_contradicts", "crs_ambiguous"]


def test_without_outline_nobody_can_choose_a_meridian() -> None:
    with pytest.raises(FileUnreadable, match="hundreds of kilometres"):
        placing(None, "auto", to_projected(*HERE, 4551), territory=of_code("220105"))
    assert placing(None, "auto", to_projected(*HERE, 4530), territory=of_code("220105")).label == "EPSG:4530"


@pytest.mark.parametrize(
    ("declared", "real"), [("EPSG:4326", 4530), ("EPSG:4490", 4551), ("EPSG:4551", 4530), ("EPSG:4530", 4551)]
)
def test_a_wrong_declaration_is_told_and_mended(declared: str, real: int) -> None:
    found = placing(declared, "auto", to_projected(*HERE, real))
    assert found.notes == (("crs_contradicts", {"declared": declared, "taken": f"EPSG:{real}"}),)


def test_what_the_user_names_comes_first() -> None:
    found = placing("EPSG:4326", "EPSG:4551", to_projected(*HERE, 4551))
    assert found.label == "EPSG:4551" and found.notes[0][0] == "crs_overruled"
    for name in ("gcj02", "GCJ-02"):
        assert placing("EPSG:4326", name, HERE).point(*wgs84_to_gcj02(*HERE)) == pytest.approx(HERE, abs=1e-9)
    assert placing("EPSG:4326", "auto", HERE, file_name="路网_GCJ02.geojson").label == "gcj02"
    with pytest.raises(FileUnreadable, match="unknown"):
        placing(None, "EPSG:999999", HERE)


@pytest.mark.parametrize("epsg", [4214, 4610, 2413, 2414, 2435, 2345, 2366, 4284])
def test_old_datums_are_named_and_asked_about(epsg: int) -> None:
    crs = CRS.from_epsg(epsg)
    assert is_old_datum(crs)
    with pytest.raises(FileUnreadable, match="100 m"):
        placing(crs.to_wkt(), "auto", HERE)


def test_old_datums_move_by_their_parameters() -> None:
    found = placing("EPSG:4214", "auto", HERE, parameters=(15.8, -154.4, -82.3))
    east = (found.point(*HERE)[0] - HERE[0]) * 80_260
    north = (found.point(*HERE)[1] - HERE[1]) * 111_132
    assert 60 < float(np.hypot(east, north)) < 120  # the notes' 84.9 m
    assert not is_old_datum(CRS.from_epsg(4551)) and not is_old_datum(CRS.from_epsg(32651))


def test_a_local_system_is_refused() -> None:
    local = 'ENGCRS["长春城建",EDATUM["local"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
    with pytest.raises(FileUnreadable, match="local system"):
        placing(local, "auto", (1000, 2000))


@pytest.mark.parametrize("codec", ["GBK", "UTF-8"])
@pytest.mark.parametrize("page", ["right", "none", "65001", "ANSI 936", "UTF-8", "GBK"])
def test_shapefiles_in_every_encoding(tmp_path: Path, codec: str, page: str) -> None:
    file = tmp_path / "grid.shp"
    frame(4490, name=["公平社区", "东盛街道"], 名称=["甲", "乙"]).to_file(file, encoding=codec)
    code = file.with_suffix(".cpg")
    code.unlink() if page == "none" else code.write_text(codec if page == "right" else page)
    with open_vector(file) as opened:
        values = [f.values for batch in opened.batches() for f in batch]
    assert values == [{"name": "公平社区", "名称": "甲"}, {"name": "东盛街道", "名称": "乙"}]
    assert opened.encoding == ("GB18030" if codec == "GBK" else "UTF-8")


def test_bytes_that_are_both_follow_the_code_page(tmp_path: Path) -> None:
    file = tmp_path / "a.shp"
    frame(4490, name=["联通"]).to_file(file, encoding="GBK")
    with open_vector(file) as opened:
        assert next(opened.batches())[0].values == {"name": "联通"}


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_geojson_in_every_encoding(tmp_path: Path, codec: str) -> None:
    (tmp_path / "A.GEOJSON").write_bytes(json.dumps(collection({"name": "公平"}), ensure_ascii=False).encode(codec))
    with open_vector(tmp_path / "A.GEOJSON") as opened:
        assert next(opened.batches())[0].values["name"] == "公平"


def collection(*properties: dict[str, Any]) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": list(HERE)}
    features = [{"type": "Feature", "properties": p, "geometry": point} for p in properties]
    return {"type": "FeatureCollection", "features": features}


def test_types_with_gaps_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    file.write_text(json.dumps(collection(
        {"n": 1, "b": True, "l": ["x", "y"], "t": "2026-11-28T08:00:00+08:00", "i": [1, 2]},
        {"b": False},
        {"n": 3, "t": "2026-11-28T00:00:00Z", "f": 1.5},
    )))  # fmt: skip
    with open_vector(file) as opened:
        one, two, three = (f.values for f in next(opened.batches()))
    assert (one["n"], one["b"], one["l"], one["i"]) == (1, True, ["x", "y"], [1, 2]) and type(one["n"]) is int
    assert one["t"] == "2026-11-28T08:00:00+08:00" and three["t"].startswith("2026-11-28T00:00:00")
    assert (two["n"], two["b"], two["l"], two["t"], two["f"]) == (None, False, None, None, None)


def test_a_missing_index_file_is_made_in_a_copy(tmp_path: Path) -> None:
    file = tmp_path / "a.shp"
    frame(4490, name=["甲"]).to_file(file)
    file.with_suffix(".shx").unlink()
    with open_vector(file) as opened:
        assert next(opened.batches())[0].values == {"name": "甲"}
    assert not file.with_suffix(".shx").exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.shp", b"x"), ("a.gpkg", b"SQLite"), ("a.geojson", b"{"), ("a.fgb", b""), ("a.geojson", b"[]")],
)
def test_garbage_is_a_typed_refusal(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileUnreadable), open_vector(tmp_path / name) as opened:
        list(opened.batches())


BOW = shapely.Polygon([(125.40, 43.88), (125.41, 43.89), (125.41, 43.88), (125.40, 43.89)])


@pytest.mark.parametrize(
    ("shape", "code", "kept"),
    [
        (None, "geometry_missing", False),
        (shapely.Polygon(), "geometry_missing", False),
        (shapely.Point(0, 0), "shape_zero", False),
        (shapely.Point(43.88, 125.4), "axes_swapped", False),
        (shapely.Point(116.4, 39.9), "shape_outside", False),
        (shapely.LineString([(125.4, 43.88), (125.41, 43.88)]), "geometry_type", False),
        (BOW, "geometry_repaired", True),
        (shapely.Polygon([(125.4, 43.88)] * 4), "geometry_broken", False),
        (shapely.GeometryCollection([shapely.box(125.4, 43.88, 125.41, 43.89), shapely.Point(125.4, 43.88)]),
         "geometry_repaired", True),
    ],
)  # fmt: skip
def test_each_flaw_has_its_name(shape: Any, code: str, kept: bool) -> None:
    screen = Screen(Placing("EPSG:4326"), DISTRICT, frozenset({"polygon"}))
    good = list(screen.pass_through([Feature(7, shape, {}), Feature(8, shapely.box(125.5, 43.8, 125.51, 43.81), {})]))
    assert [(f.number, f.code) for f in screen.flaws] == [(7, code)]
    assert len(good) == 1 + kept and all(s.is_valid and s.geom_type in {"Polygon", "MultiPolygon"} for _, s in good)


_NUMBERS = st.floats(-200, 200) | st.just(float("nan")) | st.just(float("inf")) | st.just(0.0)


@given(st.lists(st.lists(st.tuples(_NUMBERS, _NUMBERS), min_size=4, max_size=6), max_size=5))
def test_no_shape_breaks_the_screen(rings: list[list[tuple[float, float]]]) -> None:
    china = Territory(shapely.box(*CHINA), "China")
    finite = [shapely.Polygon(r) for r in rings if np.isfinite(r).all()]
    features = [Feature(k, s, {}) for k, s in enumerate([*finite, *map(shapely.MultiPoint, rings)], 1)]
    screen = Screen(Placing("EPSG:4326"), china)
    for _, shape in screen.pass_through(features):
        assert shape.is_valid and not shape.is_empty


def test_known_places_choose_the_meridian_where_no_outline_is() -> None:
    province = replace(of_code("220105"), near=(125.4, 43.87))
    for code in (4551, 4530, 4510):
        found = placing(None, "auto", to_projected(*HERE, code), territory=province)
        assert found.point(*to_projected(*HERE, code)) == pytest.approx(HERE, abs=1e-4)
    with pytest.raises(FileUnreadable):
        placing(None, "auto", to_projected(*HERE, 4551), territory=replace(province, near=(110.0, 30.0)))


@pytest.mark.parametrize("declared", ["EPSG:4551", "EPSG:4326"])
def test_northing_before_easting_is_refused_even_where_places_outside_are_taken(declared: str) -> None:
    x, y = to_projected(*HERE, 4551) if declared == "EPSG:4551" else HERE
    screen = Screen(placing(declared, "auto", (y, x)), DISTRICT, refuse_outside=False, warn_outside=True)
    far = shapely.Point(116.4, 39.9) if declared == "EPSG:4326" else shapely.Point(x + 90_000, y)
    taken = list(screen.pass_through([Feature(1, shapely.Point(y, x), {}), Feature(2, far, {})]))
    assert [f.number for f, _ in taken] == [2]
    assert [(f.number, f.code) for f in screen.flaws] == [(1, "axes_swapped"), (2, "place_outside")]
