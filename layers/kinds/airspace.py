"""``airspace``: where aircraft without a crew may not fly, or only with a permit.

Fields after 无人驾驶航空器飞行管理暂行条例 (decree 761): ``kind`` prohibited, restricted, controlled, suitable,
temporary or own_geofence; heights in metres above the ground.  Missions are checked against every layer of this kind.
"""

from __future__ import annotations

from core.plugins import About
from layers.contract import Attribute, LayerKind, LayerParams, LegendEntry, Likeness

ABOUT = About(zh="空域", en="Airspace")


class Params(LayerParams, frozen=True, kw_only=True):
    """Zooms and roles only."""


_COLOUR = [
    "match", ["get", "kind"], "prohibited", "@closed", "suitable", "@open", "own_geofence", "@open", "@asked",
]  # fmt: skip


def build(params: Params) -> LayerKind:
    """The kind."""
    kind = LayerKind(
        kind="airspace",
        families=frozenset({"polygon"}),
        attributes=(
            Attribute("kind", ("类别", "空域类别", "type", "airspace")),
            Attribute("name", ("名称", "title", "name:zh")),
            Attribute("reason", ("原因", "why")),
            Attribute("lower_m", ("下限", "floor", "lower"), float),
            Attribute("upper_m", ("上限", "ceiling", "upper"), float),
            Attribute("buffer_m", ("缓冲", "buffer"), float),
            Attribute("valid_from", ("生效时间", "from", "start")),
            Attribute("valid_to", ("失效时间", "to", "end")),
            Attribute("advice", ("建议",)),
            Attribute("source", ("来源",)),
        ),
        zooms=(8, 15),
        style=(
            {"type": "fill", "paint": {"fill-color": _COLOUR, "fill-opacity": 0.18}},
            {"type": "line", "paint": {"line-color": _COLOUR, "line-width": 1.6, "line-dasharray": [3, 2]}},
        ),
        palette={
            "night": {"closed": "#ff5c6c", "asked": "#ffb74d", "open": "#66d9a0"},
            "day": {"closed": "#c62828", "asked": "#b26a00", "open": "#2e7d32"},
            "contrast": {"closed": "#ff0000", "asked": "#ffff00", "open": "#00ff00"},
        },
        legend=(
            LegendEntry("@closed", "禁飞", "Prohibited"),
            LegendEntry("@asked", "需申请", "Permit needed"),
            LegendEntry("@open", "适飞", "Suitable"),
        ),
        order=33,
    )
    return kind.with_params(params)


def likes(file: Likeness) -> float:
    """How surely a file is airspace, 0 … 1."""
    if file.family != "polygon":
        return 0.0
    return 0.95 if file.named("airspace", "空域", "no-fly", "nofly", "禁飞") else 0.0
