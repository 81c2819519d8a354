"""What a kind of map layer is: a plug-in in ``layers/kinds`` builds one of these from its ``Params``.

A kind says which geometry and attributes it takes, at which zooms it is drawn, how it looks and what its legend says.
Colours in ``style`` are written ``@name`` and looked up in ``palette`` by the page's theme (night, day, contrast).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from core.plugins import Words

Family = Literal["point", "line", "polygon"]
Form = Literal["vector", "raster", "terrain"]


class LayerParams(msgspec.Struct, frozen=True, kw_only=True):
    """What may be set for every kind (``--set min_zoom=12``): zooms of the tiles, roles that may see the layer."""

    min_zoom: int | None = None
    max_zoom: int | None = None
    roles: tuple[str, ...] = ()


WORDS: dict[str, Words] = {
    "min_zoom": Words("最小缩放级", "Zoom from"),
    "max_zoom": Words("最大缩放级", "Zoom to"),
    "roles": Words("可见角色", "Roles that see it"),
}
"""Names of the parameters that every kind has; a kind's own stand in its ``ABOUT``."""


@dataclass(frozen=True)
class Attribute:
    """An attribute of features: ``also`` are the fields in which files bring it; ``type``: str, float, int."""

    name: str
    also: tuple[str, ...] = ()
    type: type = str


@dataclass(frozen=True)
class LegendEntry:
    """One line of the legend; ``colour`` may be ``@name``."""

    colour: str
    zh: str
    en: str
    shape: Literal["line", "fill", "point"] = "fill"


@dataclass(frozen=True)
class Likeness:
    """What is known of a file whose kind is guessed: its name, its fields (lower case), its commonest geometry."""

    name: str
    fields: frozenset[str]
    family: str

    def named(self, *words: str) -> bool:
        """Whether the file's name holds one of ``words``."""
        return any(word in self.name.casefold() for word in words)


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer, ready: ``families`` it takes (none for rasters), ``zooms`` of its tiles, how it is drawn."""

    kind: str
    form: Form = "vector"
    families: frozenset[str] = frozenset()
    attributes: tuple[Attribute, ...] = ()
    zooms: tuple[int, int] = (8, 15)
    style: tuple[dict[str, Any], ...] = ()
    palette: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    legend: tuple[LegendEntry, ...] = ()
    order: int = 50  # drawn from low to high: 0 relief, 10 pictures, 20 areas, 30 lines, 40 buildings, 50 points
    roles: frozenset[str] = frozenset()

    def with_params(self, params: LayerParams) -> LayerKind:
        """This kind with zooms and roles as ``params`` set them."""
        from dataclasses import replace

        low = self.zooms[0] if params.min_zoom is None else params.min_zoom
        high = self.zooms[1] if params.max_zoom is None else params.max_zoom
        return replace(self, zooms=(low, max(low, high)), roles=frozenset(params.roles) or self.roles)
