"""The ground as pictures: tiles are read as GDAL reads them, colours are the page's, tiles are kept and replaced."""

from __future__ import annotations

import io
import math
import os
import re
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import InputInvalid
from dashboard.ogc.point_tiles import point_tile
from layers.ground.colours import THEMES
from layers.ground.kept import DrawnGround
from layers.ground.vector_tile import POINT, POLYGON, shapes
from layers.tiles import TileSet

HERE = (125.4, 43.88)
ROOT = Path(__file__).parents[4]


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**z), int(down * 2**z)


def archive(folder: Path, name: str, shape: shapely.Geometry, low: int, high: int, **columns: str) -> TileSet:
    frame = geopandas.GeoDataFrame({k: [v] for k, v in columns.items()}, geometry=[shape], crs=4326)
    file = folder / f"{name}.pmtiles"
    pyogrio.write_dataframe(frame, file, layer=name, driver="PMTiles", MINZOOM=str(low), MAXZOOM=str(high))
    return TileSet(file)


@pytest.fixture(scope="module")
def tilesets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TileSet]:
    folder = tmp_path_factory.mktemp("tiles")
    house = shapely.box(HERE[0], HERE[1], HERE[0] + 0.002, HERE[1] + 0.002)
    street = shapely.LineString([(HERE[0] - 0.01, HERE[1] - 0.001), (HERE[0] + 0.01, HERE[1] - 0.001)])
    district = shapely.box(125.3, 43.8, 125.5, 43.95)
    return {
        "buildings": archive(folder, "buildings", house, 13, 15, use="office"),
        "roads": archive(folder, "roads", street, 10, 14, **{"class": "primary"}),
        "divisions": archive(folder, "divisions", district, 8, 13, level="district"),
    }


def colour_at(data: bytes, lon: float, lat: float, z: int) -> tuple[int, ...]:
    x, y = tile_at(lon, lat, z)
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z - y
    image = Image.open(io.BytesIO(data)).convert("RGB")
    found = image.getpixel((int(((lon + 180) / 360 * 2**z - x) * 512), int(down * 512)))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: str) -> bool:
    rgb = [int(wanted[k : k + 2], 16) for k in (1, 3, 5)]
    return max(abs(a - b) for a, b in zip(found, rgb, strict=True)) <= 12


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("z", [13, 15, 16])
def test_a_house_a_street_and_the_land_stand_where_they_are(
    tmp_path: Path, tilesets: dict[str, TileSet], theme: str, z: int
) -> None:
    ground, colours = DrawnGround(tmp_path, tilesets), THEMES[theme]
    spots = [(HERE[0] + 0.001, HERE[1] + 0.001, colours.buildings["commercial"]),
             (HERE[0], HERE[1] - 0.001, colours.major), (HERE[0], HERE[1] - 0.004, colours.land)]  # fmt: skip
    for lon, lat, wanted in spots:
        data = ground.tile(theme, z, *tile_at(lon, lat, z))
        assert data is not None and near(colour_at(data, lon, lat, z), wanted), (lon, lat)


def test_tiles_are_kept_and_go_with_the_archives_they_were_drawn_from(
    tmp_path: Path, tilesets: dict[str, TileSet]
) -> None:
    ground = DrawnGround(tmp_path, tilesets)
    at = tile_at(*HERE, 13)
    first = ground.tile("day", 13, *at)
    assert ground.tile("day", 13, *at) == first
    os.utime(tilesets["roads"].path, (1, 1))
    newer = DrawnGround(tmp_path, tilesets)
    assert newer.mark != ground.mark
    newer.tile("day", 13, *at)
    assert [p.name for p in (tmp_path / "drawn").iterdir()] == [newer.mark]
    assert newer.tile("day", 20, 0, 0) is None and newer.tile("day", 13, -1, 0) is None
    assert DrawnGround(tmp_path, {}).bounds is None


def test_the_colours_are_those_of_the_page() -> None:
    text = (ROOT / "dashboard/static/ui/map/palette.mjs").read_text(encoding="utf-8")
    blocks = {name: text.split(f"const {name} = {{", 1)[1].split("};", 1)[0] for name in ("NIGHT", "DAY", "CONTRAST")}
    for theme, colours in THEMES.items():
        said = {**dict(re.findall(r'(\w+): "(#\w{6})"', blocks["NIGHT"])),
                **dict(re.findall(r'(\w+): "(#\w{6})"', blocks[theme.upper()]))}  # fmt: skip
        own = {k: v for k, v in vars(colours).items() if isinstance(v, str)} | colours.buildings
        assert own == {k: said[k] for k in own}, theme


def test_the_streets_ranks_are_those_of_the_page() -> None:
    from layers.ground.colours import MAJOR, TRUNK

    text = (ROOT / "dashboard/static/ui/map/style.mjs").read_text(encoding="utf-8")
    for name, own in (("MAJOR", MAJOR), ("TRUNK", TRUNK)):
        line = re.search(rf"const {name} = \[(.*?)\]", text)
        assert line is not None and set(re.findall(r'"(\w+)"', line.group(1))) == own


def test_holes_and_properties_are_read(tilesets: dict[str, TileSet]) -> None:
    z, (x, y) = 15, tile_at(HERE[0] + 0.001, HERE[1] + 0.001, 15)
    extent, found = shapes(tilesets["buildings"].get(z, x, y) or b"", "buildings")
    assert extent == 4096 and [(s.kind, s.properties) for s in found] == [(POLYGON, {"use": "office"})]
    assert shapes(tilesets["buildings"].get(z, x, y) or b"", "roads") == (4096, [])


NUMBERS = st.one_of(st.integers(0, 2**31), st.booleans(), st.floats(allow_nan=False), st.text(max_size=8))


@given(st.lists(st.tuples(st.floats(125.39, 125.41), st.floats(43.87, 43.89), NUMBERS), min_size=1, max_size=20))
def test_what_was_written_is_read(rows: list[tuple[float, float, object]]) -> None:
    features = [{"geometry": {"type": "Point", "coordinates": [x, y]}, "properties": {"a": v}} for x, y, v in rows]
    z, (tx, ty) = 10, tile_at(125.4, 43.88, 10)
    _, found = shapes(point_tile("p", features, z, tx, ty), "p")
    assert [s.properties["a"] for s in found] == [v for *_, v in rows]
    for shape, (lon, _, _) in zip(found, rows, strict=True):
        assert shape.kind == POINT and abs(shape.parts[0][0][0] - ((lon + 180) / 360 * 2**z - tx) * 4096) <= 1


@given(st.binary(max_size=60))
def test_rubbish_is_refused_or_empty(data: bytes) -> None:
    try:
        shapes(b"\x1a" + bytes([len(data)]) + data, "")
    except InputInvalid:
        return
