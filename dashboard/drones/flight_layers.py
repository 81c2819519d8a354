"""A flight that was matched becomes a layer of the map: its quick mosaic as raster tiles, dated, by right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely
from rasterio.warp import transform_bounds

from core.clock import BEIJING
from core.settings import Settings
from dashboard.drones.mapped import beside_the_map
from dashboard.drones.mosaics import Laid, mosaic
from dashboard.drones.routes import VIEWERS
from layers.catalogue.kinds import LayerWish
from layers.catalogue.report import LayerReport
from layers.catalogue.take import take_in
from layers.rasters.change import NotComparable, changes
from layers.territory import Territory
from storage.drones import FlightView

LEAST_PAIRS = 2
MOST_EARLIER = 5


def mosaic_file(settings: Settings, flight_id: str) -> Path:
    """Where a flight's mosaic lies."""
    return settings.data_dir / "mosaics" / f"{flight_id}.tif"


def changes_file(settings: Settings, flight_id: str) -> Path:
    """Where the change since the flight before lies, as GeoJSON."""
    return settings.data_dir / "mosaics" / f"{flight_id}.changes.json"


def layer_name(flight_id: str, of: str = "mosaic") -> str:
    """The name of a flight's layer: its quick ``mosaic``, or the ``survey`` that photogrammetry made of it."""
    return f"{of}-{flight_id}"[:60]


def compare(settings: Settings, flight: FlightView, earlier: Sequence[FlightView]) -> Path | None:
    """What changed since the newest earlier flight whose mosaic can be compared; None where there is none.

    ``problem`` names why where there was one and it could not.
    """
    new = mosaic_file(settings, flight.flight_id)
    before = [f for f in earlier if f.first_at and flight.first_at and f.first_at < flight.first_at]
    told: dict[str, Any] | None = None
    for other in sorted(before, key=lambda f: str(f.first_at), reverse=True)[:MOST_EARLIER]:
        old = mosaic_file(settings, other.flight_id)
        if not old.is_file():
            continue
        since = {"since_flight": other.flight_id, "since_name": other.name, "since": str(other.first_at)}
        try:
            told = {**beside_the_map(settings, changes(old, new).geojson()), **since}
            break
        except NotComparable as error:
            told = told or {"type": "FeatureCollection", "features": [], **since, "problem": str(error)}
    if told is None:
        return None
    target = changes_file(settings, flight.flight_id)
    part = target.with_suffix(".part")
    part.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    part.replace(target)
    return target


def make_layer(settings: Settings, flight: FlightView, laid: Laid) -> LayerReport | None:
    """Write the COG and its tiles; None where too few pictures match to be one picture."""
    if len(laid.found) < LEAST_PAIRS:
        return None
    target = mosaic_file(settings, flight.flight_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    report, told = mosaic(laid, target)
    west, south, east, north = transform_bounds(f"EPSG:{laid.plane.epsg}", "EPSG:4326", *report.bounds)
    day = flight.first_at.astimezone(BEIJING).date().isoformat() if flight.first_at else ""
    name = flight.name or flight.flight_id[:8]
    wish = LayerWish(
        name=layer_name(flight.flight_id), kind="orthophoto", crs=f"EPSG:{laid.plane.epsg}", date=day,
        title={"zh": f"航拍拼图 {name} {day}".strip(), "en": f"Mosaic {name} {day}".strip()},
        source=f"{len(report.used)} photos, ± {told['residual_m']} m between them, not surveyed",
        params={"roles": list(VIEWERS)},
    )  # fmt: skip
    return take_in(settings, target, Territory(shapely.box(west, south, east, north), name), wish)
