"""Times as devices write them, to aware moments.  Pure.

Numbers are unix times in seconds, milliseconds, microseconds or nanoseconds (their size tells: in the years 2001 to
2286 the four never overlap) or the digits ``YYYYMMDDhhmmss…``.  Texts are ISO 8601 and the ways around it that field
gear uses.  A time without an offset holds in the zone that the caller names.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.clock import BEIJING

_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))  # below: what one second is
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(?:(\d{2})(?:[.,]?(\d{1,9}))?)?)?\Z")
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]*(\d{1,2})\s*[::时]\s*(\d{1,2})(?:\s*[::分]\s*(\d{1,2})(?:[.,](\d{1,12}))?\s*秒?|\s*分)?)?\Z"
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?(?::?\d{2})?\Z", re.I)
_NAMES: dict[str, tzinfo] = {"Z": UTC, "UTC": UTC, "GMT": UTC, "CST": BEIJING}


def read_time(given: Any, zone: tzinfo = BEIJING) -> datetime | None:
    """The moment that ``given`` (number or text) means; None when it is no possible one."""
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=zone)
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        if isinstance(given, int | float):
            return _of_number(given, zone)
        if given[10:11] == "T" and given[-6:-5] in ("+", "-"):  # ISO 8601 as most senders write it
            with suppress(ValueError):
                moment = datetime.fromisoformat(given)
                if moment.tzinfo is not None:
                    return moment
        return _of_text(given.strip(), zone)
    except (ValueError, OverflowError, OSError):
        return None


def read_zone(text: str) -> tzinfo:
    """A zone from its IANA name or offset (``UTC``, ``+08:00``); ValueError when there is no such zone."""
    named = _NAMES.get(text.strip().upper())
    found = _OFFSET.match(text.strip())
    if named is not None:
        return named
    if found:
        return _offset(found)
    try:
        return ZoneInfo(text)
    except (KeyError, OSError, TypeError) as error:
        raise ValueError(f"{text!r} is no time zone") from error


def compact_time(text: str, zone: tzinfo = BEIJING) -> datetime | None:
    """``YYYYMMDDhhmm[ss[fraction]]`` (14 digits, 17 with milliseconds, 20 with microseconds); None when impossible."""
    try:
        found = _COMPACT.match(text)
        return _of_parts(found.groups(), zone) if found and found[4] else None
    except (ValueError, OverflowError):
        return None


def _of_number(given: float, zone: tzinfo) -> datetime | None:
    if not math.isfinite(given):
        return None
    if given == int(given) and 19e12 <= given < 22e12 or isinstance(given, int) and 19e15 <= given < 22e15:
        moment = compact_time(str(int(given)), zone)
        if moment is not None:
            return moment
    for most, second in _UNITS:
        if abs(given) < most:
            return datetime.fromtimestamp(given / second, UTC)
    return None


def _of_text(text: str, zone: tzinfo) -> datetime | None:
    if re.fullmatch(r"[+-]?\d{1,20}(\.\d{1,12})?", text):
        moment = compact_time(text, zone)
        if moment is not None:
            return moment
        return _of_number(float(text) if "." in text or len(text) > 18 else int(text), zone)
    body, zone = _split_zone(text, zone)
    found = _DATE.match(body) or _COMPACT.match(body)
    if found:
        return _of_parts(found.groups(), zone)
    if re.match(r"[A-Za-z]{3}", text):
        return _of_words(text, zone)
    moment = datetime.fromisoformat(body)  # week dates and the like
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _split_zone(text: str, zone: tzinfo) -> tuple[str, tzinfo]:
    """The text without its zone, and that zone; several may follow each other (``+0800 CST``)."""
    text = re.sub(r"\[[^\]]*\]\Z", "", text).strip()  # 2026-11-27T10:00:00+08:00[Asia/Shanghai]
    found = re.search(r"(?<=[\d秒分])\s*(Z|UTC|GMT|CST)\Z", text, re.I)
    named = _NAMES[found[1].upper()] if found else None
    if found and not (found[1].upper() in ("UTC", "GMT") and _OFFSET.search(text)):
        text = text[: found.start()].strip()
    offset = re.search(r"(?<=[\d秒分])\s*((?:UTC|GMT)?\s*[+-]\d{1,2}(?::?\d{2}){0,2})\Z", text, re.I)
    if offset and re.search(r"\d\s*[::时]\s*\d|\d{12}", text[: offset.start()]):
        inner = _OFFSET.match(offset[1].strip())
        if inner:
            return text[: offset.start()].strip(), _offset(inner)
    return text, named or zone


def _offset(found: re.Match[str]) -> tzinfo:
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def _of_parts(parts: tuple[str | None, ...], zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second = (int(p or 0) for p in parts[:6])
    micro = int(((parts[6] or "") + "000000")[:6]) if len(parts) > 6 else 0
    late = timedelta(days=1) if hour == 24 and minute == second == 0 else timedelta(0)  # 24:00 of a day is its end
    if second == 60:  # a leap second, or a clock that rounds up
        second, late = 59, timedelta(seconds=1)
    return datetime(year, month, day, 0 if hour == 24 else hour, minute, second, micro, tzinfo=zone) + late


def _of_words(text: str, zone: tzinfo) -> datetime | None:
    """RFC 5322 (``Fri, 27 Nov 2026 10:00:00 GMT``) and C's ctime."""
    try:
        moment = datetime.strptime(text, "%a %b %d %H:%M:%S %Y")  # noqa: DTZ007 - the zone follows
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
