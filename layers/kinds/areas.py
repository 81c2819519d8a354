"""``areas``: any polygons that are no kind of their own; every attribute of the file is kept."""

from __future__ import annotations

from core.plugins import About, Words
from layers.contract import Attribute, LayerKind, LayerParams, LegendEntry, Likeness

ABOUT = About(zh="区域", en="Areas", params={"fill": Words("填充", "Filled")})


class Params(LayerParams, frozen=True, kw_only=True):
    """``fill`` no: only the edges are drawn."""

    fill: bool = True


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="areas",
        families=frozenset({"polygon"}),
        attributes=(
            Attribute("name", ("名称", "title", "label", "name:zh")),
            Attribute("name_en", ("name:en", "英文名称")),
        ),
        zooms=(5, 15),
        style=(
            {"type": "fill", "paint": {"fill-color": "@fill", "fill-opacity": 0.25 if params.fill else 0.0}},
            {"type": "line", "paint": {"line-color": "@edge", "line-width": 1.4}},
            {
                "type": "symbol",
                "minzoom": 12,
                "filter": ["has", "name"],
                "layout": {"text-field": ["get", "name"], "text-size": 12},
                "paint": {"text-color": "@text", "text-halo-color": "@halo", "text-halo-width": 1.4},
            },
        ),
        palette={
            "night": {"fill": "#1f7fb0", "edge": "#38c6f4", "text": "#cfe6f7", "halo": "#07101d"},
            "day": {"fill": "#5aa9d6", "edge": "#1672a4", "text": "#233442", "halo": "#ffffff"},
            "contrast": {"fill": "#ffffff", "edge": "#ffff00", "text": "#ffffff", "halo": "#000000"},
        },
        legend=(LegendEntry("@edge", "区域", "Area"),),
        order=20,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a file is areas, 0 … 1: where no other kind is surer."""
    return 0.5 if file.family == "polygon" else 0.0
