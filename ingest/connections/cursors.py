"""How far a sender was read.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def greatest(found: Iterable[Any], before: str) -> str:
    """The greatest of ``found`` and ``before``; numbers compare as numbers, all else as text."""
    known = [v for v in found if isinstance(v, str | int | float) and not isinstance(v, bool) and v != ""]
    numbers = [_number(str(v)) for v in [*known, *([before] if before else [])]]
    if known and all(n is not None for n in numbers):
        most = max(n for n in numbers if n is not None)
        return str(int(most)) if float(most).is_integer() and abs(most) < 1e15 else repr(most)
    return max([*(str(v) for v in known), before])


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if text.isascii() and "_" not in text and value == value and abs(value) != float("inf") else None
