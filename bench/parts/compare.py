"""Does an answer hold what a vector expects?  Only the keys of ``expect`` count; numbers within ``tolerance``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

PROSE = frozenset({"note", "about"})  # words for the reader, not an expectation
UNORDERED = frozenset({"problems", "errors", "missing", "publish_errors"})  # lists whose order says nothing
_METRES_PER_DEGREE = 111_320.0
_POSITION = ("lon", "lat", "lonlat", "home")
_ANGLE = ("deg", "pitch", "yaw", "roll", "heading", "azimuth", "elevation", "fov")


def agrees(expect: Any, got: Any, tolerance: Mapping[str, float], path: tuple[str, ...] = ()) -> bool:
    """True when every key of ``expect`` is in ``got`` with an equal value."""
    if isinstance(expect, Mapping):
        if not isinstance(got, Mapping):
            return False
        return all(k in got and agrees(v, got[k], tolerance, (*path, k)) for k, v in expect.items() if k not in PROSE)
    if isinstance(expect, list):
        if not isinstance(got, list) or len(expect) != len(got):
            return False
        if path and path[-1] in UNORDERED:
            return sorted(map(repr, expect)) == sorted(map(repr, got))
        return all(agrees(e, g, tolerance, path) for e, g in zip(expect, got, strict=True))
    if _number(expect) and _number(got):
        return expect == got or bool(
            abs(expect - got) <= max(_allowed(path, tolerance, expect), _rounding(expect, tolerance))
        )
    return type(expect) is type(got) and expect == got


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rounding(expect: float, tolerance: Mapping[str, float]) -> float:
    """A vector that names tolerances holds measured numbers: they are written rounded to their last digit."""
    if not tolerance or not isinstance(expect, float):
        return 0.0
    text = repr(expect)
    return 0.0 if "e" in text else 0.5000001 * 10.0 ** -len(text.partition(".")[2])


def _allowed(path: tuple[str, ...], tolerance: Mapping[str, float], expect: float) -> float:
    """The tolerance that belongs to the quantity at ``path``, by its name and unit."""
    if "relative" in tolerance:
        return tolerance["relative"] * abs(expect)
    name = path[-1] if path else ""
    if any("pixel" in part for part in path):
        return tolerance.get("px", 0.0)
    if name.endswith("_m") or "corners_en" in name:
        return tolerance.get("corners_m", tolerance.get("m", 0.0))
    words = name.split("_")
    if any(part in words for part in _POSITION):
        return tolerance.get("lonlat_deg", tolerance.get("deg", tolerance.get("m", 0.0) / _METRES_PER_DEGREE))
    if any(part in name for part in _ANGLE):
        return tolerance.get("angle_deg", tolerance.get("deg", 0.0))
    return max((v for k, v in tolerance.items() if k in ("deg", "m")), default=0.0)
