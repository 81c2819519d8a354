"""SL 651-2014: bodies in ASCII form, ``serial(4) time(12)`` then keys and values separated by blanks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ingest.errors import FrameField
from ingest.sources import _sl651_tables as tables
from ingest.sources._sl651_body import PROTOCOL, Body, Element, Group, Parameter, Reader, bcd_time, later
from ingest.times import compact_time

_DRX = re.compile(r"DR([DHN])([0-9]{2})$")


def decode_ascii(data: bytes, function: int) -> Body:
    """An ASCII body: ``serial(4) time(12)`` then keys and values separated by blanks; "M" is missing."""
    text = data.decode("gb18030", errors="replace")
    head = re.match(r"\s*([0-9A-Fa-f]{4})\s*([0-9]{12})\s*", text)
    if head is None:
        raise FrameField(protocol=PROTOCOL, field="body", detail="serial (4 hex digits) and time (12 digits) expected")
    begin = (int(head[1], 16), bcd_time(bytes.fromhex(head[2])), head[2])
    words = text[head.end() :].split()
    if words and words[0] == "RGZS":
        return Body(*begin, text=text[head.end() :].partition("RGZS")[2].strip())
    if function in tables.PARAMETERS:
        return _ascii_parameters(words, begin)
    if function not in tables.MEASURING:
        return Body(*begin, rest=text[head.end() :].encode())
    groups, problems = _ascii_groups(words, function)
    return Body(*begin, groups, problems=problems)


def _ascii_parameters(words: list[str], begin: tuple[int, datetime | None, str]) -> Body:
    """Identifiers (two hex digits) and values; the letters of elements mean something else here."""
    groups: tuple[Group, ...] = ()
    found = []
    for key, value in zip(words[::2], words[1::2], strict=False):
        if key == "ST":
            groups = (Group(value.upper(), "", None, ()),)
        elif re.fullmatch(r"[0-9A-Fa-f]{2}", key):
            code = int(key, 16)
            found.append(Parameter(code, value.encode(), _float(value) if code in tables.NUMBER_PARAMETERS else None))
    return Body(*begin, groups, parameters=tuple(found))


def _ascii_groups(words: list[str], function: int) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    groups: list[Group] = []
    problems: list[str] = []
    elements: list[Element] = []
    station, station_class = "", ""
    observed: datetime | None = None
    observed_raw = ""
    position = 0

    def close() -> None:
        if station or elements:
            groups.append(Group(station, station_class, observed, tuple(elements), observed_raw))
        elements.clear()

    while position < len(words):
        key = words[position]
        value = words[position + 1] if position + 1 < len(words) else None
        if value is None:
            problems.append(f"{key!r} without a value")
            break
        position += 2
        step = _DRX.match(key)
        if key == "ST":
            close()
            station, station_class, observed, observed_raw = value.upper(), "", None, ""
            if function in tables.CLASSED and position < len(words) and len(words[position]) == 1:
                station_class = words[position]
                position += 1
        elif key == "TT":
            if elements:
                close()
            observed_raw = value
            observed = bcd_time(bytes.fromhex(value)) if re.fullmatch(r"[0-9]{10}|[0-9]{12}", value) else None
            if observed is None and len(value) >= 14:
                observed = compact_time(value)
        elif step:
            elements += _ascii_series(words[position - 1 :], step, observed)
            break
        else:
            elements += _ascii_element(key, value, observed)
    close()
    return tuple(groups), tuple(problems)


def _ascii_element(key: str, value: str, observed: datetime | None) -> list[Element]:
    code = tables.BY_KEY.get(key, 0)
    raw = value.encode()
    if code == 0xF4 and re.fullmatch(r"[0-9A-Fa-f]{24}", value):
        reader = Reader(b"", 0)
        reader.observed = observed
        reader.value(code, bytes.fromhex(value), 0)
        return reader.elements
    if 0xF5 <= code <= 0xFC and re.fullmatch(r"[0-9A-Fa-f]{48}", value):
        reader = Reader(b"", 0)
        reader.observed = observed
        reader.value(code, bytes.fromhex(value), 0)
        return reader.elements
    if key == "ZT" and re.fullmatch(r"[0-9A-Fa-f]{8}", value):
        return [Element(0x45, raw, at=observed, status=int(value, 16))]
    if not code:
        return []  # an element that we do not know
    return [Element(code, raw, _float(value), observed)]


def _ascii_series(words: list[str], step: re.Match[str], observed: datetime | None) -> list[Element]:
    unit = {"D": timedelta(days=1), "H": timedelta(hours=1), "N": timedelta(minutes=1)}[step[1]]
    codes: list[int] = []
    while words[len(codes) :] and words[len(codes)] in tables.BY_KEY:
        codes.append(tables.BY_KEY[words[len(codes)]])
    if not codes:
        return []
    out = []
    for place, word in enumerate(words[len(codes) :]):
        index, column = divmod(place, len(codes))
        at = later(observed, unit * int(step[2]) * index)
        out.append(Element(codes[column], word.encode(), _float(word), at, index))
    return out


def _float(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,9})?", text) else None
