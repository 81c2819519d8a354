"""Is an answer of its question's type?  And are two answers the same?"""

from __future__ import annotations

import re
from typing import Any

from core.forms.dates import day_of, instant_of
from core.forms.model import NUMBER_TYPES, Question
from core.forms.values import as_number, is_empty

MOST_TEXT = 100_000
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def is_odd(value: Any) -> bool:
    """Neither a plain value nor a list of plain values: no question has such an answer."""
    plain = (str, int, float, type(None))
    if isinstance(value, list | tuple):
        return not all(isinstance(item, plain) for item in value)
    return not isinstance(value, plain)


def type_error(question: Question, value: Any) -> str | None:
    """The code of what is wrong with a value that is not empty, or None."""
    kind = question.type
    if kind in NUMBER_TYPES:
        return _number_error(kind, value)
    if kind in ("select_multiple", "rank"):
        names = value if isinstance(value, list | tuple) else [value]
        return None if all(isinstance(name, str) for name in names) else "not-a-choice"
    if kind in ("image", "file"):
        files = value if isinstance(value, list | tuple) else [value]
        return None if all(isinstance(name, str) for name in files) else "not-a-file"
    if kind == "acknowledge":
        return None if value is True or value in ("OK", "true") else "constraint"
    if kind == "geopoint":
        return None if _is_point(value) else "not-a-point"
    if isinstance(value, int | float) and not isinstance(value, bool) and kind in ("select_one", "text", "barcode"):
        return "not-a-text"
    if not isinstance(value, str | bool) or (isinstance(value, bool) and kind != "hidden"):
        return "not-a-text"
    return "too-long" if isinstance(value, str) and len(value) > MOST_TEXT else _date_error(kind, value)


def _number_error(kind: str, value: Any) -> str | None:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        return "not-a-number"
    number = as_number(value) if isinstance(value, int | float | str) else None
    if number is None:
        return "not-a-number"
    return "not-integer" if kind == "integer" and number != int(number) else None


def _date_error(kind: str, value: Any) -> str | None:
    if kind == "date" and not (isinstance(value, str) and _DATE.fullmatch(value) and day_of(value)):
        return "not-a-date"
    if kind == "dateTime" and (instant_of(value) is None or _DATE.fullmatch(str(value))):
        return "not-a-date"
    return "not-a-date" if kind == "time" and not _TIME.fullmatch(str(value)) else None


def _is_point(value: Any) -> bool:
    """``"latitude longitude [altitude [accuracy]]"`` in degrees and metres, as ODK writes it."""
    parts = value.split(" ") if isinstance(value, str) else []
    if not 2 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return False
    return abs(float(parts[0])) <= 90 and abs(float(parts[1])) <= 180


def same_answer(sent: Any, computed: Any) -> bool:
    """Equal as answers: numbers by value whatever their form, empty equals empty."""
    if is_empty(sent) or is_empty(computed):
        return is_empty(sent) and is_empty(computed)
    if isinstance(sent, bool) or isinstance(computed, bool):
        return sent is computed
    if isinstance(computed, int | float):
        return as_number(sent) == float(computed)
    return bool(sent == computed)
