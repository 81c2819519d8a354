"""``orthophoto``: a georeferenced picture (GeoTIFF or COG, 8 or 16 bits, with or without transparency)."""

from __future__ import annotations

from core.plugins import About, Words
from layers.contract import LayerKind, LayerParams, Likeness

ABOUT = About(
    zh="正射影像",
    en="Orthophoto",
    params={"opacity": Words("不透明度", "Opacity")},
)


class Params(LayerParams, frozen=True, kw_only=True):
    """``opacity``: 0 … 1 of the picture on the map."""

    opacity: float = 1.0


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="orthophoto",
        form="raster",
        zooms=(8, 20),
        style=({"type": "raster", "paint": {"raster-opacity": params.opacity}},),
        order=10,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a raster is a picture, 0 … 1."""
    return 0.6 if file.family == "raster" else 0.0
