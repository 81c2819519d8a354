"""Values of answers and how they turn into numbers, text and truth.  Pure; the same rules as ``values.mjs``.

A value is ``None``, bool, number (a double), text, or a list: of chosen names, or of a repeat's values, one a row.
*Empty* is None, ``''`` and the empty list; 0 and false are answers.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from core.forms.errors import RepeatAsValue

Value = Any

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_BLANK = " \t\r\n"
_FIFTEEN = Context(prec=15, rounding=ROUND_HALF_UP)
_EXACT = 1e15


def is_empty(value: Value) -> bool:
    """Unanswered?"""
    return value is None or (isinstance(value, str | list | tuple) and len(value) == 0)


def finite(value: float) -> float | None:
    """``value`` with 15 significant digits, half away from zero; None for what is not a number; never −0."""
    if not math.isfinite(value):
        return None
    if value == int(value) and -_EXACT < value < _EXACT:
        return value + 0.0 if value else 0.0
    return float(_FIFTEEN.create_decimal(Decimal(value)))


def as_number(value: Value) -> float | None:
    """The number that ``value`` is or shows; None for empty and for other text."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    if isinstance(value, list | tuple):
        value = as_text(value)
    if isinstance(value, str):
        text = value.strip(_BLANK)
        if _NUMBER.fullmatch(text):
            number = float(text)
            return number if math.isfinite(number) else None
    return None


def as_text(value: Value) -> str:
    """``value`` as text: numbers in plain digits, chosen names with blanks between, empty as ``''``."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list | tuple):
        return " ".join(as_text(item) for item in value if not is_empty(item))
    raise RepeatAsValue(column=1, name="?")


def number_text(value: float) -> str:
    """The shortest plain digits that stand for ``value``: ``12.5``, ``1000``, never an exponent."""
    number = as_number(value)
    if number is None:
        return ""
    if number.is_integer() and abs(number) < _EXACT:
        return str(int(number))
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def truth(value: Value) -> bool:
    """Empty, 0 and false are false, everything else is true."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0 and value == value
    return not is_empty(value)


def plain(value: Value) -> Value:
    """``value`` as it goes into JSON: whole numbers without a point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, tuple):
        return list(value)
    return value


def round_half_away(value: float, digits: int) -> float | None:
    """``value`` rounded on its decimal digits (2.675 → 2.68), half away from zero; ``digits`` may be negative."""
    digits = max(-300, min(300, digits))
    shown = Decimal(repr(value))
    exponent = shown.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -digits:
        return finite(value)
    quantum = Decimal(1).scaleb(-digits)
    rounded = shown.quantize(quantum, ROUND_HALF_UP, Context(prec=700, Emin=-9999, Emax=9999))
    return finite(float(rounded))
