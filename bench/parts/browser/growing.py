"""A demo's data folder grown to a large city: 200,000 buildings, 7,000 cameras, 2,000 open cases."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, Table, func, insert, select

from core.settings import load_settings
from layers.build import build_tiles
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.registry import Camera

BUILDINGS, CAMERAS, CASES = 200_000, 7_000, 2_000
WEST, SOUTH, EAST, NORTH = 125.36, 43.80, 125.60, 43.94


def grow(data: Path) -> dict[str, int]:
    """Write buildings, cameras and cases into the folder of a stopped instance; how many there are now."""
    rng = np.random.default_rng(11)
    buildings = _buildings(data, rng)
    settings = load_settings({"YIWANG_DATA_DIR": str(data)})
    build_tiles(settings, lambda _: None)
    engine = make_engine(settings.database_url)
    try:
        cameras = _copies(engine, Camera, CAMERAS, rng, ())
        cases = _copies(engine, Case, CASES, rng, (Case.open.is_(True), Case.lon.is_not(None)))
    finally:
        engine.dispose()
    return {"buildings": buildings, "cameras": cameras, "open_cases": cases}


def _buildings(data: Path, rng: Any) -> int:
    """The demo's own buildings, and squares of 12 to 40 m wherever else."""
    import geopandas
    import pandas
    import pyogrio
    import shapely

    file = data / "city" / "buildings.fgb"
    there = pyogrio.read_dataframe(file)
    missing = max(0, BUILDINGS - len(there))
    west, south = rng.uniform(WEST, EAST, missing), rng.uniform(SOUTH, NORTH, missing)
    side = rng.uniform(12, 40, missing) / 111_320
    made = geopandas.GeoDataFrame(
        {"height_m": rng.uniform(6, 90, missing).round(), "id": [f"grown-{n}" for n in range(missing)]},
        geometry=shapely.box(west, south, west + side * 1.4, south + side), crs=4326,
    )  # fmt: skip
    made = made[[c for c in made.columns if c in there.columns]]
    whole = geopandas.GeoDataFrame(pandas.concat([there, made], ignore_index=True), crs=4326)
    pyogrio.write_dataframe(whole, file.with_suffix(".part.fgb"), driver="FlatGeobuf")
    file.with_suffix(".part.fgb").replace(file)
    return len(whole)


def _copies(engine: Engine, table: type[Any], wanted: int, rng: Any, conditions: Iterable[Any]) -> int:
    """Rows of ``table`` at other places and under names of their own, until there are ``wanted``."""
    rows: Table = table.__table__
    key = next(iter(rows.primary_key.columns)).name
    unique = {c.name for c in rows.columns if c.unique} | {
        i.columns[0].name for i in rows.indexes if i.unique and len(i.columns) == 1
    }
    with read_scope(engine) as session:
        there = session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
        found = [dict(r) for r in session.execute(select(rows).where(*conditions).limit(50)).mappings()]
    more = []
    for number in range(max(0, wanted - there)):
        row = dict(found[number % len(found)])
        row |= {name: f"grown-{number}-{secrets.token_hex(4)}" for name in (key, *unique) if row.get(name) is not None}
        row |= {"lon": float(rng.uniform(WEST, EAST)), "lat": float(rng.uniform(SOUTH, NORTH))}
        more.append(row | ({"happening_key": f"grown-{number}"} if "happening_key" in row else {}))
    if more:
        with session_scope(engine) as session:
            session.execute(insert(rows), more)
    return there + len(more)
