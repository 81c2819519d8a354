"""``city.yaml``: what a city folder says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.errors import InputInvalid
from core.tables.encoding import decode
from core.tables.problem import FileUnreadable

NAME = "city.yaml"
_NAMED = {"wgs84": "wgs84", "cgcs2000": "cgcs2000", "gcj02": "gcj02", "bd09": "bd09"}


class CityConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The district's code and name, the coordinate system of tables, the map's first view, and what a file means.

    ``coordinates`` holds for every lon/lat in a table (wgs84, cgcs2000, gcj02, bd09, EPSG:4551 …); a geodata file's own
    system comes first where it is projected.  ``columns``: table → the files' headings → our columns; ``files``: file
    name → table; ``towgs84``: three or seven parameters for files in Beijing 1954 or Xian 1980.
    """

    code: str
    name: str
    name_en: str = ""
    coordinates: str = "wgs84"
    centre: tuple[float, float] | None = None
    zoom: float = 12.5
    pitch: float = 50.0
    bearing: float = 0.0
    seed: int = 0
    columns: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    files: dict[str, str] = msgspec.field(default_factory=dict)
    towgs84: tuple[float, ...] = ()

    @property
    def system(self) -> str:
        """``coordinates`` as :func:`layers.vector.placing.of_values` takes it."""
        return _NAMED.get(self.coordinates.strip().lower(), self.coordinates)


def read_config(path: Path) -> CityConfig:
    """``city.yaml`` of the folder ``path``; :class:`InputInvalid` says what is wrong with it."""
    file = path / NAME
    if not file.is_file():
        raise InputInvalid(
            field=str(file), detail="no such file", how="give a folder with a city.yaml, see docs/layers.md"
        )
    try:
        found: Any = yaml.safe_load(decode(file.read_bytes())[0].lstrip("\ufeff"))
        if isinstance(found, dict) and isinstance(found.get("code"), int):
            found["code"] = str(found["code"])
        return msgspec.convert(found, CityConfig)
    except (msgspec.ValidationError, yaml.YAMLError, FileUnreadable) as error:
        raise InputInvalid(field=str(file), detail=str(error), how="see the example in docs/layers.md") from error
