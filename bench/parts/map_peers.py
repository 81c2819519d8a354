"""Pages of peers over the demo's own data: plotly's map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyogrio
from sqlalchemy import select

from core.settings import Settings
from storage.session import make_engine, read_scope
from storage.tables.registry import Camera

MOST_BUILDINGS = 20_000


def _cameras(settings: Settings) -> list[Any]:
    engine = make_engine(settings.database_url)
    with read_scope(engine) as session:
        query = select(Camera.lon, Camera.lat, Camera.name).where(Camera.lon.is_not(None))
        found = list(session.execute(query))
    engine.dispose()
    return found


def plotly_page(settings: Settings, folder: Path) -> Path:
    """Buildings as a choropleth, streets as lines, cameras as clustered points; nothing from the network."""
    import plotly.graph_objects as go

    buildings = pyogrio.read_dataframe(settings.data_dir / "city" / "buildings.fgb", max_features=MOST_BUILDINGS)
    buildings = buildings.reset_index(drop=True)
    cameras = _cameras(settings)
    figure = go.Figure()
    figure.add_choroplethmap(
        geojson=buildings.geometry.__geo_interface__, locations=buildings.index.astype(str),
        z=buildings.get("height_m", buildings.index), showscale=False,
    )  # fmt: skip
    figure.add_scattermap(
        lon=[c.lon for c in cameras], lat=[c.lat for c in cameras], text=[c.name for c in cameras], mode="markers",
        cluster={"enabled": True},
    )  # fmt: skip
    figure.update_layout(
        map={"style": "white-bg", "center": {"lon": 125.37, "lat": 43.87}, "zoom": 13.6}, height=768,
        margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False,
    )  # fmt: skip
    file = folder / "plotly.html"
    map_ = "document.querySelector('.js-plotly-plot')._fullLayout.map._subplot.map"
    when = f"{map_}.once('idle', () => {{ window.__peerReady = true; }})"
    figure.write_html(file, include_plotlyjs=True, post_script=when)
    return file
