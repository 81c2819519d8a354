"""``roads``: streets by class, with their names from zoom 13 on.

Taken from OpenStreetMap (``highway`` or Geofabrik's ``fclass``), or a surveying office's centre lines.
"""

from __future__ import annotations

from core.plugins import About
from layers.contract import Attribute, LayerKind, LayerParams, LegendEntry, Likeness

ABOUT = About(zh="道路", en="Roads")


class Params(LayerParams, frozen=True, kw_only=True):
    """Zooms and roles only."""


_MAJOR = ["motorway", "trunk", "primary", "secondary", "motorway_link", "trunk_link", "primary_link", "expressway"]
_IS_MAJOR = ["in", ["get", "class"], ["literal", _MAJOR]]
_ROUND = {"line-cap": "round", "line-join": "round"}


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="roads",
        families=frozenset({"line"}),
        attributes=(
            Attribute("name", ("名称", "道路名称", "路名", "name:zh")),
            Attribute("name_en", ("name:en", "英文名称")),
            Attribute("class", ("fclass", "highway", "road_class", "道路等级", "等级", "kind_detail")),
            Attribute("ref", ("编号", "道路编号")),
        ),
        zooms=(8, 15),
        style=(
            {
                "type": "line",
                "minzoom": 12,
                "filter": ["!", _IS_MAJOR],
                "layout": _ROUND,
                "paint": {
                    "line-color": "@minor",
                    "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 12, 0.6, 16, 5, 18, 12],
                },
            },
            {
                "type": "line",
                "filter": _IS_MAJOR,
                "layout": _ROUND,
                "paint": {
                    "line-color": "@major",
                    "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 9, 0.8, 13, 2.4, 16, 9, 18, 20],
                },
            },
            {
                "type": "symbol",
                "minzoom": 13,
                "filter": ["has", "name"],
                "layout": {
                    "symbol-placement": "line",
                    "text-field": ["get", "name"],
                    "text-size": 12,
                    "symbol-spacing": 420,
                },
                "paint": {"text-color": "@text", "text-halo-color": "@halo", "text-halo-width": 1.4},
            },
        ),
        palette={
            "night": {"minor": "#1c3554", "major": "#2d5480", "text": "#8fb2d2", "halo": "#07101d"},
            "day": {"minor": "#ffffff", "major": "#f6d98b", "text": "#3b4a5a", "halo": "#ffffff"},
            "contrast": {"minor": "#808080", "major": "#ffffff", "text": "#ffff00", "halo": "#000000"},
        },
        legend=(
            LegendEntry("@major", "主要道路", "Main road", "line"),
            LegendEntry("@minor", "街巷", "Street", "line"),
        ),
        order=30,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a file is roads, 0 … 1."""
    if file.family != "line":
        return 0.0
    if file.named("rail", "铁路", "轨道"):
        return 0.1
    return (
        0.9
        if file.fields & {"highway", "fclass", "road_class"} or file.named("road", "street", "道路", "路网")
        else 0.3
    )
