"""``rail``: railways and urban rail."""

from __future__ import annotations

from core.plugins import About
from layers.contract import Attribute, LayerKind, LayerParams, LegendEntry, Likeness

ABOUT = About(zh="铁路", en="Rail")


class Params(LayerParams, frozen=True, kw_only=True):
    """Zooms and roles only."""


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="rail",
        families=frozenset({"line"}),
        attributes=(
            Attribute("name", ("名称", "线路名称", "name:zh")),
            Attribute("name_en", ("name:en",)),
            Attribute("class", ("fclass", "railway", "类型")),
        ),
        zooms=(8, 15),
        style=(
            {
                "type": "line",
                "paint": {"line-color": "@line", "line-width": ["interpolate", ["linear"], ["zoom"], 9, 1, 16, 4]},
            },
            {
                "type": "line",
                "minzoom": 12,
                "paint": {
                    "line-color": "@gap",
                    "line-dasharray": [4, 4],
                    "line-width": ["interpolate", ["linear"], ["zoom"], 12, 0.8, 16, 2.4],
                },
            },
            {
                "type": "symbol",
                "minzoom": 13,
                "filter": ["has", "name"],
                "layout": {"symbol-placement": "line", "text-field": ["get", "name"], "text-size": 12},
                "paint": {"text-color": "@text", "text-halo-color": "@gap", "text-halo-width": 1.4},
            },
        ),
        palette={
            "night": {"line": "#4a5f78", "gap": "#07101d", "text": "#8fb2d2"},
            "day": {"line": "#7d8894", "gap": "#ffffff", "text": "#3b4a5a"},
            "contrast": {"line": "#ffffff", "gap": "#000000", "text": "#ffff00"},
        },
        legend=(LegendEntry("@line", "铁路", "Railway", "line"),),
        order=32,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a file is rail, 0 … 1."""
    return 0.95 if file.family == "line" and (file.named("rail", "铁路", "轨道") or "railway" in file.fields) else 0.0
