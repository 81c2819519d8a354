"""SL 651-2014: which reader a HEX body needs: elements of a report, parameters of a reply, versions, logs."""

from __future__ import annotations

from datetime import datetime

from ingest.errors import FrameField
from ingest.sources import _sl651_tables as tables
from ingest.sources._sl651_body import PROTOCOL, Body, Group, Parameter, Reader, bcd_time, number


def decode_hex(data: bytes, function: int) -> Body:
    """A HEX body; :class:`FrameField` when it does not even hold serial and time."""
    if len(data) < 8:
        raise FrameField(protocol=PROTOCOL, field="body", detail=f"{len(data)} bytes; serial and time take 8")
    head = (int.from_bytes(data[:2], "big"), bcd_time(data[2:8]), data[2:8].hex())
    if function == 0x45 and len(data) > 15:
        return _version(data, head)
    if function == 0x50 and len(data) == 15 + 64:
        counts = tuple(int.from_bytes(data[i : i + 2], "big") for i in range(15, 79, 2))
        return Body(*head, (Group(data[10:15].hex().upper(), "", None, ()),), events=counts)
    if function in tables.PARAMETERS:
        return _parameters(data, head)
    if function not in tables.MEASURING:
        return _opaque(data, head)
    reader = Reader(data, function)
    reader.walk()
    return Body(
        *head,
        tuple(reader.groups),
        text=reader.text,
        picture=reader.picture,
        problems=tuple(reader.problems),
        rest=data[reader.position :],
    )


def _version(data: bytes, head: tuple[int, datetime | None, str]) -> Body:
    group = Group(data[10:15].hex().upper(), "", None, ())
    text = data[16 : 16 + data[15]].decode("gb18030", errors="replace")
    return Body(*head, (group,), version=text)


def _station(data: bytes) -> tuple[tuple[Group, ...], int]:
    """The F1F1 group behind serial and time, and where it ends."""
    if data[8:10] != b"\xf1\xf1" or len(data) < 15:
        return (), 8
    return (Group(data[10:15].hex().upper(), "", None, ()),), 15


def _opaque(data: bytes, head: tuple[int, datetime | None, str]) -> Body:
    """A body whose bytes are no elements (orders to pumps, valves, gates; vendors' own): station and raw bytes."""
    groups, place = _station(data)
    return Body(*head, groups, rest=data[place:])


def _parameters(data: bytes, head: tuple[int, datetime | None, str]) -> Body:
    """Identifier, length and value of each parameter: the identifiers of elements mean something else here."""
    groups, place = _station(data)
    found: list[Parameter] = []
    while place + 2 <= len(data):
        code, shape, begin = data[place], data[place + 1], place + 2
        if code == 0xFF and begin < len(data):
            code, shape, begin = 0xFF00 | shape, data[begin], begin + 1
        end = begin + (shape >> 3)
        if end > len(data):
            break
        found.append(_parameter(code, data[begin:end], shape & 7))
        place = end
    rest = data[place:]
    problems = (f"{len(rest)} bytes at {place} were not understood",) if rest else ()
    return Body(*head, groups, problems=problems, rest=rest, parameters=tuple(found))


def _parameter(code: int, raw: bytes, decimals: int) -> Parameter:
    if code in tables.NUMBER_PARAMETERS:
        return Parameter(code, raw, number(raw, decimals))
    if code in tables.TEXT_PARAMETERS:
        return Parameter(code, raw, text=raw.rstrip(b"\x00 ").decode("ascii", "replace"))
    return Parameter(code, raw)
