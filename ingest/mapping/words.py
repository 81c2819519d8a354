"""What a sender's value means: numbers in texts, words in any capitals, marks for "no value".  Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Dict
from typing import Any, TypeVar

_LARGEST = 1 << 63

T = TypeVar("T")


def number(found: Any) -> float | int | None:
    """A finite number from a number or its text."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    if isinstance(found, str) and not re.fullmatch(r"[\s+\-0-9.eE]+", found):  # float() takes 1_000 and Arabic digits
        return None
    return value if math.isfinite(value) else None


def is_missing(found: Any, missing: list[float | int | str]) -> bool:
    """Whether the sender's "no value" stands there, be it as number or as text, in whatever capitals."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return False
    if found in missing:
        return True
    plain = number(found)
    for mark in missing:
        if isinstance(mark, str) and isinstance(found, str) and found.strip().casefold() == mark.strip().casefold():
            return True
        if plain is not None and number(mark) == plain:
            return True
    return False


def listed(table: Dict[str, T], found: Any) -> T | None:
    """What the table says of a word: as it stands, else whatever its capitals and blanks, 1.0 as 1."""
    said = word(found)
    if said in table:
        return table[said]
    wanted = said.strip().casefold()
    return next((means for name, means in table.items() if name.strip().casefold() == wanted), None)


_TRUTH = (frozenset(("true", "1", "on", "yes")), frozenset(("false", "0", "off", "no")))


def truth_listed(table: Dict[str, T], found: Any) -> T | None:
    """As :func:`listed`; where the table lists ``1``, ``true``, ``on`` or ``yes`` (or an opposite), each is meant."""
    said = listed(table, found)
    if said is not None:
        return said
    plain = word(found).strip().casefold()
    for words in _TRUTH:
        if plain in words:
            return next((means for name, means in table.items() if name.strip().casefold() in words), None)
    return None


def fitting(value: Any) -> Any:
    """A whole number that no JSON reader could take, as a float."""
    return float(value) if isinstance(value, int) and abs(value) >= _LARGEST else value


def word(found: Any) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, float) and found.is_integer() and abs(found) < 1e15:
        return str(int(found))
    return str(found) if isinstance(found, str | int | float) else ""
