"""Vector tiles of the city: buildings, roads, divisions, grid → one PMTiles file each, by GDAL.

Only what changed is built again; a stamp beside each file holds the hash of its input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import select

from core.settings import Settings
from storage.session import make_engine, read_scope
from storage.tables.registry import Division, GridCell

Progress = Callable[[str], None]
_FORMAT = "1"  # raise when the tiles of the same input would differ


@dataclass(frozen=True)
class TileSpec:
    """A tileset: its layer has the same name; zooms are whole."""

    name: str
    min_zoom: int
    max_zoom: int


SPECS = (
    TileSpec("divisions", 5, 13),
    TileSpec("roads", 8, 14),
    TileSpec("grid", 13, 15),
    TileSpec("buildings", 12, 15),
)


def build_tiles(settings: Settings, progress: Progress = print) -> list[Path]:
    """Build what is missing or stale below ``settings.tiles_dir``; returns the tilesets that exist."""
    settings.tiles_dir.mkdir(parents=True, exist_ok=True)
    made = []
    for spec in SPECS:
        path = settings.tiles_dir / f"{spec.name}.pmtiles"
        frame_source = _source(settings, spec.name)
        if frame_source is None:
            continue
        digest, load = frame_source
        stamp = path.with_suffix(".sha256")
        if not (path.exists() and stamp.exists() and stamp.read_text() == digest):
            frame = load()
            if not len(frame):
                continue
            progress(f"tiles: {spec.name} ({len(frame)} features)")
            _write(frame, path, spec)
            stamp.write_text(digest)
        made.append(path)
    return made


def _source(settings: Settings, name: str) -> tuple[str, Callable[[], Any]] | None:
    if name in {"roads", "buildings"}:
        file = settings.data_dir / "city" / f"{name}.fgb"
        if not file.exists():
            return None
        return _digest(file.read_bytes()), lambda: _read_file(file)
    rows = _divisions(settings) if name == "divisions" else _grid(settings)
    if not rows:
        return None
    return _digest(repr([(r["code"], r["wkb"]) for r in rows]).encode()), lambda: _frame(rows)


def _digest(data: bytes) -> str:
    return hashlib.sha256(_FORMAT.encode() + data).hexdigest()


def _read_file(file: Path) -> Any:
    import geopandas

    return geopandas.read_file(file)


def _frame(rows: list[dict[str, Any]]) -> Any:
    import geopandas

    shapes = shapely.from_wkb([r["wkb"] for r in rows])
    columns = {k: [r[k] for r in rows] for k in rows[0] if k != "wkb"}
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def _divisions(settings: Settings) -> list[dict[str, Any]]:
    engine = make_engine(settings.database_url)
    try:
        with read_scope(engine) as session:
            found = session.execute(
                select(Division.code, Division.name, Division.level, Division.geometry).order_by(Division.code)
            )
            return [{"code": c, "name": n, "level": lv, "wkb": w} for c, n, lv, w in found if w]
    finally:
        engine.dispose()


def _grid(settings: Settings) -> list[dict[str, Any]]:
    engine = make_engine(settings.database_url)
    try:
        with read_scope(engine) as session:
            found = session.execute(select(GridCell.code, GridCell.geometry).order_by(GridCell.code))
            return [{"code": c, "wkb": w} for c, w in found]
    finally:
        engine.dispose()


def _write(frame: Any, path: Path, spec: TileSpec) -> None:
    import pyogrio

    partial = path.with_name(f"{path.stem}-part.pmtiles")
    partial.unlink(missing_ok=True)
    pyogrio.write_dataframe(
        frame,
        partial,
        layer=spec.name,
        driver="PMTiles",
        MINZOOM=str(spec.min_zoom),
        MAXZOOM=str(spec.max_zoom),
        SIMPLIFICATION="0",
        MAX_SIZE="2000000",
        MAX_FEATURES="200000",
    )
    partial.replace(path)
