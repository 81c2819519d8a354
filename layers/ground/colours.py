"""The ground's colours in the three themes: those of dashboard/static/ui/map/palette.mjs (a test compares)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroundColours:
    """Colours as ``#rrggbb``; ``buildings`` by use."""

    ground: str
    land: str
    water: str
    green: str
    minor: str
    major: str
    trunk: str
    street: str
    district: str
    buildings: dict[str, str]


THEMES = {
    "night": GroundColours(
        "#071120", "#0c1a2d", "#12375c", "#0f2a26", "#1d3450", "#3a5f8c", "#5d86b8", "#2f6f94", "#58c7f3",
        {"residential": "#27476b", "commercial": "#3a4f86", "public": "#22616a", "industrial": "#3a4757"},
    ),
    "day": GroundColours(
        "#edf1f5", "#f6f8fa", "#a9d0f0", "#d5e9cf", "#ffffff", "#fbe0a6", "#f4c97a", "#8aa3bd", "#0a61b5",
        {"residential": "#d6dfe9", "commercial": "#d9d3ee", "public": "#c3e2de", "industrial": "#dcd8cf"},
    ),
    "contrast": GroundColours(
        "#000000", "#000000", "#003a66", "#0a1a10", "#5a5a5a", "#9a9a9a", "#ffffff", "#ffffff", "#ffe600",
        {"residential": "#222222", "commercial": "#2c2c2c", "public": "#2c2c2c", "industrial": "#222222"},
    ),
}  # fmt: skip
USES = {
    **dict.fromkeys(("commercial", "commerce", "retail", "office", "mixed"), "commercial"),
    **dict.fromkeys(("public", "school", "hospital", "civic", "government"), "public"),
    **dict.fromkeys(("industrial", "industry", "factory", "warehouse"), "industrial"),
}
TRUNK = frozenset(("motorway", "trunk", "motorway_link", "trunk_link", "highway", "expressway"))
MAJOR = TRUNK | {"primary", "secondary", "primary_link", "major", "arterial"}
