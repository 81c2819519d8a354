"""Typed values out of cells as people fill them in; every refusal is a :class:`CellInvalid`."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from core.tables.cells import Cell, CellError
from core.tables.problem import CellInvalid

YES = frozenset({"1", "true", "yes", "y", "on", "是", "有", "对", "√", "启用"})
NO = frozenset({"0", "false", "no", "n", "off", "否", "无", "错", "×", "停用"})
_MARKS = str.maketrans("", "", "\u200b\u200c\u200d\ufeff\u2060\0\x1a")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DMS = re.compile(
    r"([NSEW东西南北])?[a-z纬经]*(\d{1,3})(?:°|度)(\d{1,2}(?:\.\d+)?)(?:'|′|分)"
    r"(?:(\d{1,2}(?:\.\d+)?)(?:\"|″|''|′′|秒))?([NSEW])?"
)
_LOST = re.compile(r"[+-]?\d(\.\d+)?[eE]\+?\d{2,}")
_EXACT = 10**15
_SPLIT = re.compile(r"[;,、|/\s]+")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CLOCK = re.compile(r"(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.(\d{1,9}))?秒?)?分?")
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$", re.IGNORECASE)


def clean(value: Cell | Any) -> Cell | Any:
    """``value`` without blanks and invisible marks around it; :class:`CellInvalid` for error cells."""
    if isinstance(value, CellError):
        if value.text:
            raise CellInvalid("cell_error", value=value.text)
        raise CellInvalid("formula_empty")
    if isinstance(value, str):
        if "\ufffd" in value:
            raise CellInvalid("characters_damaged")
        return value.translate(_MARKS).strip()
    if isinstance(value, float) and math.isnan(value):
        return ""
    return "" if value is None else value


def narrow(text: str) -> str:
    """``text`` with full-width digits, letters and signs made narrow, minus signs made one."""
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2013", "-").strip()


def as_text(value: Any) -> str:
    """The text of a cell: whole numbers without a decimal point, dates as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if whole else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


def number(value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number between ``low`` and ``high``; ``１２５．４``, ``1,250.5`` and ``−3`` are numbers too."""
    if isinstance(value, (bool, date, time, timedelta)):
        raise CellInvalid("not_a_number", value=as_text(value))
    if isinstance(value, str) and any(unicodedata.category(c) == "No" for c in value):  # 1² is not 12
        raise CellInvalid("not_a_number", value=value)
    text = narrow(value) if isinstance(value, str) else value
    if isinstance(text, str) and _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    try:
        if isinstance(text, str) and "_" in text:
            raise ValueError
        found = float(text)
    except (TypeError, ValueError, OverflowError):
        raise CellInvalid("not_a_number", value=value) from None
    if not math.isfinite(found):
        raise CellInvalid("not_a_number", value=value)
    if not low <= found <= high:
        raise CellInvalid("outside", value=found, low=low, high=high)
    return found


def whole(value: Any, low: float = -math.inf, high: float = math.inf) -> int:
    """A whole number between ``low`` and ``high``."""
    found = number(value, low, high)
    if not found.is_integer():
        raise CellInvalid("not_whole", value=value)
    return int(found)


def degrees(value: Any, limit: float) -> float:
    """Degrees between ±``limit``: ``125.4``, ``125.4°``, ``E125.4``, ``125°24′36″E``.

    A number beyond ±``limit`` but within ±180 is given back: whether longitude and latitude are exchanged is
    judged where both are known.
    """
    text = narrow(value) if isinstance(value, str) else value
    if isinstance(text, str):
        found = _DMS.fullmatch(text.replace(" ", "").upper())
        if found:
            size = int(found[2]) + float(found[3]) / 60 + float(found[4] or 0) / 3600
            return -size if (found[1] or found[5] or "") in {"S", "W", "南", "西"} else size
        text = re.sub(r"^[EN东北]经?纬?|[EN]$|°[EN]?$", "", text, flags=re.IGNORECASE)
    try:
        found_number = number(text)
    except CellInvalid:
        raise CellInvalid("not_a_number", value=value) from None
    if limit < abs(found_number) <= 180:
        return found_number
    if abs(found_number) > 1000:
        raise CellInvalid("metres", value=value)
    return number(found_number, -limit, limit)


def yes_no(value: Any) -> bool:
    """是, yes, 1, TRUE … and their opposites."""
    if isinstance(value, bool):
        return value
    text = narrow(as_text(value)).lower()
    if text not in YES | NO:
        raise CellInvalid("not_yes_no", value=as_text(value))
    return text in YES


def items(value: Any) -> list[str]:
    """The parts of a list in one cell, separated by ``; , 、 | /`` (full-width too) or blanks; sorted, once each."""
    if isinstance(value, (list, tuple)):
        return sorted({as_text(v).strip() for v in value if as_text(v).strip()})
    return sorted({part for part in _SPLIT.split(narrow(as_text(value))) if part})


def choices(value: Any, known: Iterable[str]) -> list[str]:
    """A list whose parts are all ``known``."""
    allowed = tuple(known)
    found = items(value)
    for part in found:
        if part not in allowed:
            raise CellInvalid("choice", value=part, known=", ".join(allowed))
    return found


def day(value: Any) -> date:
    """A date: a sheet's own, or ``2026-11-28``, ``2026/11/28``, ``2026年11月28日``, ``20261128``."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = narrow(as_text(value)).replace(" ", "")
    found = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise CellInvalid("not_a_date", value=as_text(value))


def moment(value: Any) -> datetime:
    """A date with its time of day; an offset (``+08:00``, ``Z``) is kept, without one the answer has no zone."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    text = narrow(as_text(value))
    head = _DATE.match(text) or _COMPACT.match(text)
    if not head:
        raise CellInvalid("not_a_date", value=as_text(value))
    rest = text[head.end() :].strip().removeprefix("T").strip()
    zone = _ZONE.search(rest)
    clock = _CLOCK.fullmatch(rest[: zone.start()].strip() if zone else rest)
    if rest and not clock:
        raise CellInvalid("not_a_date", value=as_text(value))
    try:
        found = datetime(int(head[1]), int(head[2]), int(head[3]))
        if clock:
            micro = int((clock[4] or "0").ljust(6, "0")[:6])
            hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
            found = found.replace(hour=hour, minute=minute, second=second, microsecond=micro)
        offset = datetime.fromisoformat(f"2000-01-01T00:00{zone[1].upper()}").tzinfo if zone else None
        return found.replace(tzinfo=offset)
    except ValueError:
        raise CellInvalid("not_a_date", value=as_text(value)) from None


def from_json(value: Any) -> Any:
    """What a cell with JSON holds; values that are structures already pass."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise CellInvalid("not_json", detail=str(error)) from None


def text(value: Any, length: int = 0, pattern: str = "", known: tuple[str, ...] = ()) -> str:
    """A text of at most ``length`` characters that fits ``pattern`` or is one of ``known``.

    Where a pattern or choice is asked for, full-width forms are made narrow first; a long number that a table
    program has shortened (``2.2E+19``) is refused.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= _EXACT:
        raise CellInvalid("digits_lost", value=value)
    found = as_text(value)
    if _LOST.fullmatch(found):
        raise CellInvalid("digits_lost", value=found)
    if pattern or known:
        found = narrow(found)
    if length and len(found) > length:
        raise CellInvalid("too_long", limit=length)
    if pattern and not re.fullmatch(pattern, found):
        raise CellInvalid("pattern", value=found, pattern=pattern)
    if known and found not in known:
        raise CellInvalid("choice", value=found, known=", ".join(known))
    return found
