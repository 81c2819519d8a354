"""``buildings``: ground plans, raised by their height.

Without a height the storeys count three metres each; without both nine metres are drawn.
"""

from __future__ import annotations

from core.plugins import About
from layers.contract import Attribute, LayerKind, LayerParams, LegendEntry, Likeness

ABOUT = About(zh="建筑", en="Buildings")


class Params(LayerParams, frozen=True, kw_only=True):
    """Zooms and roles only."""


_HEIGHT = [
    "case",
    ["has", "height_m"],
    ["to-number", ["get", "height_m"]],
    ["has", "storeys"],
    ["*", 3, ["to-number", ["get", "storeys"]]],
    9,
]


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="buildings",
        families=frozenset({"polygon"}),
        attributes=(
            Attribute("name", ("名称", "建筑名称", "name:zh")),
            Attribute("kind", ("用途", "type", "building", "建筑用途")),
            Attribute("height_m", ("height", "高度", "建筑高度"), float),
            Attribute("storeys", ("floors", "levels", "building:levels", "楼层", "层数"), float),
            Attribute("address", ("地址", "addr:full")),
        ),
        zooms=(12, 15),
        style=(
            {
                "type": "fill-extrusion",
                "minzoom": 13,
                "paint": {
                    "fill-extrusion-color": ["interpolate", ["linear"], _HEIGHT, 0, "@low", 45, "@middle", 90, "@high"],
                    "fill-extrusion-height": _HEIGHT,
                    "fill-extrusion-opacity": 1,
                },
            },
        ),
        palette={
            "night": {"low": "#16304f", "middle": "#285685", "high": "#3a76ad"},
            "day": {"low": "#e3e0d8", "middle": "#cfcabd", "high": "#b9b2a1"},
            "contrast": {"low": "#303030", "middle": "#606060", "high": "#909090"},
        },
        legend=(LegendEntry("@low", "低层", "Low"), LegendEntry("@high", "高层", "High")),
        order=40,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a file is buildings, 0 … 1."""
    if file.family != "polygon":
        return 0.0
    fields = {"building", "height", "height_m", "floors", "levels", "层数", "楼层", "高度"}
    return 0.9 if file.fields & fields or file.named("building", "建筑", "房屋", "楼") else 0.2
