"""The columns of the city folder's tables: the first one is the key."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from core.records import AlgorithmConfig, Zone

_YES = {"1", "true", "yes", "是", "on"}
_NO = {"0", "false", "no", "否", "off"}


@dataclass(frozen=True)
class Column:
    """One column; ``kind``: text, lon, lat, number, whole, yesno, object, algorithms, zones, roles or geometry."""

    name: str
    kind: str = "text"
    required: bool = False
    default: Any = None
    pattern: str = ""
    length: int = 200
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf

    def fallback(self) -> Any:
        """The value of an empty field."""
        if self.kind == "object":
            return dict(self.default or {})
        if self.kind in {"algorithms", "zones", "roles"}:
            return list(self.default or [])
        if self.kind == "text" and self.default is None:
            return ""
        return self.default

    def parse(self, value: Any) -> Any:
        """The typed value; ``ValueError`` says what is wrong."""
        if self.kind in {"lon", "lat", "number", "whole"}:
            return self._number(value)
        text = str(value).strip()
        if self.kind == "yesno":
            if text.lower() not in _YES | _NO:
                raise ValueError(f"{text!r} is neither yes nor no")
            return text.lower() in _YES
        if self.kind in {"object", "algorithms", "zones"}:
            return self._structure(value, text)
        if self.kind == "roles":
            return sorted({r for r in re.split(r"[;,、\s]+", text) if r})
        return self._text(text)

    def _number(self, value: Any) -> float | int:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{value!r} is not a number") from None
        low, high = {"lon": (-180, 180), "lat": (-90, 90)}.get(self.kind, (self.low, self.high))
        if not low <= number <= high:  # also catches NaN
            raise ValueError(f"{number} is outside {low} … {high}")
        if self.kind != "whole":
            return number
        if number != int(number):
            raise ValueError(f"{value!r} is not a whole number")
        return int(number)

    def _structure(self, value: Any, text: str) -> Any:
        try:
            found = json.loads(text) if isinstance(value, str) else value
        except json.JSONDecodeError as error:
            raise ValueError(f"is not JSON: {error}") from None
        model: Any = {"object": dict[str, Any], "algorithms": list[AlgorithmConfig], "zones": list[Zone]}[self.kind]
        try:
            return msgspec.to_builtins(msgspec.convert(found, model))
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None

    def _text(self, text: str) -> str:
        if len(text) > self.length:
            raise ValueError(f"longer than {self.length} characters")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ValueError(f"{text!r} does not look like {self.pattern}")
        if self.choices and text not in self.choices:
            raise ValueError(f"{text!r} is none of: {', '.join(self.choices)}")
        return text


ROLES = ("admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer")
_ID = r"[A-Za-z0-9][A-Za-z0-9_.:=-]*"
_LON, _LAT = Column("lon", "lon"), Column("lat", "lat")
_PLACE = (_LON, _LAT)
_OWNED = (Column("division_code", pattern=r"\d{6}|\d{9}|\d{12}"), Column("department_id", length=40))

TABLES: dict[str, tuple[Column, ...]] = {
    "divisions": (
        Column("code", required=True, pattern=r"\d{6}|\d{9}|\d{12}"),
        Column("name", length=80),
        Column("level", choices=("district", "street", "community")),
        Column("parent_code", pattern=r"\d{6}|\d{9}"),
        *_PLACE,
        Column("source"),
        Column("geometry", "geometry"),
    ),
    "departments": (
        Column("department_id", required=True, pattern=_ID, length=40),
        Column("name", required=True, length=80),
        Column("name_en", length=120),
        Column("kind", default="bureau", choices=("bureau", "street", "centre", "company")),
        Column("parent_id", length=40),
        Column("division_code", pattern=r"\d{6}|\d{9}|\d{12}"),
        Column("phone", length=40),
    ),
    "grid": (
        Column("code", required=True, pattern=r"\d{15}"),
        Column("source", length=40),
        Column("geometry", "geometry"),
    ),
    "sites": (
        Column("site_id", required=True, pattern=_ID, length=40),
        Column("name", required=True, length=120),
        Column("name_en", length=160),
        Column("kind", required=True, pattern=r"[a-z_]+", length=24),
        Column("lon", "lon", required=True),
        Column("lat", "lat", required=True),
        *_OWNED,
        Column("address"),
        Column("attributes", "object"),
        Column("source", length=40),
        Column("geometry", "geometry"),
    ),
    "cameras": (
        Column("camera_id", required=True, pattern=_ID, length=40),
        Column("name", required=True, length=120),
        Column("category", default="general", pattern=r"[a-z_]+", length=24),
        Column("site_id", length=40),
        Column("url", length=500),
        Column("sub_url", length=500),
        *_PLACE,
        *_OWNED,
        Column("analysis_fps", "number", default=2.0, low=0.01, high=30),
        Column("priority", "whole", default=5, low=1, high=9),
        Column("algorithms", "algorithms", default=()),
        Column("zones", "zones", default=()),
        Column("calibration", "object", default=()),
        Column("enabled", "yesno", default=True),
        Column("risk", "number", default=0.5, low=0, high=1),
        Column("attributes", "object"),
        Column("source", length=40),
        Column("geometry", "geometry"),
    ),
    "devices": (
        Column("device_id", length=120),
        Column("source", required=True, pattern=r"[a-z0-9_]+", length=24),
        Column("address", required=True, length=80),
        Column("name", length=120),
        Column("device_type", length=40),
        Column("status", default="quarantine", choices=("accepted", "quarantine", "disabled")),
        Column("site_id", length=40),
        *_PLACE,
        Column("coord_sys", default="wgs84", choices=("wgs84", "gcj02", "bd09", "cgcs2000")),
        Column("department_id", length=40),
        Column("expected_interval_s", "number", low=0.1, high=31_536_000),
        Column("calibration", "object"),
        Column("ranges", "object"),
        Column("attributes", "object"),
        Column("geometry", "geometry"),
    ),
    "users": (
        Column("user_id", required=True, pattern=_ID, length=40),
        Column("login", required=True, pattern=r"[A-Za-z0-9][A-Za-z0-9_.@-]*", length=60),
        Column("name", required=True, length=60),
        Column("roles", "roles", required=True),
        *_OWNED,
        Column("phone", length=30),
        Column("language", default="zh", choices=("zh", "en")),
        Column("source", length=40),
    ),
}
