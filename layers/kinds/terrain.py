"""``terrain``: heights in metres (a GeoTIFF of one band), drawn as relief and used to raise the map.

Tiles hold Mapzen's terrarium encoding: height = red·256 + green + blue/256 − 32768 metres.
"""

from __future__ import annotations

from core.plugins import About, Words
from layers.contract import LayerKind, LayerParams, Likeness

ABOUT = About(
    zh="地形",
    en="Terrain",
    params={"exaggeration": Words("垂直夸张", "Exaggeration")},
)


class Params(LayerParams, frozen=True, kw_only=True):
    """``exaggeration``: how much steeper than true the relief is drawn."""

    exaggeration: float = 1.0


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="terrain",
        form="terrain",
        zooms=(6, 14),
        style=({"type": "hillshade", "paint": {"hillshade-exaggeration": min(1.0, 0.4 * params.exaggeration)}},),
        order=0,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a raster is heights, 0 … 1."""
    if file.family != "heights":
        return 0.0
    return 0.9 if file.named("dem", "dsm", "dtm", "terrain", "height", "高程", "地形") else 0.7
