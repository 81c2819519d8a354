"""Reads what GDAL wrote into our archives: Mapbox Vector Tile 2.1, geometry and properties of one layer."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import InputInvalid

Ring = list[tuple[int, int]]
POINT, LINE, POLYGON = 1, 2, 3


@dataclass(frozen=True)
class TileShape:
    """A feature: ``kind`` 1 points, 2 lines, 3 polygons; ``parts`` in units of the extent, from the north-west."""

    kind: int
    parts: list[Ring]
    properties: dict[str, Any]


def shapes(tile: bytes, layer: str) -> tuple[int, list[TileShape]]:
    """Extent and features of ``layer``; none where the tile has no such layer.

    Raises:
        InputInvalid: the bytes are no vector tile.
    """
    try:
        data = gzip.decompress(tile) if tile[:2] == b"\x1f\x8b" else tile
        for field, body in _fields(data):
            if field == 3 and isinstance(body, bytes):
                found = _layer(body, layer)
                if found is not None:
                    return found
    except (ValueError, IndexError, struct.error, OSError, EOFError) as error:
        raise InputInvalid(field="tile", detail=f"is no vector tile ({error})", how="build the tiles again") from error
    return 4096, []


def _layer(data: bytes, wanted: str) -> tuple[int, list[TileShape]] | None:
    features: list[bytes] = []
    keys: list[str] = []
    values: list[Any] = []
    extent = 4096
    for field, body in _fields(data):
        if field == 1 and isinstance(body, bytes) and body.decode("utf-8", "replace") != wanted:
            return None
        if field == 2 and isinstance(body, bytes):
            features.append(body)
        elif field == 3 and isinstance(body, bytes):
            keys.append(body.decode("utf-8", "replace"))
        elif field == 4 and isinstance(body, bytes):
            values.append(_value(body))
        elif field == 5 and isinstance(body, int):
            extent = body
    return extent, [_feature(body, keys, values) for body in features]


def _feature(data: bytes, keys: list[str], values: list[Any]) -> TileShape:
    kind, tags, commands = 0, [], []
    for field, body in _fields(data):
        if field == 2 and isinstance(body, bytes):
            tags = _numbers(body)
        elif field == 3 and isinstance(body, int):
            kind = body
        elif field == 4 and isinstance(body, bytes):
            commands = _numbers(body)
    return TileShape(kind, _parts(commands), {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)})


def _parts(numbers: list[int]) -> list[Ring]:
    """Points, lines or rings of a geometry (specification 4.3); a ring is not closed by a repeated point."""
    parts: list[Ring] = []
    x = y = at = 0
    while at < len(numbers):
        command, count = numbers[at] & 7, numbers[at] >> 3
        at += 1
        if command == 7:
            continue
        if command not in (1, 2) or at + 2 * count > len(numbers):
            raise ValueError(f"command {command} of {count}")
        if command == 1:
            parts.append([])
        for at in range(at, at + 2 * count, 2):  # noqa: B020 - goes on behind the last pair
            dx, dy = numbers[at], numbers[at + 1]
            x += (dx >> 1) ^ -(dx & 1)
            y += (dy >> 1) ^ -(dy & 1)
            parts[-1].append((x, y))
        at += 2 if count else 0
    return parts


def _numbers(data: bytes) -> list[int]:
    found = []
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            found.append(value)
            value = shift = 0
    if shift:
        raise ValueError("cut short")
    return found


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        else:
            size, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire] if wire in (1, 5) else -1, at)
            if size < 0 or at + size > end:
                raise ValueError("cut short")
            yield key >> 3, data[at : at + size]
            at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("number too long")


def _value(data: bytes) -> Any:
    for field, body in _fields(data):
        if isinstance(body, bytes):
            if field == 1:
                return body.decode("utf-8", "replace")
            return struct.unpack("<f" if field == 2 else "<d", body)[0]
        if field == 7:
            return bool(body)
        return (body >> 1) ^ -(body & 1) if field == 6 else body
    return None
