"""``water``: rivers, lakes and canals as areas or lines."""

from __future__ import annotations

from core.plugins import About
from layers.contract import Attribute, LayerKind, LayerParams, LegendEntry, Likeness

ABOUT = About(zh="水系", en="Water")


class Params(LayerParams, frozen=True, kw_only=True):
    """Zooms and roles only."""


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="water",
        families=frozenset({"polygon", "line"}),
        attributes=(
            Attribute("name", ("名称", "河流名称", "name:zh")),
            Attribute("name_en", ("name:en",)),
            Attribute("class", ("fclass", "waterway", "natural", "kind", "类型")),
        ),
        zooms=(8, 15),
        style=(
            {"type": "fill", "filter": ["==", ["geometry-type"], "Polygon"], "paint": {"fill-color": "@water"}},
            {
                "type": "line",
                "filter": ["==", ["geometry-type"], "LineString"],
                "paint": {"line-color": "@water", "line-width": ["interpolate", ["linear"], ["zoom"], 9, 0.6, 16, 4]},
            },
            {
                "type": "symbol",
                "minzoom": 13,
                "filter": ["has", "name"],
                "layout": {"text-field": ["get", "name"], "text-size": 12},
                "paint": {"text-color": "@text", "text-halo-color": "@halo", "text-halo-width": 1.2},
            },
        ),
        palette={
            "night": {"water": "#0a3350", "text": "#5fa8d8", "halo": "#07101d"},
            "day": {"water": "#a9cfe8", "text": "#2a6a97", "halo": "#ffffff"},
            "contrast": {"water": "#0000ff", "text": "#ffffff", "halo": "#000000"},
        },
        legend=(LegendEntry("@water", "水面", "Water"),),
        order=22,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a file is water, 0 … 1."""
    named = file.named("water", "river", "lake", "水系", "河", "湖")
    return 0.95 if file.family in {"polygon", "line"} and (named or "waterway" in file.fields) else 0.0
