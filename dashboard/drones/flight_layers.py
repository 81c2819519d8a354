"""A flight that was matched becomes a layer of the map: its quick mosaic as raster tiles, dated, by right."""

from __future__ import annotations

from pathlib import Path

import shapely
from rasterio.warp import transform_bounds

from core.clock import BEIJING
from core.settings import Settings
from dashboard.drones.mosaics import Laid, mosaic
from dashboard.drones.routes import VIEWERS
from layers.catalogue.kinds import LayerWish
from layers.catalogue.report import LayerReport
from layers.catalogue.take import take_in
from layers.territory import Territory
from storage.drones import FlightView

LEAST_PAIRS = 2


def mosaic_file(settings: Settings, flight_id: str) -> Path:
    """Where a flight's mosaic lies."""
    return settings.data_dir / "mosaics" / f"{flight_id}.tif"


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
        name=f"mosaic-{flight.flight_id}"[:60], kind="orthophoto", crs=f"EPSG:{laid.plane.epsg}", date=day,
        title={"zh": f"航拍拼图 {name} {day}".strip(), "en": f"Mosaic {name} {day}".strip()},
        source=f"{len(report.used)} photos, ± {told['residual_m']} m between them, not surveyed",
        params={"roles": list(VIEWERS)},
    )  # fmt: skip
    return take_in(settings, target, Territory(shapely.box(west, south, east, north), name), wish)
