"""Tiles: built once, read from memory, rebuilt when the city changes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import shapely
from sqlalchemy import Engine

from core.errors import InputInvalid
from core.settings import Settings
from layers.build import build_tiles
from layers.tiles import TileSet, load_tilesets
from storage.session import make_engine, session_scope
from storage.tables.registry import Division
from tests.databases import create_all


@pytest.fixture
def city(settings: Settings) -> Engine:
    engine = make_engine(settings.database_url)
    create_all(engine)
    add(engine, "220105", shapely.box(125.3, 43.8, 125.4, 43.9))
    return engine


def add(engine: Engine, code: str, shape: shapely.Geometry) -> None:
    with session_scope(engine) as session:
        session.add(Division(code=code, name="二道区", level="district", geometry=shapely.to_wkb(shape)))


def tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    import math

    n = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * n), int(y * n)


def test_what_was_built_can_be_read(city: Engine, settings: Settings) -> None:
    said: list[str] = []
    built = build_tiles(settings, said.append)
    assert [p.name for p in built] == ["divisions.pmtiles"] and len(said) == 1
    tiles = load_tilesets(settings.tiles_dir)["divisions"]
    x, y = tile_of(125.35, 43.85, 10)
    data = tiles.get(10, x, y)
    assert data is not None and tiles.encoding == "gzip"
    assert "二道区".encode() in gzip.decompress(data) and b"divisions" in gzip.decompress(data)
    assert tiles.get(10, 0, 0) is None and tiles.get(99, 1, 1) is None
    assert tiles.bounds == pytest.approx((125.3, 43.8, 125.4, 43.9), abs=1e-4)


def test_nothing_changed_nothing_built(city: Engine, settings: Settings) -> None:
    build_tiles(settings, lambda text: None)
    said: list[str] = []
    build_tiles(settings, said.append)
    assert said == []
    add(city, "220106", shapely.box(125.4, 43.8, 125.5, 43.9))
    build_tiles(settings, said.append)
    assert len(said) == 1
    assert load_tilesets(settings.tiles_dir)["divisions"].bounds[2] == pytest.approx(125.5, abs=1e-4)


def test_no_tiles_no_error(settings: Settings, tmp_path: Path) -> None:
    assert load_tilesets(tmp_path / "none") == {}


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "roads.pmtiles"
    path.write_bytes(b"not tiles at all" * 20)
    with pytest.raises(InputInvalid, match="roads"):
        TileSet(path)


def test_a_broken_archive_does_not_hide_the_others(city: Engine, settings: Settings) -> None:
    build_tiles(settings, lambda text: None)
    (settings.tiles_dir / "roads.pmtiles").write_bytes(b"broken")
    assert list(load_tilesets(settings.tiles_dir)) == ["divisions"]
