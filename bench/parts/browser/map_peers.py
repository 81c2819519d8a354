"""Pages of peers over the demo's own data: plotly's map, and deck.gl by pydeck."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pyogrio
from sqlalchemy import select

from storage.session import make_engine, read_scope
from storage.tables.registry import Camera

MOST_BUILDINGS = 20_000
MIDDLE = {"longitude": 125.37, "latitude": 43.87, "zoom": 13.6}
PLOTLY_MAP = "document.querySelector('.js-plotly-plot')._fullLayout.map._subplot.map"
_PYDECK = """
import json, sys, pydeck
told = json.load(open(sys.argv[1]))
layers = [
    pydeck.Layer("GeoJsonLayer", told["buildings"], id="buildings", extruded=True, get_elevation="properties.height_m",
                 get_fill_color=[39, 71, 107], pickable=True),
    pydeck.Layer("ScatterplotLayer", told["cameras"], id="cameras", get_position="at", get_radius=12,
                 get_fill_color=[88, 199, 243]),
]
deck = pydeck.Deck(layers=layers, map_provider=None, initial_view_state=pydeck.ViewState(**told["view"], pitch=52))
deck.to_html(sys.argv[2], offline=True, notebook_display=False, open_browser=False)
"""


def _cameras(data: Path) -> list[Any]:
    engine = make_engine(f"sqlite:///{data / 'yiwang.db'}")
    with read_scope(engine) as session:
        query = select(Camera.lon, Camera.lat, Camera.name).where(Camera.lon.is_not(None))
        found = list(session.execute(query))
    engine.dispose()
    return found


def _buildings(data: Path) -> Any:
    found = pyogrio.read_dataframe(data / "city" / "buildings.fgb", max_features=MOST_BUILDINGS)
    return found.reset_index(drop=True)


def plotly_page(data: Path, folder: Path) -> Path:
    """Buildings as a choropleth, cameras as clustered points; nothing from the network."""
    import plotly.graph_objects as go

    buildings, cameras = _buildings(data), _cameras(data)
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
        map={"style": "white-bg", "center": {"lon": MIDDLE["longitude"], "lat": MIDDLE["latitude"]},
             "zoom": MIDDLE["zoom"]},
        height=768, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False,
    )  # fmt: skip
    file = folder / "plotly.html"
    drawn = f"{PLOTLY_MAP.replace('._', '?._').replace('.map', '?.map')}?.loaded()"
    when = f"const t = setInterval(() => {{ if ({drawn}) {{ clearInterval(t); window.__peerReady = true; }} }}, 30)"
    figure.write_html(file, include_plotlyjs=True, post_script=when)
    return file


def pydeck_page(data: Path, folder: Path, python: str) -> Path | None:
    """Extruded buildings and cameras in deck.gl; None where ``python`` has no pydeck."""
    if not python:
        return None
    buildings = _buildings(data)[["height_m", "geometry"]]
    told = {
        "buildings": json.loads(buildings.to_json()), "view": MIDDLE,
        "cameras": [{"at": [c.lon, c.lat]} for c in _cameras(data)],
    }  # fmt: skip
    source, file = folder / "pydeck.json", folder / "pydeck.html"
    source.write_text(json.dumps(told))
    done = subprocess.run([python, "-c", _PYDECK, str(source), str(file)], capture_output=True, check=False)  # noqa: S603
    return file if done.returncode == 0 and file.is_file() else None
